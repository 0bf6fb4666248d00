#pragma once
// Carries out what administrators want, whichever way they asked, and writes down that they did.

#include "plugin/engine/admin_command.h"
#include "plugin/engine/engine.h"
#include "plugin/host/control_lines.h"
#include "plugin/host/domain_host.h"
#include "plugin/host/recent_errors.h"
#include "plugin/host/trace_filter.h"
#include "sip/endpoint.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace stox::host {

class Administration {
public:
    /// The worker around it.
    struct Worker {
        std::function<engine::WorkerRow()> row;
        std::function<std::vector<engine::LimitRow>()> limits;  ///< what is bounded for all domains together
        std::function<std::vector<DomainHost*>()> domains;
        std::function<sip::Endpoint*()> sip;  ///< null: not open
        std::function<void(engine::Level)> set_log_level;
        std::function<void()> reload, stop;  ///< by whoever holds the worker; after the answer. No stop: a service, which others stop
        std::function<void(engine::Level, std::string text, std::string domain)> log;
    };

    explicit Administration(Worker worker) : worker_(std::move(worker)) {}

    /// A complete order of somebody who may give it.
    ///   domain  whose administrator they are; empty: the whole worker's
    ///   user  whose process asked, where the kernel says it and `who` is somebody's word
    engine::AdminOutcome carry_out(const engine::AdminOrder& order, const std::string& domain, std::string_view who,
                                   std::string_view via, std::string_view user = {});
    /// Words of a command line, from somebody who may everything. The answer is what is to be shown.
    AdminAnswer answer(const AdminAsked& asked);

    /// What metrics are made of: every view that counts something.
    std::vector<engine::Table> counted();

    /// Each line of the log, written or not. True: a line that nobody wanted is wanted after all.
    /// is_here  whether there is such a domain; under the name of another nothing is remembered
    bool look_at(engine::Level level, std::string_view text, std::string_view domain, bool is_here);
    bool traces_something() const { return !traces_.is_empty(); }
    void forget(const std::string& domain) { errors_.forget(domain); }

private:
    engine::AdminOutcome perform(const engine::AdminOrder& order, const std::string& domain);
    engine::AdminOutcome ask_engines(const engine::AdminOrder& order, const std::string& domain);
    std::vector<engine::DomainRow> domain_rows(const std::string& domain) const;
    std::vector<engine::Table> counters();
    engine::AdminOutcome overview(const std::string& domain);
    engine::AdminOutcome trace(const engine::AdminOrder& order, const std::string& domain);
    engine::AdminOutcome bans();
    engine::AdminOutcome ban(const engine::AdminOrder& order);
    engine::AdminOutcome unban(const engine::AdminOrder& order);

    Worker worker_;
    RecentErrors errors_;
    TraceFilter traces_;
};

}  // namespace stox::host
