#pragma once
// A Resolver, its servers and the test on one loop; the cache's clock is the test's.

#include "net/resolver.h"
#include "tests/net/dns_server.h"

#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace stox::net::test {

class ResolverRig {
public:
    ResolverRig();
    ~ResolverRig();

    /// For tests of silence: short tries, yet long enough for a busy machine to answer within them. Before the first use.
    void be_impatient() { settings.ares.first_timeout = std::chrono::milliseconds(200); }
    /// Made at its first use, with `settings`.
    Resolver& resolver();
    /// The answer, awaited for 20 s; throws when none comes.
    Answer ask(std::string_view name, RecordType type = RecordType::a);
    /// Runs the loop until then, 20 s at most; throws after that.
    void run_until(const std::function<bool()>& done);
    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    void write(const std::string& name, const std::string& text) const;

    boost::asio::io_context loop;
    DnsServer server{loop};
    TimePoint now = TimePoint{} + std::chrono::hours(1'000);
    ResolverSettings settings;
    std::unique_ptr<Resolver> made;

private:
    std::filesystem::path folder_;
};

/// "192.0.2.1 192.0.2.2", or the status in words.
std::string text(const Answer& answer);

}  // namespace stox::net::test
