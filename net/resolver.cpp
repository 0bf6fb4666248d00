#include "net/resolver.h"

#include "net/dns_message.h"

#include <boost/asio/post.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace stox::net {

namespace asio = boost::asio;

namespace {

HostsFile read_hosts(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(HostsFile::kMaxOctets, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    return HostsFile::parse(text);
}

}  // namespace

Resolver::FileStamp Resolver::FileStamp::of(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return {};
    return {info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ino, static_cast<std::uint64_t>(info.st_size)};
}

Result<std::unique_ptr<Resolver>> Resolver::open(asio::io_context& loop, ResolverSettings settings) {
    auto channel = AresChannel::open(loop, settings.ares);
    if (!channel) return channel.error();
    return std::unique_ptr<Resolver>(new Resolver(loop, std::move(settings), std::move(channel).value()));
}

Resolver::Resolver(asio::io_context& loop, ResolverSettings settings, std::unique_ptr<AresChannel> channel)
    : loop_(loop),
      settings_(std::move(settings)),
      channel_(std::move(channel)),
      cache_(settings_.cache),
      hosts_stamp_(FileStamp::of(settings_.hosts)),
      servers_stamp_(FileStamp::of(settings_.ares.resolv_conf)),
      looked_at_files_(settings_.clock()) {
    hosts_ = read_hosts(settings_.hosts);
}

Resolver::~Resolver() = default;

// Callers

Resolver::Id Resolver::resolve(const Question& question, OnAnswer on_answer) {
    look_at_files();
    const bool full = waiting_.size() >= settings_.max_waiting;
    const Id id = ++last_id_;
    waiting_.emplace(id, std::move(on_answer));
    const auto now = settings_.clock();
    if (question.domain != settings_.domain) {
        answer_later(id, no_answer(AnswerStatus::failed, "no servers of that provisioning domain"));
    } else if (auto local = hosts_.answer(question)) {
        answer_later(id, std::move(*local));
    } else if (auto known = cache_.find(question, now)) {
        answer_later(id, std::move(*known));
    } else if (full) {
        answer_later(id, no_answer(AnswerStatus::failed, "too many wait for the DNS"));
    } else if (const auto pending = pending_.find(question); pending != pending_.end()) {
        join(id, question, pending->second);
    } else if (pending_.size() >= settings_.max_outstanding) {
        answer_later(id, no_answer(AnswerStatus::failed, "too many questions at the DNS servers"));
    } else {
        ask(question);
        pending_.find(question)->second.callers.push_back(id);
    }
    return id;
}

void Resolver::cancel(Id id) { waiting_.erase(id); }  // its entry in Pending::callers is passed over

void Resolver::join(Id id, const Question& question, Pending& pending) {
    if (pending.overdue) {
        const auto stale = cache_.find_stale(question, settings_.clock());
        return answer_later(id, stale ? *stale : no_answer(AnswerStatus::timed_out));
    }
    if (pending.callers.size() >= settings_.max_waiting)
        std::erase_if(pending.callers, [this](Id old) { return !waiting_.contains(old); });
    pending.callers.push_back(id);
}

/// One post for each caller: what one does in its callback, cancelling another or ending us, is seen by the next.
void Resolver::answer_later(Id id, Answer answer) {
    asio::post(loop_, [this, id, answer = std::move(answer), alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        auto caller = waiting_.extract(id);
        if (caller) caller.mapped()(answer);
    });
}

void Resolver::answer_all(Pending& pending, const Answer& answer) {
    for (const Id id : std::exchange(pending.callers, {})) answer_later(id, answer);
}

// Servers

void Resolver::ask(const Question& question) {
    auto& pending = pending_.try_emplace(question, loop_).first->second;
    send(question, pending, question.name);
    if (cache_.find_stale(question, settings_.clock()))
        wait_for_servers(question, pending, settings_.stale_after, false);
    else
        wait_for_servers(question, pending, settings_.question_limit, true);
}

void Resolver::send(const Question& question, Pending& pending, const DnsName& name) {
    pending.attempt = ++last_attempt_;
    channel_->query(name, question.type, [this, question, name, attempt = pending.attempt](const AresChannel::Reply& reply) {
        on_reply(question, attempt, name, reply);
    });
}

void Resolver::on_reply(const Question& question, std::uint64_t attempt, const DnsName& asked, const AresChannel::Reply& reply) {
    const auto found = pending_.find(question);
    if (found == pending_.end() || found->second.attempt != attempt) return;
    if (reply.message.empty()) return settle(found, no_answer(reply.status, reply.reason));
    auto& pending = found->second;
    auto decoded = decode_answer({asked, question.type, question.domain}, reply.message);
    auto& answer = decoded.answer;
    if (pending.aliases > 0) answer.ttl = std::min(answer.ttl, pending.ttl);
    pending.aliases += decoded.aliases;
    if (pending.aliases > kMaxAliases) return settle(found, no_answer(AnswerStatus::failed, "chain of more than 8 aliases"));
    if (!decoded.alias) return settle(found, answer);
    pending.ttl = answer.ttl;
    send(question, pending, *decoded.alias);
}

void Resolver::settle(Pendings::iterator pending, const Answer& answer) {
    const auto now = settings_.clock();
    cache_.store(pending->first, answer, now);
    auto stale = answer.authoritative() ? std::nullopt : cache_.find_stale(pending->first, now);
    answer_all(pending->second, stale ? *stale : answer);
    pending_.erase(pending);
}

void Resolver::wait_for_servers(const Question& question, Pending& pending, std::chrono::milliseconds limit, bool last) {
    pending.timer.expires_after(limit);
    pending.timer.async_wait([this, question, last, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
        if (!error && !alive.expired()) overdue(question, last);
    });
}

/// The servers take long. The question stays with them: their answer is for the next caller.
void Resolver::overdue(const Question& question, bool last) {
    const auto pending = pending_.find(question);
    if (pending == pending_.end()) return;
    const auto now = settings_.clock();
    const auto stale = cache_.find_stale(question, now);
    if (!stale && !last)
        return wait_for_servers(question, pending->second, settings_.question_limit - settings_.stale_after, true);
    pending->second.overdue = true;
    answer_all(pending->second, stale ? *stale : no_answer(AnswerStatus::timed_out));
}

// Files

/// Local reads of small files, at most every few seconds.
void Resolver::look_at_files() {
    const auto now = settings_.clock();
    if (now < looked_at_files_ + settings_.recheck_files) return;
    looked_at_files_ = now;
    if (const auto stamp = FileStamp::of(settings_.hosts); stamp != hosts_stamp_) {
        hosts_stamp_ = stamp;
        hosts_ = read_hosts(settings_.hosts);
    }
    if (!settings_.ares.servers.empty()) return;
    if (const auto stamp = FileStamp::of(settings_.ares.resolv_conf); stamp != servers_stamp_) {
        servers_stamp_ = stamp;
        change_servers();
    }
}

/// What the old servers have not answered is asked of the new ones: after a change of networks the old ones are out of reach.
void Resolver::change_servers() {
    auto opened = AresChannel::open(loop_, settings_.ares);
    if (!opened) return;
    channel_ = std::move(opened).value();
    cache_.expire_all(settings_.clock());
    for (auto& [question, pending] : pending_) {
        pending.aliases = 0;
        send(question, pending, question.name);
    }
}

}  // namespace stox::net
