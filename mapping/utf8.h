#pragma once
// UTF-8, character by character.   (RFC 3629)

#include <unicode/utf8.h>

#include <cstddef>
#include <string_view>

namespace stox {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"  // inside ICU's macro
/// The character at `at`, which moves behind it; negative where no UTF-8 stands, a surrogate among that.
inline UChar32 next_code_point(std::string_view text, std::size_t& at) {
    UChar32 code_point = 0;
    U8_NEXT(text.data(), at, text.size(), code_point);
    return code_point;
}
#pragma GCC diagnostic pop

}  // namespace stox
