#include "mapping/xmpp/stanza_error.h"

#include <array>

namespace stox::xmpp {

namespace {

template <class Value>
struct Name {
    Value value;
    std::string_view text;
};

// RFC 6120 §8.3.3, in the order of the enumeration.
constexpr std::array kConditions{
    Name<Condition>{Condition::bad_request, "bad-request"},
    Name<Condition>{Condition::conflict, "conflict"},
    Name<Condition>{Condition::feature_not_implemented, "feature-not-implemented"},
    Name<Condition>{Condition::forbidden, "forbidden"},
    Name<Condition>{Condition::gone, "gone"},
    Name<Condition>{Condition::internal_server_error, "internal-server-error"},
    Name<Condition>{Condition::item_not_found, "item-not-found"},
    Name<Condition>{Condition::jid_malformed, "jid-malformed"},
    Name<Condition>{Condition::not_acceptable, "not-acceptable"},
    Name<Condition>{Condition::not_allowed, "not-allowed"},
    Name<Condition>{Condition::not_authorized, "not-authorized"},
    Name<Condition>{Condition::policy_violation, "policy-violation"},
    Name<Condition>{Condition::recipient_unavailable, "recipient-unavailable"},
    Name<Condition>{Condition::redirect, "redirect"},
    Name<Condition>{Condition::registration_required, "registration-required"},
    Name<Condition>{Condition::remote_server_not_found, "remote-server-not-found"},
    Name<Condition>{Condition::remote_server_timeout, "remote-server-timeout"},
    Name<Condition>{Condition::resource_constraint, "resource-constraint"},
    Name<Condition>{Condition::service_unavailable, "service-unavailable"},
    Name<Condition>{Condition::subscription_required, "subscription-required"},
    Name<Condition>{Condition::undefined_condition, "undefined-condition"},
    Name<Condition>{Condition::unexpected_request, "unexpected-request"},
};

// RFC 6120 §8.3.2.
constexpr std::array kTypes{
    Name<ErrorType>{ErrorType::auth, "auth"},          Name<ErrorType>{ErrorType::cancel, "cancel"},
    Name<ErrorType>{ErrorType::continue_, "continue"}, Name<ErrorType>{ErrorType::modify, "modify"},
    Name<ErrorType>{ErrorType::wait, "wait"},
};

template <class Value, std::size_t Size>
constexpr std::string_view text_of(const std::array<Name<Value>, Size>& names, Value value) {
    for (const auto& name : names)
        if (name.value == value) return name.text;
    return {};
}

template <class Value, std::size_t Size>
constexpr Value value_of(const std::array<Name<Value>, Size>& names, std::string_view text, Value otherwise) {
    for (const auto& name : names)
        if (name.text == text) return name.value;
    return otherwise;
}

}  // namespace

std::string_view to_string(Condition condition) { return text_of(kConditions, condition); }
Condition parse_condition(std::string_view name) { return value_of(kConditions, name, Condition::undefined_condition); }
std::string_view to_string(ErrorType type) { return text_of(kTypes, type); }
ErrorType parse_error_type(std::string_view name) { return value_of(kTypes, name, ErrorType::cancel); }

}  // namespace stox::xmpp
