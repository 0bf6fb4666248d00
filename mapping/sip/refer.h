#pragma once
// REFER: whom to call instead, and the news of how that went.   (RFC 3515, RFC 3420)

#include "mapping/sip/replaces.h"

namespace stox::sip {

struct ReferTo {
    Uri uri;                             ///< without headers and method
    std::string method = "INVITE";       ///< of the URI's method parameter
    std::optional<Replaces> replaces{};  ///< of "?Replaces=": the dialog that the call shall take the place of

    /// The one Refer-To of a request.
    /// errors  malformed: none, several or unreadable (400); unsupported: a scheme we do not know (416);
    ///         forbidden: its URI asks for header fields other than Replaces (403), for whoever follows would send them
    static Result<ReferTo> read(const Request& request);
    /// As a Refer-To value.
    std::string to_string() const;
    friend bool operator==(const ReferTo&, const ReferTo&) = default;
};

constexpr std::string_view kSipfrag = "message/sipfrag;version=2.0";

/// The body of a NOTIFY about a REFER: one status line.   (RFC 3515 §2.4.5)
std::string write_sipfrag(int status);
/// The status in such a body. nullopt: it begins with no status line.
std::optional<int> read_sipfrag(std::string_view body);

}  // namespace stox::sip
