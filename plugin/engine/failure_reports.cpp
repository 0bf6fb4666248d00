#include "plugin/engine/failure_reports.h"

#include "plugin/engine/log.h"

namespace stox::engine {

void report_failure(State&, const InboxRow* row, const xmpp::Message& error, TimePoint, Actions& out) {
    const auto reason = error.error.value_or(xmpp::StanzaError{});
    out.push_back(line(Level::info, row ? row->trace : Trace{}, "message",
                       {{"direction", "s2x"},
                        {"to", error.from.to_string()},
                        {"error", std::string(to_string(reason.condition))},
                        {"state", "failed after it was accepted"}},
                       row ? row->peer : std::string()));
}

}  // namespace stox::engine
