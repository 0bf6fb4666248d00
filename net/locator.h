#pragma once
// A SIP host in, its ordered targets out: the machine of net/location.h driven by a Resolver.

#include "net/location.h"
#include "net/resolver.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace stox::net {

/// From the system's generator.
Random system_random();

/// On the loop's thread only.
class Locator {
public:
    using OnLocated = std::function<void(Result<std::vector<Target>>)>;
    using Id = std::uint64_t;
    static constexpr std::size_t kMaxSearches = 1'000;

    /// resolver  outlives the locator
    Locator(boost::asio::io_context& loop, Resolver& resolver, Capabilities capabilities, Random random = system_random());
    ~Locator();
    Locator(const Locator&) = delete;
    Locator& operator=(const Locator&) = delete;

    /// on_located comes from the loop within Location::kDeadline, never from inside a call, exactly once unless cancelled or the
    /// locator is destroyed first. It may do anything, destroying the locator included. errors as in Location; unavailable:
    /// kMaxSearches run
    Id locate(LocationRequest request, OnLocated on_located);
    /// on_located will not come; nothing happens if it has.
    void cancel(Id id);
    /// For searches that start from now on.
    void set_capabilities(Capabilities capabilities) { capabilities_ = std::move(capabilities); }

    std::size_t searches() const { return searches_.size(); }

private:
    struct Search {
        Search(boost::asio::io_context& loop, Location machine, OnLocated callback)
            : location(std::move(machine)), timer(loop), on_located(std::move(callback)) {}
        Location location;
        boost::asio::steady_timer timer;
        OnLocated on_located;
        std::vector<Resolver::Id> asked;
    };

    void perform(Id id, Search& search, LocationActions actions);
    void finish(Id id, Result<std::vector<Target>> result);
    void set_timer(Id id, Search& search);
    void drop(Id id);

    boost::asio::io_context& loop_;
    Resolver& resolver_;
    Capabilities capabilities_;
    Random random_;
    std::unordered_map<Id, Search> searches_;
    std::unordered_map<Id, OnLocated> finished_;  ///< whose callback is on its way
    Id last_id_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace stox::net
