#include "mapping/scripts.h"

#include "mapping/core/handle.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>
#include <unicode/utf8.h>

#include <algorithm>

namespace stox {

namespace {

using Checker = Handle<USpoofChecker, &uspoof_close>;

/// Made once and only read after that, which ICU allows from several threads.
const USpoofChecker* checker() {
    static const Checker made = [] {
        UErrorCode error = U_ZERO_ERROR;
        Checker fresh(uspoof_open(&error));
        if (U_FAILURE(error)) return Checker();
        uspoof_setRestrictionLevel(fresh.get(), USPOOF_HIGHLY_RESTRICTIVE);
        uspoof_setChecks(fresh.get(), USPOOF_RESTRICTION_LEVEL, &error);
        return U_FAILURE(error) ? Checker() : std::move(fresh);
    }();
    return made.get();
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Letters, none of them ASCII, whose skeleton is ASCII: a whole name of one script that reads like another in Latin.
bool looks_latin(std::string_view text) {
    bool letters = false;
    const auto size = static_cast<std::int32_t>(text.size());
    for (std::int32_t at = 0; at < size;) {
        UChar32 point = 0;
        U8_NEXT(reinterpret_cast<const std::uint8_t*>(text.data()), at, size, point);
        if (point < 0) return false;
        if (point < 0x80 && u_isalpha(point)) return false;
        letters = letters || u_isalpha(point);
    }
    if (!letters) return false;
    UErrorCode error = U_ZERO_ERROR;
    char skeleton[1024];
    const auto length = uspoof_getSkeletonUTF8(checker(), 0, text.data(), size, skeleton, sizeof skeleton, &error);
    return U_SUCCESS(error) && is_ascii({skeleton, static_cast<std::size_t>(std::min<std::int32_t>(length, sizeof skeleton))});
}

}  // namespace

bool is_confusable(std::string_view localpart) {
    if (is_ascii(localpart) || localpart.size() > 1'023 || !checker()) return false;
    UErrorCode error = U_ZERO_ERROR;
    const auto failed = uspoof_checkUTF8(checker(), localpart.data(), static_cast<std::int32_t>(localpart.size()), nullptr, &error);
    return U_SUCCESS(error) && (failed != 0 || looks_latin(localpart));
}

}  // namespace stox
