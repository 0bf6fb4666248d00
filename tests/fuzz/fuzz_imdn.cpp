// Any octets as a delivery notification, as isComposing, as a Disposition-Notification and as a time. What is read is written and
// read as the same.

#include "mapping/core/assert.h"
#include "mapping/im/imdn.h"
#include "mapping/im/is_composing.h"
#include "mapping/im/timestamps.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stox::im;
    const std::string_view octets(reinterpret_cast<const char*>(data), size);
    if (const auto imdn = read_imdn(octets)) {
        auto expected = imdn.value();
        if (expected.recipient_uri.empty()) expected.original_recipient_uri = expected.subject = "";
        const auto again = read_imdn(write_imdn(imdn.value()));
        STOX_ASSERT(again && again.value() == expected);
    }
    if (const auto status = read_is_composing(octets)) {
        const auto again = read_is_composing(write_is_composing(status.value()));
        STOX_ASSERT(again && again.value().active == status.value().active);
        STOX_ASSERT(status.value().refresh_s >= 60 && status.value().refresh_s <= 3'600);
    }
    const auto request = read_disposition_request(octets);
    STOX_ASSERT(read_disposition_request(write_disposition_request(request)) == request);
    for (const auto& time : {read_time(octets), read_sip_date(octets)})
        if (time) STOX_ASSERT(read_time(write_time(*time)) == std::chrono::floor<std::chrono::seconds>(*time));
    return 0;
}
