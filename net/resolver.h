#pragma once
// The DNS of one provisioning domain: questions in, answers out, on one Asio loop.

#include "net/ares_channel.h"
#include "net/dns.h"
#include "net/dns_cache.h"
#include "net/hosts_file.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace stox::net {

struct ResolverSettings {
    AresSettings ares;
    std::string hosts = "/etc/hosts";
    ProvisioningDomain domain = ProvisioningDomain::host_default;  ///< whose servers these are; a question for another one fails
    DnsCache::Limits cache;
    std::chrono::milliseconds question_limit{5'000};  ///< then a question counts as timed out
    /// How long the servers may take before a stale answer is given. RFC 8767 §5 advises 1.8 s for one question; a location asks
    /// up to three, one after the other.
    std::chrono::milliseconds stale_after{1'000};
    std::chrono::milliseconds recheck_files{5'000};  ///< how often resolv.conf and hosts are looked at, at most
    std::size_t max_outstanding = 1'000;             ///< different questions at the servers
    std::size_t max_waiting = 10'000;                ///< callers
    /// The cache's clock.
    std::function<TimePoint()> clock = [] { return std::chrono::steady_clock::now(); };
};

/// Answers from the hosts file, the cache or the servers. On the loop's thread only.
class Resolver {
public:
    using OnAnswer = std::function<void(const Answer&)>;
    using Id = std::uint64_t;

    /// errors  unavailable: c-ares cannot be set up
    static Result<std::unique_ptr<Resolver>> open(boost::asio::io_context& loop, ResolverSettings settings);
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    /// on_answer comes from the loop, never from inside a call, exactly once unless cancelled or the resolver is destroyed first.
    /// It may do anything, destroying the resolver included. The same question from several callers is asked once; CNAMEs are
    /// followed.
    Id resolve(const Question& question, OnAnswer on_answer);
    /// on_answer will not come; nothing happens if it has. The servers' answer still goes to the cache.
    void cancel(Id id);

    std::size_t outstanding() const { return pending_.size(); }  ///< questions at the servers
    std::size_t waiting() const { return waiting_.size(); }      ///< callers without their answer

private:
    /// A question at the servers.
    struct Pending {
        explicit Pending(boost::asio::io_context& loop) : timer(loop) {}
        boost::asio::steady_timer timer;
        std::uint64_t attempt = 0;    ///< a reply to an earlier one is nobody's
        unsigned aliases = 0;         ///< followed so far
        std::chrono::seconds ttl{0};  ///< of those aliases
        bool overdue = false;         ///< who asks now is answered at once
        std::vector<Id> callers;
    };
    using Pendings = std::unordered_map<Question, Pending, QuestionHash>;
    /// What shows that a file changed.
    struct FileStamp {
        std::int64_t seconds = 0, nanoseconds = 0;
        std::uint64_t inode = 0, size = 0;
        static FileStamp of(const std::string& path);
        friend bool operator==(const FileStamp&, const FileStamp&) = default;
    };

    Resolver(boost::asio::io_context& loop, ResolverSettings settings, std::unique_ptr<AresChannel> channel);
    void join(Id id, const Question& question, Pending& pending);
    void answer_later(Id id, Answer answer);
    void answer_all(Pending& pending, const Answer& answer);

    void ask(const Question& question);
    void send(const Question& question, Pending& pending, const DnsName& name);
    void on_reply(const Question& question, std::uint64_t attempt, const DnsName& asked, const AresChannel::Reply& reply);
    void settle(Pendings::iterator pending, const Answer& answer);
    void wait_for_servers(const Question& question, Pending& pending, std::chrono::milliseconds limit, bool last);
    void overdue(const Question& question, bool last);

    void look_at_files();
    void change_servers();

    boost::asio::io_context& loop_;
    ResolverSettings settings_;
    std::unique_ptr<AresChannel> channel_;
    DnsCache cache_;
    HostsFile hosts_;
    FileStamp hosts_stamp_, servers_stamp_;
    TimePoint looked_at_files_{};
    Pendings pending_;
    std::unordered_map<Id, OnAnswer> waiting_;
    Id last_id_ = 0;
    std::uint64_t last_attempt_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace stox::net
