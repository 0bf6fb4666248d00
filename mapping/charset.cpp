#include "mapping/charset.h"

#include "mapping/ascii_names.h"
#include "mapping/core/handle.h"
#include "mapping/utf8.h"

#include <unicode/ucnv.h>
#include <unicode/unistr.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace stox {

namespace {

using Converter = Handle<UConverter, &ucnv_close>;

constexpr std::size_t kMaxName_octets = 40;  // RFC 2978 §2.3
constexpr UChar32 kReplacement = 0xFFFD;

/// What RFC 2978 §2.3 allows in a name and no library option (ICU reads ",version=1" out of one).
bool is_charset_name(std::string_view name) {
    static constexpr std::string_view kMarks = "-_.:+()";
    return !name.empty() && name.size() <= kMaxName_octets && std::ranges::all_of(name, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kMarks.find(c) != kMarks.npos;
    });
}

Result<Converter> open_converter(std::string_view charset) {
    const std::string name(charset);
    UErrorCode status = U_ZERO_ERROR;
    // Only what IANA has registered, not all that the library knows.
    if (!is_charset_name(charset) || !ucnv_getStandardName(name.c_str(), "IANA", &status) || U_FAILURE(status))
        return fail(Code::unsupported, "unknown charset");
    Converter converter(ucnv_open(name.c_str(), &status));
    if (U_FAILURE(status)) return fail(Code::unsupported, "unknown charset");
    ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
    if (U_FAILURE(status)) return fail(Code::unsupported, "unknown charset");
    return converter;
}

bool is_xml_character(UChar32 c) {
    if (c < 0x20) return c == '\t' || c == '\n' || c == '\r';
    return !(c >= 0xD800 && c <= 0xDFFF) && c != 0xFFFE && c != 0xFFFF;
}

/// UTF-8 as it is given on: what nearly every message is, and no converter is made for it.
bool is_tidy(std::string_view octets) {
    for (std::size_t at = 0; at < octets.size();) {
        const auto c = next_code_point(octets, at);
        if (c < 0 || c == '\r' || !is_xml_character(c)) return false;
    }
    return true;
}

std::string tidy(const icu::UnicodeString& text) {
    icu::UnicodeString tidied;
    for (std::int32_t at = 0; at < text.length(); at = text.moveIndex32(at, 1)) {
        const auto c = text.char32At(at);
        if (c == '\r') {
            tidied.append(static_cast<UChar32>('\n'));
            if (at + 1 < text.length() && text.charAt(at + 1) == '\n') ++at;
        } else {
            tidied.append(is_xml_character(c) ? c : kReplacement);
        }
    }
    std::string utf8;
    tidied.toUTF8String(utf8);
    return utf8;
}

}  // namespace

Result<std::string> to_utf8(std::string_view octets, std::string_view charset) {
    if (octets.size() > std::numeric_limits<std::int32_t>::max() / 4) return fail(Code::too_large, "text");
    if (ascii::lower(charset) == "utf-8" && is_tidy(octets)) return std::string(octets);
    BOOST_OUTCOME_TRY(converter, open_converter(charset));
    UErrorCode status = U_ZERO_ERROR;
    // No charset makes more than two UTF-16 units of an octet.
    const auto room = static_cast<std::int32_t>(2 * octets.size() + 16);
    icu::UnicodeString text;
    auto* units = text.getBuffer(room);
    if (!units) return fail(Code::too_large, "text");
    const auto made =
        ucnv_toUChars(converter.get(), units, room, octets.data(), static_cast<std::int32_t>(octets.size()), &status);
    text.releaseBuffer(U_SUCCESS(status) ? made : 0);
    if (U_FAILURE(status)) return fail(Code::malformed, "not " + std::string(charset));
    return tidy(text);
}

std::string to_utf8(std::string_view octets) {
    for (const auto* charset : {"utf-8", "windows-1252", "iso-8859-1"})
        if (auto text = to_utf8(octets, charset)) return std::move(text).value();
    return {};
}

}  // namespace stox
