#pragma once
// SIP requests and responses as values: what crosses between sip/ (which knows Sofia) and everything else (which does not).

#include "mapping/sip/uri.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stox::sip {

struct NameAddr {
    std::string display_name;  ///< UTF-8, unquoted
    Uri uri;
    std::string tag;                         ///< may be empty
    std::vector<UriParameter> parameters{};  ///< of the header field, not of the URI: ;expires=60 of a Contact. Without the tag

    friend bool operator==(const NameAddr&, const NameAddr&) = default;
};

/// A header that has no field of its own below. Name in its long canonical form ("Content-Language"), value unfolded.
struct Header {
    std::string name;
    std::string value;

    friend bool operator==(const Header&, const Header&) = default;
};

struct Request {
    std::string method;  ///< as on the wire: "MESSAGE", "OPTIONS" ...
    Uri uri;
    NameAddr from, to;
    std::string call_id;
    std::uint32_t cseq = 0;
    unsigned max_forwards = 70;
    std::vector<NameAddr> contacts;       ///< of Contact; `*` is none
    std::vector<NameAddr> routes;         ///< of Route: the way of this request
    std::vector<NameAddr> record_routes;  ///< of Record-Route, as it stands in the message
    std::vector<Header> headers;
    std::string content_type;  ///< with its parameters; empty: no body
    std::string body;          ///< octets

    /// The first value of that header (case-insensitive), or null.
    const std::string* header(std::string_view name) const;
    friend bool operator==(const Request&, const Request&) = default;
};

struct Response {
    int status = 0;
    std::string reason;  ///< empty when we make it: the standard phrase is used
    std::string to_tag;  ///< of To; for a response of ours empty: the transaction's own, made at its first response
    std::vector<NameAddr> contacts;
    std::vector<NameAddr> record_routes;  ///< as they stand in the message; for a response of ours the request's are copied
    std::vector<Header> headers;
    std::string content_type;
    std::string body;

    const std::string* header(std::string_view name) const;
    friend bool operator==(const Response&, const Response&) = default;
};

/// One that is kept: a machine's state is copied at each step, what it holds of messages is not.
using RequestRef = std::shared_ptr<const Request>;
using ResponseRef = std::shared_ptr<const Response>;

/// The phrase of RFC 3261 §21 and its extensions; "" for a code nobody has named.
std::string_view reason_phrase(int status);

}  // namespace stox::sip
