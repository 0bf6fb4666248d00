#pragma once
// Stanza errors (RFC 6120 §8.3) as values.

#include <optional>
#include <string>
#include <string_view>

namespace stox::xmpp {

enum class ErrorType { auth, cancel, continue_, modify, wait };

enum class Condition {
    bad_request, conflict, feature_not_implemented, forbidden, gone, internal_server_error, item_not_found, jid_malformed,
    not_acceptable, not_allowed, not_authorized, policy_violation, recipient_unavailable, redirect, registration_required,
    remote_server_not_found, remote_server_timeout, resource_constraint, service_unavailable, subscription_required,
    undefined_condition, unexpected_request,
};

struct StanzaError {
    ErrorType type = ErrorType::cancel;
    Condition condition = Condition::undefined_condition;
    std::optional<std::string> text;       ///< for a human; at most 256 octets when we make it (CORE-51)
    std::optional<std::string> text_lang;  ///< xml:lang of the text
    std::optional<std::string> address;    ///< the new address in <gone/> or <redirect/>
    std::optional<int> sip_status;         ///< the SIP status it was made from (CORE-51)
    bool too_big = false;                  ///< it says that the size of the stanza is the reason (XEP-0205 §4)

    friend bool operator==(const StanzaError&, const StanzaError&) = default;
};

/// "item-not-found"; as the element is named.
std::string_view to_string(Condition condition);
/// Anything unknown is undefined_condition.
Condition parse_condition(std::string_view name);
std::string_view to_string(ErrorType type);
/// Anything unknown is cancel.
ErrorType parse_error_type(std::string_view name);

}  // namespace stox::xmpp
