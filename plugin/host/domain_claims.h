#pragma once
// Domains that a module has set and that cannot be its server's yet: another server has them, or what they were before still leaves.

#include "plugin/host/control_lines.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stox::host {

class DomainClaims {
public:
    /// Nodes of a cluster hand a domain over in less: one that lets go of it is heard behind the one that takes it.
    static constexpr std::chrono::seconds kSilent{3};

    struct Claim {
        DomainSet command;
        std::string server;
    };

    explicit DomainClaims(boost::asio::io_context& loop) : loop_(loop) {}

    /// The last one counts. `late` is called once, if the claim still waits after kSilent; it goes on waiting.
    void put(const std::string& domain, Claim claim, std::function<void()> late);
    /// Who waits for it; null: nobody.
    const Claim* of(const std::string& domain) const;
    /// Its turn has come. Nothing: nobody waits for that domain.
    std::optional<Claim> take(const std::string& domain);
    /// That server does not want the domain any more.
    void drop(const std::string& domain, std::string_view server);
    /// Nor any of those, for its module left.
    void drop_all_of(std::string_view server, const std::function<bool(const std::string& domain)>& which);
    void clear() { all_.clear(); }

private:
    struct Waiting {
        Claim claim;
        std::shared_ptr<boost::asio::steady_timer> limit;
    };

    boost::asio::io_context& loop_;
    std::map<std::string, Waiting> all_;
};

}  // namespace stox::host
