#include "mapping/precis.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace stox::precis {

namespace {

using Points = std::vector<UChar32>;

/// RFC 8264 §8: what a code point is by itself.
enum class Property { pvalid, freeform_only, context, disallowed };

struct Exception {
    UChar32 first, last;
    Property property;
};

// RFC 8264 §9.6, which is RFC 5892 §2.6.
constexpr std::array kExceptions{
    Exception{0x00B7, 0x00B7, Property::context},     // middle dot
    Exception{0x00DF, 0x00DF, Property::pvalid},      // sharp s
    Exception{0x0375, 0x0375, Property::context},     // Greek keraia
    Exception{0x03C2, 0x03C2, Property::pvalid},      // final sigma
    Exception{0x05F3, 0x05F4, Property::context},     // geresh, gershayim
    Exception{0x0640, 0x0640, Property::disallowed},  // Arabic tatweel
    Exception{0x0660, 0x0669, Property::context},     // Arabic-Indic digits
    Exception{0x06F0, 0x06F9, Property::context},     // extended Arabic-Indic digits
    Exception{0x06FD, 0x06FE, Property::pvalid},      // Sindhi signs
    Exception{0x07FA, 0x07FA, Property::disallowed},  // NKo lajanyalan
    Exception{0x0F0B, 0x0F0B, Property::pvalid},      // Tibetan tsheg
    Exception{0x3007, 0x3007, Property::pvalid},      // ideographic zero
    Exception{0x302E, 0x302F, Property::disallowed},  // Hangul tone marks
    Exception{0x3031, 0x3035, Property::disallowed},  // kana repeat marks
    Exception{0x303B, 0x303B, Property::disallowed},  // vertical ideographic iteration mark
    Exception{0x30FB, 0x30FB, Property::context},     // Katakana middle dot
};

Points points_of(const icu::UnicodeString& text) {
    Points points;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) points.push_back(text.char32At(i));
    return points;
}

bool is_old_hangul_jamo(UChar32 point) {
    const auto type = u_getIntPropertyValue(point, UCHAR_HANGUL_SYLLABLE_TYPE);
    return type == U_HST_LEADING_JAMO || type == U_HST_VOWEL_JAMO || type == U_HST_TRAILING_JAMO;
}

bool has_compatibility_form(UChar32 point) {
    UErrorCode status = U_ZERO_ERROR;
    const auto* nfkc = icu::Normalizer2::getNFKCInstance(status);
    const icu::UnicodeString text(point);
    return nfkc->normalize(text, status) != text || U_FAILURE(status);
}

Property property_of_category(UChar32 point) {
    const auto category = U_GET_GC_MASK(point);
    constexpr auto kLetterDigits =
        U_GC_LL_MASK | U_GC_LU_MASK | U_GC_LO_MASK | U_GC_ND_MASK | U_GC_LM_MASK | U_GC_MN_MASK | U_GC_MC_MASK;
    constexpr auto kOtherLetterDigits = U_GC_LT_MASK | U_GC_NL_MASK | U_GC_NO_MASK | U_GC_ME_MASK;
    if (category & kLetterDigits) return Property::pvalid;
    if (category & (kOtherLetterDigits | U_GC_ZS_MASK | U_GC_S_MASK | U_GC_P_MASK)) return Property::freeform_only;
    return Property::disallowed;
}

