#pragma once
// Which lines of the log somebody wants to see in detail: those that name a JID, a source or a Call-ID, and those of the same
// session.   (contract 9)

#include "plugin/engine/views.h"

#include <chrono>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stox::host {

class TraceFilter {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::size_t kTraces = 8;        ///< at once
    static constexpr std::size_t kSessions = 1'024;  ///< that are followed for each; the oldest is forgotten

    /// domain  empty: lines of all
    /// False: there are as many as may be. The same again begins anew.
    bool add(std::string domain, std::string match, TimePoint until, TimePoint now);
    bool is_empty() const { return traces_.empty(); }
    /// Whether that line of that domain (empty: of the worker itself) is wanted. `t=` in front of it says of which session it is.
    bool wants(std::string_view domain, std::string_view line, TimePoint now);
    /// domain  empty: all
    std::vector<engine::TraceRow> rows(std::string_view domain, TimePoint now);

private:
    struct Trace {
        std::string domain, match;
        TimePoint until;
        std::uint64_t lines = 0;
        std::set<std::string, std::less<>> sessions{};
        std::deque<std::string> order{};
        bool wants(std::string_view line);
    };
    void drop_old(TimePoint now);

    std::vector<Trace> traces_;
};

}  // namespace stox::host
