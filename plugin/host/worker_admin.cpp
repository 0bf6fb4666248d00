// What the worker does for administrators, and for the question who is one.

#include "plugin/host/levels.h"
#include "plugin/host/sip_settings.h"
#include "plugin/host/state_dir.h"
#include "plugin/host/worker.h"

#include <boost/asio/post.hpp>

#include <unistd.h>

#include <utility>

namespace stox::host {

namespace asio = boost::asio;
using engine::Level;

namespace {

constexpr std::chrono::seconds kQuestion{2}, kRetry{5};

}  // namespace

void Worker::perform(const AuthorizationAnswered& command) {
    const auto question = questions_.find(command.id);
    if (question == questions_.end() || question->second.of != from_) return;
    questions_.extract(question).mapped().answered(command.allowed);
}

void Worker::perform(const AdminAsked& command) {
    auto known = command;
    // What the kernel says, whatever they say; of a module beside what it says.
    (server_ ? known.user : known.who) = modules_.user_of(from_);
    reply(admin_answer_line(command.id, administration_.answer(known)));
}

void Worker::authorize(const std::string& domain, const engine::Authorize& asked, std::function<void(bool)> answered) {
    const auto now = std::chrono::steady_clock::now();
    // A module that does not answer is one from before this question; the engine waits no longer than this either.
    std::erase_if(questions_, [now](const auto& one) { return one.second.asked + kQuestion <= now; });
    const auto id = std::to_string(++last_question_);
    const auto known = domains_.find(domain);
    if (known == domains_.end()) return;
    const auto module = modules_.of(known->second.server);
    questions_.emplace(id, Question{std::move(answered), now, module});
    modules_.send(module, authorization_line(id, domain, asked));
}

Administration::Worker Worker::for_administration() {
    Administration::Worker worker;
    worker.row = [this] { return row(); };
    worker.limits = [this] {
        std::vector<engine::LimitRow> rows;
        if (sip_ && options_)
            rows.push_back(
                {{}, "sip_connections", {}, sip_->counters().open_connections, sip_settings(*options_).limits.connections});
        return rows;
    };
    worker.domains = [this] {
        std::vector<DomainHost*> all;
        for (const auto& [name, domain] : domains_) all.push_back(domain.host.get());
        return all;
    };
    worker.sip = [this] { return sip_.get(); };
    worker.set_log_level = [this](Level level) { log_level_ = level; };
    worker.reload = [this] { asio::post(loop_, [this] { modules_.send_all(reload_wanted_line()); }); };
    if (!service_) worker.stop = [this] { asio::post(loop_, [this] { modules_.send_all(stop_wanted_line()); }); };
    // What administrators did is written whatever the level, and however much else is.
    worker.log = [this](Level level, const std::string& text, const std::string& domain) { write_log(level, text, domain); };
    return worker;
}

engine::WorkerRow Worker::row() const {
    engine::WorkerRow row;
    row.version = STOX_VERSION;
    row.pid = static_cast<std::uint64_t>(::getpid());
    const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started_);
    row.uptime_seconds = static_cast<std::uint64_t>(uptime.count());
    row.log_level = to_string(log_level_);
    row.domains = domains_.size();
    row.refused_requests_total = refused_;
    row.lost_log_lines_total = lost_log_lines_ + log_rate_.waiting();
    row.store_open = store_.is_open();
    row.sip_open = sip_ != nullptr;
    if (!sip_) return row;
    row.bans_total = sip_->counters().bans;
    for (const auto& address : sip_->listening()) {
        if (!row.listeners.empty()) row.listeners += ' ';
        row.listeners += std::string(to_string(address.transport)) + ':' + address.endpoint.to_string();
    }
    row.banned_sources = sip_->counters().banned_sources;
    return row;
}

/// In the state directory, which only the worker's user can enter and which is there when the store has been opened once.
void Worker::open_admin_socket() {
    if (admin_socket_ || stopping_ || !options_ || !store_.is_settled()) return;
    auto opened = AdminSocket::open(loop_, admin_socket_path(*options_),
                                    {[this](const AdminAsked& asked) { return administration_.answer(asked); },
                                     [this](const std::string& text) { log(Level::warn, text); }});
    if (opened) {
        admin_socket_ = std::move(opened).value();
        return;
    }
    if (!std::exchange(told_no_admin_socket_, true))
        log(Level::warn, "command lines cannot reach this worker: " + opened.error().detail + "; trying again");
    admin_retry_.expires_after(kRetry);
    admin_retry_.async_wait([this](boost::system::error_code error) {
        if (!error) open_admin_socket();
    });
}

}  // namespace stox::host
