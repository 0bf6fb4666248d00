#pragma once
// DNS messages written by hand: what a server answers, in octets.

#include "net/dns.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stox::net::test {

/// A resource record, its data already in octets.
struct Resource {
    std::string owner;
    std::uint16_t type = 0;
    std::uint32_t ttl = 60;
    std::string data;
};

Resource address(std::string owner, std::string_view text, std::uint32_t ttl = 60);
Resource alias(std::string owner, std::string_view target, std::uint32_t ttl = 60);
Resource srv(std::string owner, unsigned priority, unsigned weight, unsigned port, std::string_view target,
             std::uint32_t ttl = 60);
Resource naptr(std::string owner, unsigned order, unsigned preference, std::string_view flags, std::string_view service,
               std::string_view replacement, std::string_view regexp = {}, std::uint32_t ttl = 60);

/// A name as labels with their lengths; "" and "." are the root.
std::string wire_name(std::string_view text);
std::string wire16(unsigned value);

struct Reply {
    unsigned code = 0;  ///< NOERROR 0, SERVFAIL 2, NXDOMAIN 3
    std::vector<Resource> answers;
    bool truncated = false;
};
/// The reply to that question.
std::string message(std::uint16_t id, std::string_view name, std::uint16_t type, const Reply& reply);

inline std::span<const std::uint8_t> octets(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// As the resolver would ask it.
Question question(std::string_view name, RecordType type);

}  // namespace stox::net::test
