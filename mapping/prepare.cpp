#include "mapping/prepare.h"

#include "mapping/address.h"
#include "mapping/ascii_names.h"
#include "mapping/core/handle.h"
#include "mapping/precis.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include <optional>

namespace stox {

namespace {

constexpr std::size_t kMaxPart_octets = 1023;  // RFC 7622 §3.1

using Stringprep = Handle<UStringPrepProfile, &usprep_close>;

std::optional<icu::UnicodeString> from_utf8(std::string_view text) {
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeString result;
    const auto size = static_cast<std::int32_t>(text.size());
    std::int32_t length = 0;
    // UTF-16 never has more units than UTF-8 has octets.
    u_strFromUTF8(result.getBuffer(size + 1), size + 1, &length, text.data(), size, &status);
    result.releaseBuffer(U_SUCCESS(status) ? length : 0);
    if (U_FAILURE(status)) return std::nullopt;
    return result;
}

std::string to_utf8(const icu::UnicodeString& text) {
    std::string result;
    text.toUTF8String(result);
    return result;
}

icu::UnicodeString compose(const icu::UnicodeString& text) {
    UErrorCode status = U_ZERO_ERROR;
    return icu::Normalizer2::getNFCInstance(status)->normalize(text, status);
}

icu::UnicodeString lower(icu::UnicodeString text) { return text.toLower(icu::Locale::getRoot()); }

Stringprep open_stringprep(UStringPrepProfileType type) {
    UErrorCode status = U_ZERO_ERROR;
    return Stringprep(usprep_openByType(type, &status));
}

/// The profile accepts the text and changes nothing. Code points younger than Unicode 3.2 pass unchanged, as they do in the
/// servers: names in scripts that came later are not shut out.
bool is_fixed_point(const UStringPrepProfile* profile, const icu::UnicodeString& text) {
    if (!profile) return false;
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeString prepared;
    const std::int32_t room = text.length() + 1;  // one that does not fit has grown, so it is no fixed point
    const auto length = usprep_prepare(profile, text.getBuffer(), text.length(), prepared.getBuffer(room), room,
                                       USPREP_ALLOW_UNASSIGNED, nullptr, &status);
    prepared.releaseBuffer(U_SUCCESS(status) ? length : 0);
    return U_SUCCESS(status) && prepared == text;
}

/// RFC 8265 §3.3.2 and §3.3.3, in their order.
Result<icu::UnicodeString> enforce_username(const icu::UnicodeString& text) {
    const auto mapped = precis::map_width(text);
    if (!precis::allows(precis::StringClass::identifier, mapped))
        return fail(Code::unmappable, "character that no username holds");
    auto result = compose(lower(mapped));
    if (result.isEmpty()) return fail(Code::unmappable, "empty username");
    if (!precis::obeys_bidi_rule(result)) return fail(Code::unmappable, "mixed writing directions");
    if (!precis::allows(precis::StringClass::identifier, result))
        return fail(Code::unmappable, "character that no username holds");
    return result;
}

/// A text that enforcement still changes when it is applied again has no one form (RFC 8264 §7).
Result<icu::UnicodeString> stable_username(std::string_view text) {
    const auto unicode = from_utf8(text);
    if (!unicode) return fail(Code::unmappable, "no UTF-8");
    BOOST_OUTCOME_TRY(once, enforce_username(*unicode));
    BOOST_OUTCOME_TRY(twice, enforce_username(once));
    if (once != twice) return fail(Code::unmappable, "username without a stable form");
    return std::move(once);
}

icu::UnicodeString map_spaces(const icu::UnicodeString& text) {
    icu::UnicodeString mapped;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
        const auto point = text.char32At(i);
        mapped.append(u_charType(point) == U_SPACE_SEPARATOR ? UChar32{' '} : point);
    }
    return mapped;
}

}  // namespace

Result<std::string> username_case_mapped(std::string_view text) {
    BOOST_OUTCOME_TRY(username, stable_username(text));
    return to_utf8(username);
}

Result<std::string> prepare_localpart(std::string_view text) {
    if (auto plain = ascii::localpart(text)) return *std::move(plain);
    static const auto nodeprep = open_stringprep(USPREP_RFC3920_NODEPREP);
    // Bounds the work; full-width letters shrink to a third at most.
    if (text.size() > 4 * kMaxPart_octets) return fail(Code::too_large, "localpart over 1,023 octets");
    BOOST_OUTCOME_TRY(username, stable_username(text));
    if (!is_fixed_point(nodeprep.get(), username)) return fail(Code::unmappable, "nodeprep and PRECIS differ");
    auto localpart = to_utf8(username);
    if (localpart.size() > kMaxPart_octets) return fail(Code::too_large, "localpart over 1,023 octets");
    return localpart;
}

Result<std::string> prepare_resource(std::string_view text) {
    if (ascii::is_resource(text)) return std::string(text);
    static const auto resourceprep = open_stringprep(USPREP_RFC3920_RESOURCEPREP);
    if (text.size() > kMaxPart_octets) return fail(Code::too_large, "resource over 1,023 octets");
    const auto unicode = from_utf8(text);
    if (!unicode) return fail(Code::unmappable, "no UTF-8");
    const auto opaque = compose(map_spaces(*unicode));
    if (opaque.isEmpty()) return fail(Code::unmappable, "empty resource");
    if (!precis::allows(precis::StringClass::freeform, opaque)) return fail(Code::unmappable, "character that no resource holds");
    if (!is_fixed_point(resourceprep.get(), opaque)) return fail(Code::unmappable, "resourceprep and PRECIS differ");
    auto resource = to_utf8(opaque);
    if (resource.size() > kMaxPart_octets) return fail(Code::too_large, "resource over 1,023 octets");
    return resource;
}

Result<std::string> fold(std::string_view text) {
    if (auto plain = ascii::lower(text)) return *std::move(plain);
    const auto unicode = from_utf8(text);
    if (!unicode) return fail(Code::unmappable, "no UTF-8");
    return to_utf8(compose(lower(precis::map_width(*unicode))));
}

bool is_nameprepped(std::string_view domain) {
    if (const auto plain = ascii::domain(domain)) return *plain == domain;
    static const auto nameprep = open_stringprep(USPREP_RFC3491_NAMEPREP);
    const auto unicode = from_utf8(domain);
    return unicode && is_fixed_point(nameprep.get(), *unicode);
}

}  // namespace stox
