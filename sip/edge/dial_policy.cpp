#include "sip/edge/dial_policy.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace stox::sip {

namespace {

struct Range {
    Prefix prefix;
    const char* what;
};

/// The IANA registries of special-purpose addresses (RFC 6890), as far as nothing there is a peer on the open network.
const std::vector<Range>& closed_ranges() {
    static const std::vector<Range> ranges = [] {
        constexpr std::pair<const char*, const char*> kWritten[] = {
            {"0.0.0.0/8", "unspecified"},  {"10.0.0.0/8", "private"},        {"100.64.0.0/10", "shared"},
            {"127.0.0.0/8", "loopback"},   {"169.254.0.0/16", "link-local"},  // the metadata services of clouds answer in here
            {"172.16.0.0/12", "private"},  {"192.0.0.0/24", "reserved"},     {"192.168.0.0/16", "private"},
            {"198.18.0.0/15", "reserved"}, {"224.0.0.0/4", "multicast"},     {"240.0.0.0/4", "reserved"},  // with broadcast
            {"::/128", "unspecified"},     {"::1/128", "loopback"},          {"64:ff9b:1::/48", "private"},
            {"100::/64", "reserved"},      {"fc00::/7", "private"},          {"fe80::/10", "link-local"},
            {"fec0::/10", "private"},      {"ff00::/8", "multicast"},
        };
        std::vector<Range> made;
        for (const auto& [prefix, what] : kWritten) made.push_back({Prefix::parse(prefix).value(), what});
        return made;
    }();
    return ranges;
}

/// The IPv4 addresses that a translator or tunnel would make of this one: NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380:
/// the server's, and the client's with every bit turned), ISATAP (RFC 5214, in any prefix), the IPv4-translated and the
/// IPv4-compatible form. They must pass too.
std::vector<Address> inside(const Address& address) {
    static const auto nat64 = Prefix::parse("64:ff9b::/96").value(), six_to_four = Prefix::parse("2002::/16").value(),
                      teredo = Prefix::parse("2001::/32").value(), translated = Prefix::parse("::ffff:0:0:0/96").value(),
                      compatible = Prefix::parse("::/96").value();
    if (address.is_v4()) return {};
    const auto& octets = address.octets();
    const auto v4_at = [&](std::size_t at, int turned = 0) {
        std::array<std::uint8_t, 4> v4;
        for (std::size_t i = 0; i < v4.size(); ++i) v4[i] = static_cast<std::uint8_t>(octets[at + i] ^ turned);
        return Address::v4(v4);
    };
    if (nat64.contains(address) || compatible.contains(address) || translated.contains(address)) return {v4_at(12)};
    if (six_to_four.contains(address)) return {v4_at(2)};
    if (teredo.contains(address)) return {v4_at(4), v4_at(12, 0xff)};
    const bool isatap = (octets[8] & ~3) == 0 && octets[9] == 0 && octets[10] == 0x5e && octets[11] == 0xfe;
    return isatap ? std::vector{v4_at(12)} : std::vector<Address>{};
}

const char* closed_because(const Address& address) {
    for (const auto& range : closed_ranges())
        if (range.prefix.contains(address)) return range.what;
    return nullptr;
}

}  // namespace

bool is_where_heard(const NextHop& next_hop) {
    return next_hop.heard && next_hop.heard->transport == next_hop.transport && next_hop.heard->endpoint == next_hop.endpoint;
}

Result<void> may_send(const NextHop& next_hop, std::span<const stox::Endpoint> own) {
    const auto& target = next_hop.endpoint;
    if (target.port == 0) return fail(Code::forbidden, "port 0");
    if (next_hop.configured) return ok();
    const bool heard = is_where_heard(next_hop);
    auto addresses = inside(target.address);
    addresses.push_back(target.address);
    for (const auto& address : addresses) {
        if (const char* what = closed_because(address); what && !heard)
            return fail(Code::forbidden, std::string(what) + " address");
        if (std::ranges::find(own, stox::Endpoint{address, target.port}) != own.end())
            return fail(Code::forbidden, "an address of our own");
    }
    return ok();
}

std::vector<stox::Endpoint> own_endpoints(std::span<const stox::Endpoint> bound, std::span<const Address> interfaces,
                                          const std::optional<Address>& told) {
    std::vector<stox::Endpoint> own;
    for (const auto& [address, port] : bound) {
        own.push_back({address, port});
        if (told && told->is_v4() == address.is_v4()) own.push_back({*told, port});
        if (address != Address() && address != Address::v6({})) continue;
        for (const auto& interface : interfaces)
            if (interface.is_v4() == address.is_v4()) own.push_back({interface, port});
    }
    return own;
}

}  // namespace stox::sip
