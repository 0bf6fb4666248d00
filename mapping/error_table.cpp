#include "mapping/error_table.h"

#include "mapping/address.h"
#include "mapping/core/assert.h"
#include "mapping/sip/mandatory_header.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <optional>

namespace stox {

namespace {

using xmpp::Condition;
using xmpp::ErrorType;

// ---- XMPP to SIP: RFC 7247 Table 2 --------------------------------------------------------------------------------------

/// Which errors of a condition a row is for. glare: of INVITE and UPDATE; offline: of a MESSAGE where the server says so of
/// whoever is not there; size: the stanza was too big.
enum class Of { any, invite, glare, offline, size };
enum class Retry { no, after };

/// The first row that fits decides.
struct ConditionRow {
    Condition condition;
    Of of;
    int full;   ///< the stanza was to a full JID; and to a bare one where we may not speak for all devices
    int bare;   ///< to a bare JID
    int moved;  ///< when the error names a usable address; 0: it may not
    Retry retry;
};

// clang-format off
// One row per line. Where 401 and 407 stand in RFC 7247, a challenge we do not have would have to follow: 403.
constexpr std::array kConditions{
    ConditionRow{Condition::bad_request,             Of::any,     400, 400,   0, Retry::no},
    ConditionRow{Condition::conflict,                Of::any,     400, 400,   0, Retry::no},
    ConditionRow{Condition::feature_not_implemented, Of::any,     405, 501,   0, Retry::no},
    ConditionRow{Condition::forbidden,               Of::any,     403, 603,   0, Retry::no},
    ConditionRow{Condition::gone,                    Of::any,     410, 410, 301, Retry::no},
    ConditionRow{Condition::internal_server_error,   Of::any,     500, 500,   0, Retry::no},
    ConditionRow{Condition::item_not_found,          Of::any,     404, 604,   0, Retry::no},
    ConditionRow{Condition::jid_malformed,           Of::any,     400, 400,   0, Retry::no},
    ConditionRow{Condition::not_acceptable,          Of::invite,  488, 488,   0, Retry::no},
    ConditionRow{Condition::not_acceptable,          Of::any,     406, 606,   0, Retry::no},
    ConditionRow{Condition::not_allowed,             Of::any,     403, 403,   0, Retry::no},
    ConditionRow{Condition::not_authorized,          Of::any,     403, 403,   0, Retry::no},
    ConditionRow{Condition::policy_violation,        Of::size,    413, 413,   0, Retry::no},
    ConditionRow{Condition::policy_violation,        Of::any,     403, 403,   0, Retry::no},
    ConditionRow{Condition::recipient_unavailable,   Of::any,     480, 480,   0, Retry::no},
    ConditionRow{Condition::redirect,                Of::any,     480, 480, 302, Retry::no},
    ConditionRow{Condition::registration_required,   Of::any,     403, 403,   0, Retry::no},
    ConditionRow{Condition::remote_server_not_found, Of::any,     404, 404,   0, Retry::no},
    ConditionRow{Condition::remote_server_timeout,   Of::any,     408, 408,   0, Retry::no},
    ConditionRow{Condition::resource_constraint,     Of::any,     500, 500,   0, Retry::after},
    ConditionRow{Condition::service_unavailable,     Of::offline, 480, 480,   0, Retry::no},
    ConditionRow{Condition::service_unavailable,     Of::any,     403, 403,   0, Retry::no},
    ConditionRow{Condition::subscription_required,   Of::any,     400, 400,   0, Retry::no},
    ConditionRow{Condition::undefined_condition,     Of::size,    413, 413,   0, Retry::no},
    ConditionRow{Condition::undefined_condition,     Of::any,     400, 400,   0, Retry::no},
    ConditionRow{Condition::unexpected_request,      Of::glare,   491, 491,   0, Retry::no},
    ConditionRow{Condition::unexpected_request,      Of::any,     400, 400,   0, Retry::no},
};
// clang-format on

bool fits(Of row, const xmpp::StanzaError& error, const ErrorContext& context) {
    switch (row) {
        case Of::any:
            return true;
        case Of::invite:
            return context.method == "INVITE";
        case Of::glare:
            return context.method == "INVITE" || context.method == "UPDATE";
        case Of::offline:
            return context.method == "MESSAGE" && context.unavailable_is_offline;
        case Of::size:
            return error.too_big;
    }
    return false;
}

/// The status that a gateway like this one says it had, as far as it can be passed on: no redirection without its address, no
/// status without the header that belongs to it, no 503, which would take a whole next hop out of service.   (CORE-X21)
std::optional<int> carried_status(const xmpp::StanzaError& error, const ErrorContext& context) {
    if (error.condition != Condition::undefined_condition || !error.sip_status) return std::nullopt;
    const int status = *error.sip_status;
    if (status < 400 || !sip::mandatory_header(status).empty()) return std::nullopt;
    if (status >= 600 && (context.full_jid || !context.allow_6xx)) return 480;
    return status == 503 ? 500 : status;
}

/// "xmpp:user@host" as a SIP URI (RFC 5122 §2.2): authority, query and fragment are not part of the address.
Result<sip::Uri> uri_of_xmpp(std::string_view iri) {
    iri.remove_prefix(std::string_view("xmpp:").size());
    iri = iri.substr(0, iri.find_first_of("?#"));
    if (iri.starts_with("//")) {
        const auto path = iri.find('/', 2);
        if (path == std::string_view::npos) return fail(Code::malformed, "no path");
        iri.remove_prefix(path + 1);
    }
    BOOST_OUTCOME_TRY(text, sip::percent_decode(iri));
    BOOST_OUTCOME_TRY(jid, xmpp::Jid::parse(text));
    return to_uri_native(jid);
}

/// What <gone/> or <redirect/> names, as a Contact; empty when SIP cannot use it.
std::string contact_of(const xmpp::StanzaError& error) {
    if (!error.address) return {};
    const auto uri = error.address->starts_with("xmpp:") ? uri_of_xmpp(*error.address) : sip::Uri::parse(*error.address);
    if (!uri || uri.value().scheme != sip::Scheme::sip || uri.value().has_headers) return {};
    return uri.value().to_string();
}

// ---- SIP to XMPP: RFC 7247 Table 3 --------------------------------------------------------------------------------------

/// Whether the error names the first usable Contact. must: without one it is told as its class is.
enum class NewAddress { no, may, must };

struct StatusRow {
    int status;
    Condition condition;
    ErrorType type;
    NewAddress address;
};

// clang-format off
// One row per line: x00 of each class, and every status that is told otherwise than its class.
constexpr std::array kStatuses{
    StatusRow{300, Condition::redirect,                ErrorType::modify, NewAddress::may},
    StatusRow{301, Condition::gone,                    ErrorType::cancel, NewAddress::must},
    StatusRow{380, Condition::not_acceptable,          ErrorType::modify, NewAddress::no},
    StatusRow{400, Condition::bad_request,             ErrorType::modify, NewAddress::no},
    StatusRow{401, Condition::not_authorized,          ErrorType::auth,   NewAddress::no},
    StatusRow{403, Condition::forbidden,               ErrorType::auth,   NewAddress::no},
    StatusRow{404, Condition::item_not_found,          ErrorType::cancel, NewAddress::no},
    StatusRow{405, Condition::feature_not_implemented, ErrorType::cancel, NewAddress::no},
    StatusRow{406, Condition::not_acceptable,          ErrorType::modify, NewAddress::no},
    StatusRow{407, Condition::registration_required,   ErrorType::auth,   NewAddress::no},
    StatusRow{408, Condition::remote_server_timeout,   ErrorType::wait,   NewAddress::no},
    StatusRow{410, Condition::gone,                    ErrorType::cancel, NewAddress::no},
    StatusRow{413, Condition::policy_violation,        ErrorType::modify, NewAddress::no},
    StatusRow{414, Condition::policy_violation,        ErrorType::modify, NewAddress::no},
    StatusRow{415, Condition::not_acceptable,          ErrorType::modify, NewAddress::no},
    StatusRow{416, Condition::not_acceptable,          ErrorType::modify, NewAddress::no},
    StatusRow{420, Condition::feature_not_implemented, ErrorType::cancel, NewAddress::no},
    StatusRow{421, Condition::not_acceptable,          ErrorType::modify, NewAddress::no},
    StatusRow{423, Condition::resource_constraint,     ErrorType::wait,   NewAddress::no},
    StatusRow{428, Condition::forbidden,               ErrorType::auth,   NewAddress::no},  // 428, 436-438: who asks is not believed
    StatusRow{430, Condition::recipient_unavailable,   ErrorType::wait,   NewAddress::no},
    StatusRow{433, Condition::forbidden,               ErrorType::auth,   NewAddress::no},
    StatusRow{436, Condition::forbidden,               ErrorType::auth,   NewAddress::no},
    StatusRow{437, Condition::forbidden,               ErrorType::auth,   NewAddress::no},
    StatusRow{438, Condition::forbidden,               ErrorType::auth,   NewAddress::no},
    StatusRow{439, Condition::feature_not_implemented, ErrorType::cancel, NewAddress::no},
    StatusRow{440, Condition::policy_violation,        ErrorType::wait,   NewAddress::no},
    StatusRow{469, Condition::not_acceptable,          ErrorType::modify, NewAddress::no},
    StatusRow{470, Condition::forbidden,               ErrorType::auth,   NewAddress::no},
    StatusRow{480, Condition::recipient_unavailable,   ErrorType::wait,   NewAddress::no},
    StatusRow{481, Condition::item_not_found,          ErrorType::cancel, NewAddress::no},
    StatusRow{482, Condition::not_acceptable,          ErrorType::modify, NewAddress::no},
    StatusRow{483, Condition::not_acceptable,          ErrorType::modify, NewAddress::no},
    StatusRow{484, Condition::item_not_found,          ErrorType::cancel, NewAddress::no},
    StatusRow{485, Condition::item_not_found,          ErrorType::cancel, NewAddress::no},
    StatusRow{486, Condition::recipient_unavailable,   ErrorType::wait,   NewAddress::no},
    StatusRow{487, Condition::recipient_unavailable,   ErrorType::wait,   NewAddress::no},
    StatusRow{488, Condition::not_acceptable,          ErrorType::modify, NewAddress::no},
    StatusRow{489, Condition::policy_violation,        ErrorType::modify, NewAddress::no},
    StatusRow{491, Condition::unexpected_request,      ErrorType::wait,   NewAddress::no},
    StatusRow{500, Condition::internal_server_error,   ErrorType::cancel, NewAddress::no},
    StatusRow{501, Condition::feature_not_implemented, ErrorType::cancel, NewAddress::no},
    StatusRow{502, Condition::remote_server_not_found, ErrorType::cancel, NewAddress::no},
    StatusRow{503, Condition::internal_server_error,   ErrorType::cancel, NewAddress::no},
    StatusRow{504, Condition::remote_server_timeout,   ErrorType::wait,   NewAddress::no},
    StatusRow{505, Condition::not_acceptable,          ErrorType::modify, NewAddress::no},
    StatusRow{513, Condition::policy_violation,        ErrorType::modify, NewAddress::no},
    StatusRow{600, Condition::recipient_unavailable,   ErrorType::wait,   NewAddress::no},
    StatusRow{604, Condition::item_not_found,          ErrorType::cancel, NewAddress::no},
    StatusRow{606, Condition::not_acceptable,          ErrorType::modify, NewAddress::no},
    StatusRow{607, Condition::forbidden,               ErrorType::auth,   NewAddress::no},
    StatusRow{608, Condition::forbidden,               ErrorType::auth,   NewAddress::no},
};
// clang-format on

static_assert(std::ranges::is_sorted(kStatuses, {}, &StatusRow::status));
static_assert(std::ranges::adjacent_find(kStatuses, {}, &StatusRow::status) == kStatuses.end());

/// An unlisted status is read as x00 of its class.   (RFC 3261 §8.1.3.2)
const StatusRow& row_of(int status) {
    const auto find = [](int wanted) { return std::ranges::lower_bound(kStatuses, wanted, {}, &StatusRow::status); };
    const auto row = find(status);
    if (row != kStatuses.end() && row->status == status) return *row;
    return *find(std::min(status / 100, 6) * 100);
}

/// No control character, nothing that XML 1.0 cannot hold (§2.2), whole characters only.
std::string clean_text(std::string_view reason) {
    static constexpr std::size_t kMaxText_octets = 256;  // CORE-51
    std::string text;
    const auto size = static_cast<std::int32_t>(std::min(reason.size(), 4 * kMaxText_octets));
    for (std::int32_t at = 0; at < size;) {
        UChar32 point;
        U8_NEXT_OR_FFFD(reinterpret_cast<const std::uint8_t*>(reason.data()), at, size, point);
        if (u_charType(point) == U_CONTROL_CHAR) continue;
        if (point == 0xFFFE || point == 0xFFFF) point = 0xFFFD;
        char encoded[U8_MAX_LENGTH];
        std::size_t length = 0;
        U8_APPEND_UNSAFE(encoded, length, point);
        if (text.size() + length > kMaxText_octets) break;
        text.append(encoded, length);
    }
    return text;
}

}  // namespace

SipFailure to_sip_failure(const xmpp::StanzaError& error, const ErrorContext& context) {
    if (const auto status = carried_status(error, context)) return {*status, {}, false};
    const auto row = std::ranges::find_if(
        kConditions, [&](const ConditionRow& r) { return r.condition == error.condition && fits(r.of, error, context); });
    STOX_ASSERT(row != kConditions.end());
    if (row->moved)
        if (auto contact = contact_of(error); !contact.empty()) return {row->moved, std::move(contact), false};
    // A 6xx ends the search at every other branch of a fork too (RFC 3261 §16.7), so it needs more than one server's word.
    const bool full = context.full_jid || (row->bare >= 600 && !context.allow_6xx);
    return {full ? row->full : row->bare, {}, row->retry == Retry::after};
}

xmpp::StanzaError to_stanza_error(int status, std::string_view reason, std::string_view contact, bool retry_after) {
    STOX_ASSERT(status >= 300);
    const auto& own = row_of(status);
    const auto& row = own.address == NewAddress::must && contact.empty() ? row_of(status / 100 * 100) : own;
    xmpp::StanzaError error;
    error.condition = row.condition;
    // Who says when to come back does not say that it is over.
    error.type = (row.status == 500 || row.status == 503) && retry_after ? ErrorType::wait : row.type;
    if (row.address != NewAddress::no && !contact.empty()) error.address = contact;
    if (auto text = clean_text(reason); !text.empty()) error.text = std::move(text);
    error.sip_status = status;
    return error;
}

}  // namespace stox
