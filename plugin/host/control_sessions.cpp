#include "plugin/host/control_sessions.h"

#include <algorithm>
#include <utility>

namespace stox::host {

ControlSessions::~ControlSessions() { close_all(); }

ControlSessions::Id ControlSessions::add(boost::asio::io_context& loop, int in, int out, std::string user,
                                         std::optional<unsigned> uid) {
    const Id id = ++last_;
    auto channel = ControlChannel::open(
        loop, in, out, [this, id](std::string_view line) { events_.line(id, line); }, [this, id] { events_.over(id); });
    if (!channel) return 0;
    all_.emplace(id, Session{std::move(channel), std::move(user), {}, uid, false});
    return id;
}

std::size_t ControlSessions::size_of(unsigned uid) const {
    return static_cast<std::size_t>(std::ranges::count_if(all_, [uid](const auto& one) { return one.second.uid == uid; }));
}

ControlSessions::Id ControlSessions::speak_for(Id id, std::string server) {
    const auto known = all_.find(id);
    if (known == all_.end()) return 0;
    const Id before = of(server);
    known->second.server = std::move(server);
    known->second.speaks = true;
    return before == id ? 0 : before;
}

const std::string* ControlSessions::server_of(Id id) const {
    const auto known = all_.find(id);
    return known != all_.end() && known->second.speaks ? &known->second.server : nullptr;
}

const std::string& ControlSessions::user_of(Id id) const {
    static const std::string nobody;
    const auto known = all_.find(id);
    return known == all_.end() ? nobody : known->second.user;
}

std::optional<unsigned> ControlSessions::uid_of(Id id) const {
    const auto known = all_.find(id);
    return known == all_.end() ? std::nullopt : known->second.uid;
}

ControlSessions::Id ControlSessions::of(const std::string& server) const {
    for (const auto& [id, session] : all_)
        if (session.speaks && session.server == server) return id;
    return 0;
}

void ControlSessions::send(Id id, std::string line) {
    if (const auto known = all_.find(id); known != all_.end()) known->second.channel->send(std::move(line));
}

void ControlSessions::send_log(Id id, const std::string& line) {
    if (const auto known = all_.find(id); known != all_.end()) known->second.channel->send_log(line);
}

void ControlSessions::send_all(const std::string& line) {
    for (auto& [id, session] : all_)
        if (session.speaks) session.channel->send(line);
}

void ControlSessions::send_log_to_all(const std::string& line) {
    for (auto& [id, session] : all_)
        if (session.speaks) session.channel->send_log(line);
}

void ControlSessions::close(Id id) {
    if (auto session = all_.extract(id)) session.mapped().channel->finish();
}

void ControlSessions::drain(std::function<void()> done) {
    auto left = std::make_shared<std::size_t>(all_.size());
    if (*left == 0) return done();
    for (auto& [id, session] : all_)
        session.channel->drain([left, done] {
            if (--*left == 0) done();
        });
}

void ControlSessions::close_all() {
    for (auto& [id, session] : std::exchange(all_, {})) session.channel->finish();
}

}  // namespace stox::host
