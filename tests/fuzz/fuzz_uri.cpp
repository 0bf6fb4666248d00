// Any octets as a URI: what parses prints to something that parses to the same value.

#include "mapping/core/assert.h"
#include "mapping/sip/uri.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stox;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (auto uri = sip::Uri::parse(text)) {
        uri.value().has_headers = false;  // they are not printed
        const auto printed = uri.value().to_string();
        const auto again = sip::Uri::parse(printed);
        STOX_ASSERT(again && again.value() == uri.value());
        STOX_ASSERT(printed.find_first_of("\r\n<>\" ") == std::string::npos);
    }
    const auto user = sip::percent_decode(sip::percent_encode_user(text));
    STOX_ASSERT(user && user.value() == text);
    const auto parameter = sip::percent_decode(sip::percent_encode_parameter(text));
    STOX_ASSERT(parameter && parameter.value() == text);
    return 0;
}
