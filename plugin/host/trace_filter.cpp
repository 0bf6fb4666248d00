#include "plugin/host/trace_filter.h"

#include <algorithm>

namespace stox::host {

namespace {

/// A letter of the name it stands in: what follows it makes another address.
bool continues(char c) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return alphanumeric || static_cast<unsigned char>(c) >= 0x80 ||
           std::string_view("-._~!@%+").find(c) != std::string_view::npos;
}

/// Whether `match` stands in the line as a whole, not as a part of a longer name.
bool names(std::string_view line, std::string_view match) {
    for (auto at = line.find(match); at != line.npos; at = line.find(match, at + 1)) {
        const auto end = at + match.size();
        if ((at == 0 || !continues(line[at - 1])) && (end == line.size() || !continues(line[end]))) return true;
    }
    return false;
}

/// The trace in front of a line of the engine; empty: it has none.
std::string_view session_of(std::string_view line) {
    constexpr std::string_view kField = "t=";
    if (!line.starts_with(kField)) return {};
    return line.substr(kField.size(), line.find(' ') - kField.size());
}

}  // namespace

bool TraceFilter::Trace::wants(std::string_view line) {
    const auto session = session_of(line);
    const bool known = !session.empty() && sessions.contains(session);
    if (!known && !names(line, match)) return false;
    ++lines;
    if (known || session.empty()) return true;
    if (order.size() >= kSessions) {
        sessions.erase(order.front());
        order.pop_front();
    }
    sessions.emplace(session);
    order.emplace_back(session);
    return true;
}

void TraceFilter::drop_old(TimePoint now) {
    std::erase_if(traces_, [now](const Trace& trace) { return trace.until <= now; });
}

bool TraceFilter::add(std::string domain, std::string match, TimePoint until, TimePoint now) {
    drop_old(now);
    std::erase_if(traces_, [&](const Trace& trace) { return trace.domain == domain && trace.match == match; });
    if (traces_.size() >= kTraces) return false;
    traces_.push_back({std::move(domain), std::move(match), until});
    return true;
}

bool TraceFilter::wants(std::string_view domain, std::string_view line, TimePoint now) {
    if (traces_.empty()) return false;
    drop_old(now);
    bool wanted = false;
    for (auto& trace : traces_) {
        // What comes before the domain is known is the worker's own to tell, and so its administrators' to see.
        if (!trace.domain.empty() && trace.domain != domain) continue;
        wanted = trace.wants(line) || wanted;
    }
    return wanted;
}

std::vector<engine::TraceRow> TraceFilter::rows(std::string_view domain, TimePoint now) {
    drop_old(now);
    std::vector<engine::TraceRow> rows;
    for (const auto& trace : traces_) {
        if (!domain.empty() && trace.domain != domain) continue;
        const auto left = std::chrono::duration_cast<std::chrono::seconds>(trace.until - now);
        rows.push_back({trace.domain, trace.match, static_cast<std::uint64_t>(left.count()), trace.lines});
    }
    return rows;
}

}  // namespace stox::host
