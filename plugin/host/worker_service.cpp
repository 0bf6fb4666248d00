// The worker as a service: modules come and go, and their domains stay.

#include "plugin/host/journal.h"
#include "plugin/host/worker.h"

#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <utility>

namespace stox::host {

namespace asio = boost::asio;
using boost::system::error_code;
using engine::Level;

namespace {

constexpr std::chrono::seconds kLastWords{1};
constexpr std::chrono::seconds kQuestion{15};  ///< a command line waits 10 s for its answer

}  // namespace

Worker::Worker(asio::io_context& loop, Service service) : Worker(loop) {
    service_ = true;
    return_within_ = service.return_within;
    administration_ = Administration(for_administration());
    end_.emplace(loop, ::fcntl(service.end, F_DUPFD_CLOEXEC, 3));
    end_->async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
        if (!error) stop();
    });
    control_socket_ = std::make_unique<ControlSocket>(
        loop, service.listener, std::move(service.access),
        ControlSocket::Events{[this](int connection, uid_t user) { on_module(connection, user); },
                              [this](const std::string& why) { log(Level::warn, "control connection refused " + why); }});
    log(Level::info, "waiting for the modules of chat servers");
}

void Worker::on_module(int connection, uid_t uid) {
    const auto user = "uid:" + std::to_string(uid);
    if (modules_.size() >= kMaxSessions)
        return log(Level::warn,
                   "control connection refused " + user + ": there are " + std::to_string(kMaxSessions) + " already");
    // One member of the group is not to shut out the others.
    if (uid != 0 && uid != ::geteuid() && modules_.size_of(uid) >= kMaxSessionsOfUser)
        return log(Level::warn,
                   "control connection refused " + user + ": it has " + std::to_string(kMaxSessionsOfUser) + " already");
    const auto id = modules_.add(loop_, connection, connection, user, uid);
    if (id == 0) return log(Level::warn, "control connection refused " + user + ": no descriptor is left");
    modules_.send(id, hello_line());
    // One that speaks for no server has had time for its question.
    auto limit = std::make_shared<asio::steady_timer>(loop_, kQuestion);
    limit->async_wait([this, limit, id](error_code error) {
        if (!error && !stopping_ && !modules_.server_of(id)) modules_.close(id);
    });
}

/// What whoever may connect can do without being a server's module: ask.
bool Worker::may(const Command& command) const {
    return server_ || std::holds_alternative<Hello>(command) || std::holds_alternative<AdminAsked>(command) ||
           std::holds_alternative<StatusAsked>(command) || std::holds_alternative<Stop>(command);
}

void Worker::module_came(const Hello& command) {
    // Two servers of the same user are told apart by what they call themselves; nobody can pass for another user's.
    const auto server = modules_.user_of(from_) + (command.server.empty() ? "" : ' ' + engine::logfmt(command.server));
    if (server_ && *server_ != server) module_left(from_);
    if (const auto before = modules_.speak_for(from_, server)) {
        modules_.send(before, log_line("warn", "another connection of this server took the place of this one"));
        modules_.close(before);
    }
    server_ = server;
    log(Level::info, "the module of " + server + " came");
    if (sip_) reply(listening_line(listening()));
    expect_domains_again(server);
}

void Worker::on_module_over(ControlSessions::Id id) {
    if (!service_) return stop();
    module_left(id);
    modules_.close(id);
}

void Worker::module_left(ControlSessions::Id id) {
    const auto* server = modules_.server_of(id);
    if (!server || stopping_) return;
    returns_.erase(*server);
    write_journal(Level::info, "the module of " + *server + " left; its domains stay");
    // What is only leaving comes back to it all the same.
    claims_.drop_all_of(*server, [this, server](const std::string& domain) {
        return !leaving_domains_.contains(domain) || is_of_another_user(domain, *server);
    });
    // When it is gone: until then it has its domains.
    asio::post(loop_, [this, server = *server] { let_in_after(server); });
}

/// Whoever waits for domains of a server that has left.
void Worker::let_in_after(const std::string& server) {
    if (modules_.of(server) != 0) return;  // it is back
    std::vector<std::string> left;
    for (const auto& [name, domain] : domains_)
        if (domain.server == server) left.push_back(name);
    for (const auto& name : left) let_in(name);
}

/// Of a server that was here before. What its configuration does not have any more it cannot take away by name.
void Worker::expect_domains_again(const std::string& server) {
    returns_.erase(server);
    bool any = false;
    for (auto& [name, domain] : domains_) {
        if (domain.server != server) continue;
        domain.confirmed = false;
        any = true;
    }
    if (!any) return;
    auto& timer = returns_.try_emplace(server, loop_).first->second;
    timer.expires_after(return_within_);
    timer.async_wait([this, server](error_code error) {
        if (!error && !stopping_) remove_forgotten(server);
    });
}

void Worker::remove_forgotten(const std::string& server) {
    std::vector<std::string> forgotten;
    for (const auto& [name, domain] : domains_)
        if (domain.server == server && !domain.confirmed) forgotten.push_back(name);
    for (const auto& name : forgotten) {
        log(Level::warn, "removed: its server is back and did not hand it over again; what waits for it stays in the store",
            name);
        remove(name, false);
    }
    returns_.erase(server);
}

/// A module that does not read does not keep the service.
void Worker::give_up_writing() {
    auto limit = std::make_shared<asio::steady_timer>(loop_, kLastWords);
    limit->async_wait([this, limit](error_code) { loop_.stop(); });
}

}  // namespace stox::host
