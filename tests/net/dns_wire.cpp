#include "tests/net/dns_wire.h"

#include "tests/unit/result_testing.h"

#include <algorithm>

namespace stox::net::test {

namespace {

constexpr std::uint16_t kAliasType = 5;

std::string text_of(std::string_view text) { return static_cast<char>(text.size()) + std::string(text); }

std::string wire32(std::uint32_t value) { return wire16(value >> 16) + wire16(value & 0xffff); }

}  // namespace

std::string wire16(unsigned value) { return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)}; }

std::string wire_name(std::string_view text) {
    std::string wire;
    while (!text.empty() && text != ".") {
        const auto label = text.substr(0, text.find('.'));
        wire += text_of(label);
        text.remove_prefix(std::min(label.size() + 1, text.size()));
    }
    return wire + '\0';
}

Resource address(std::string owner, std::string_view text, std::uint32_t ttl) {
    const auto value = stox::test::value(Address::parse(text));
    const auto type = value.is_v4() ? RecordType::a : RecordType::aaaa;
    return {std::move(owner), static_cast<std::uint16_t>(type), ttl,
            std::string(reinterpret_cast<const char*>(value.octets().data()), value.is_v4() ? 4 : 16)};
}

Resource alias(std::string owner, std::string_view target, std::uint32_t ttl) {
    return {std::move(owner), kAliasType, ttl, wire_name(target)};
}

Resource srv(std::string owner, unsigned priority, unsigned weight, unsigned port, std::string_view target, std::uint32_t ttl) {
    return {std::move(owner), static_cast<std::uint16_t>(RecordType::srv), ttl,
            wire16(priority) + wire16(weight) + wire16(port) + wire_name(target)};
}

Resource naptr(std::string owner, unsigned order, unsigned preference, std::string_view flags, std::string_view service,
               std::string_view replacement, std::string_view regexp, std::uint32_t ttl) {
    return {std::move(owner), static_cast<std::uint16_t>(RecordType::naptr), ttl,
            wire16(order) + wire16(preference) + text_of(flags) + text_of(service) + text_of(regexp) + wire_name(replacement)};
}

std::string message(std::uint16_t id, std::string_view name, std::uint16_t type, const Reply& reply) {
    const unsigned flags = 0x8180U | (reply.truncated ? 0x0200U : 0U) | reply.code;
    std::string wire =
        wire16(id) + wire16(flags) + wire16(1) + wire16(static_cast<unsigned>(reply.answers.size())) + wire16(0) + wire16(0);
    wire += wire_name(name) + wire16(type) + wire16(1);
    for (const auto& resource : reply.answers) {
        // A record of the name asked for points back to it, as servers write it.
        wire += resource.owner == name ? wire16(0xc00c) : wire_name(resource.owner);
        wire += wire16(resource.type) + wire16(1) + wire32(resource.ttl);
        wire += wire16(static_cast<unsigned>(resource.data.size())) + resource.data;
    }
    return wire;
}

Question question(std::string_view name, RecordType type) {
    return {stox::test::value(DnsName::parse(name)), type, ProvisioningDomain::host_default};
}

}  // namespace stox::net::test
