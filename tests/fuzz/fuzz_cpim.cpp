// Any octets as message/cpim. What is read is written and read as the same; and of any text as a value, no line of its own comes.

#include "mapping/core/assert.h"
#include "mapping/im/body.h"
#include "mapping/im/cpim.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace {

using namespace stox;
using namespace stox::im;

void check_round_trip(std::string_view octets) {
    const auto read = read_cpim(octets);
    if (!read) return;
    // A default namespace that was declared is written with a prefix; a name of nothing that can be written is left out.
    const auto again = read_cpim(write_cpim(read.value()));
    if (read.value().headers.empty() || !again) return;
    STOX_ASSERT(again.value().headers.size() == read.value().headers.size());
    for (std::size_t i = 0; i < again.value().headers.size(); ++i) {
        STOX_ASSERT(again.value().headers[i].name == read.value().headers[i].name);
        STOX_ASSERT(again.value().headers[i].value == read.value().headers[i].value);
    }
}

void check_injection(std::string_view text) {
    const std::string value(text);
    Cpim cpim;
    cpim.headers = {{std::string(kCpimNs), "Subject", value, value}, {std::string(kImdnHeaderNs), "Message-ID", value, {}}};
    cpim.content = {{{"Content-Type", "text/plain"}}, value};
    const auto written = write_cpim(cpim);
    const auto head = std::string_view(written).substr(0, written.find("\r\n\r\n") + 2);
    STOX_ASSERT(std::ranges::count(head, '\n') == 3 && std::ranges::count(head, '\r') == 3);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view octets(reinterpret_cast<const char*>(data), size);
    check_round_trip(octets);
    check_injection(octets);
    sip::Request request;
    request.method = "MESSAGE";
    request.content_type = "message/cpim";
    request.body = octets;
    if (const auto body = read_body(request)) STOX_ASSERT(body.value().envelope);
    return 0;
}
