#include "net/dns_name.h"

namespace stox::net {

namespace {

constexpr std::size_t kMaxLabel = 63;  // RFC 1035 §2.3.4
constexpr std::size_t kMaxName = 253;  // as text; 255 octets on the wire with the first length and the root

bool allowed(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

}  // namespace

Result<DnsName> DnsName::parse(std::string_view text) {
    if (text == ".") return DnsName();
    if (text.ends_with('.')) text.remove_suffix(1);
    if (text.empty()) return fail(Code::malformed, "empty domain name");
    if (text.size() > kMaxName) return fail(Code::malformed, "domain name over 253 octets");
    DnsName name;
    name.text_.clear();
    std::size_t label = 0;
    for (char c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c != '.' && !allowed(c)) return fail(Code::malformed, "character in a domain name that SIP does not use");
        if (c == '.' ? label == 0 : label == kMaxLabel)
            return fail(Code::malformed, "label of a domain name empty or over 63 octets");
        label = c == '.' ? 0 : label + 1;
        name.text_ += c;
    }
    if (label == 0) return fail(Code::malformed, "label of a domain name empty or over 63 octets");
    return name;
}

}  // namespace stox::net