/// The algorithm of RFC 8264 §8, in its order.
Property property_of(UChar32 point) {
    for (const auto& exception : kExceptions)
        if (point >= exception.first && point <= exception.last) return exception.property;
    if (!u_isdefined(point)) return Property::disallowed;  // unassigned and noncharacters
    if (point >= 0x21 && point <= 0x7E) return Property::pvalid;
    if (u_hasBinaryProperty(point, UCHAR_JOIN_CONTROL)) return Property::context;
    if (is_old_hangul_jamo(point)) return Property::disallowed;
    if (u_hasBinaryProperty(point, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) return Property::disallowed;
    if (u_charType(point) == U_CONTROL_CHAR) return Property::disallowed;
    if (has_compatibility_form(point)) return Property::freeform_only;
    return property_of_category(point);
}

bool is_script(UChar32 point, UScriptCode script) { return u_getIntPropertyValue(point, UCHAR_SCRIPT) == script; }
bool is_between(UChar32 point, UChar32 first, UChar32 last) { return point >= first && point <= last; }

/// RFC 5892 A.1, second half: a cursive letter joins over the ZWNJ, whatever transparent marks stand between.
bool joins_over(const Points& points, std::size_t at) {
    const auto joining = [&points](std::size_t i) { return u_getIntPropertyValue(points[i], UCHAR_JOINING_TYPE); };
    std::size_t before = at, after = at + 1;
    while (before > 0 && joining(before - 1) == U_JT_TRANSPARENT) --before;
    while (after < points.size() && joining(after) == U_JT_TRANSPARENT) ++after;
    if (before == 0 || after == points.size()) return false;
    const auto left = joining(before - 1), right = joining(after);
    return (left == U_JT_LEFT_JOINING || left == U_JT_DUAL_JOINING) &&
           (right == U_JT_RIGHT_JOINING || right == U_JT_DUAL_JOINING);
}

/// RFC 5892 appendix A: may this code point stand here?
bool fits_context(const Points& points, std::size_t at) {
    const auto point = points[at];
    const bool has_before = at > 0, has_after = at + 1 < points.size();
    const bool after_virama = has_before && u_getCombiningClass(points[at - 1]) == 9;
    const auto any = [&points](auto test) { return std::ranges::any_of(points, test); };
    if (point == 0x200C) return after_virama || joins_over(points, at);
    if (point == 0x200D) return after_virama;
    if (point == 0x00B7) return has_before && has_after && points[at - 1] == 'l' && points[at + 1] == 'l';
    if (point == 0x0375) return has_after && is_script(points[at + 1], USCRIPT_GREEK);
    if (point == 0x05F3 || point == 0x05F4) return has_before && is_script(points[at - 1], USCRIPT_HEBREW);
    if (point == 0x30FB)
        return any([](UChar32 p) {
            return is_script(p, USCRIPT_HIRAGANA) || is_script(p, USCRIPT_KATAKANA) || is_script(p, USCRIPT_HAN);
        });
    if (is_between(point, 0x0660, 0x0669)) return !any([](UChar32 p) { return is_between(p, 0x06F0, 0x06F9); });
    if (is_between(point, 0x06F0, 0x06F9)) return !any([](UChar32 p) { return is_between(p, 0x0660, 0x0669); });
    return false;
}

std::uint32_t direction_mask(UChar32 point) { return 1U << u_charDirection(point); }

template <class... Direction>
constexpr std::uint32_t mask(Direction... direction) {
    return ((1U << direction) | ...);
}

constexpr auto kRightToLeft = mask(U_RIGHT_TO_LEFT, U_RIGHT_TO_LEFT_ARABIC);
constexpr auto kNeutral = mask(U_EUROPEAN_NUMBER, U_EUROPEAN_NUMBER_SEPARATOR, U_COMMON_NUMBER_SEPARATOR,
                               U_EUROPEAN_NUMBER_TERMINATOR, U_OTHER_NEUTRAL, U_BOUNDARY_NEUTRAL, U_DIR_NON_SPACING_MARK);

}  // namespace

bool allows(StringClass string_class, const icu::UnicodeString& text) {
    const auto points = points_of(text);
    for (std::size_t i = 0; i < points.size(); ++i) {
        const auto property = property_of(points[i]);
        if (property == Property::disallowed) return false;
        if (property == Property::freeform_only && string_class == StringClass::identifier) return false;
        if (property == Property::context && !fits_context(points, i)) return false;
    }
    return true;
}

icu::UnicodeString map_width(const icu::UnicodeString& text) {
    UErrorCode status = U_ZERO_ERROR;
    const auto* nfkc = icu::Normalizer2::getNFKCInstance(status);
    icu::UnicodeString mapped, decomposition;
    for (const auto point : points_of(text)) {
        const auto type = u_getIntPropertyValue(point, UCHAR_DECOMPOSITION_TYPE);
        if ((type == U_DT_WIDE || type == U_DT_NARROW) && nfkc->getRawDecomposition(point, decomposition))
            mapped.append(decomposition);
        else
            mapped.append(point);
    }
    return mapped;
}

bool obeys_bidi_rule(const icu::UnicodeString& text) {
    auto points = points_of(text);
    const auto is = [](std::uint32_t directions) {
        return [directions](UChar32 p) { return (direction_mask(p) & directions) != 0; };
    };
    if (std::ranges::none_of(points, is(kRightToLeft | mask(U_ARABIC_NUMBER)))) return true;
    // Condition 1. A left-to-right text cannot be: conditions 5 and 6 allow none of what was just found.
    if (!is(kRightToLeft)(points.front())) return false;
    // Condition 2.
    if (!std::ranges::all_of(points, is(kRightToLeft | kNeutral | mask(U_ARABIC_NUMBER)))) return false;
    // Condition 4.
    if (std::ranges::any_of(points, is(mask(U_EUROPEAN_NUMBER))) && std::ranges::any_of(points, is(mask(U_ARABIC_NUMBER))))
        return false;
    // Condition 3.
    while (is(mask(U_DIR_NON_SPACING_MARK))(points.back())) points.pop_back();
    return is(kRightToLeft | mask(U_EUROPEAN_NUMBER, U_ARABIC_NUMBER))(points.back());
}

}  // namespace stox::precis
