#include "plugin/engine/failure_reports.h"

#include "plugin/engine/log.h"
#include "plugin/engine/reports.h"

namespace stox::engine {

void report_failure(State& state, const InboxRow* row, const xmpp::Message& error, TimePoint now, Actions& out) {
    const auto reason = error.error.value_or(xmpp::StanzaError{});
    out.push_back(line(Level::info, row ? row->trace : Trace{}, "message",
                       {{"direction", "s2x"},
                        {"to", error.from.to_string()},
                        {"error", std::string(to_string(reason.condition))},
                        {"state", report_failed(state, error, now, out) ? "failed after it was accepted, its author is told"
                                                                        : "failed after it was accepted"}},
                       row ? row->peer : std::string()));
}

}  // namespace stox::engine
