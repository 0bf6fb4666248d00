#pragma once
// DNS answers from octets to values. The octets are hostile: whoever owns a name that we ask for writes them.

#include "net/dns.h"

#include <cstdint>
#include <optional>
#include <span>

namespace stox::net {

struct Decoded {
    Answer answer;
    /// Where the aliases (CNAME) of this message lead when it holds no record for their end: the name to ask for next.
    std::optional<DnsName> alias;
    unsigned aliases = 0;  ///< CNAMEs followed, at most kMaxAliases
};

/// Reads the answer to one question.   (RFC 1035 §4, RFC 2782, RFC 3403, RFC 3596)
/// question  what was asked; a message that answers something else, or a record whose owner is neither the name nor an alias of
/// it,
///           counts for nothing
/// message   with header, as it came by UDP, or by TCP without its length
/// returns   always: what cannot be read is `failed`, with the reason
Decoded decode_answer(const Question& question, std::span<const std::uint8_t> message);

}  // namespace stox::net
