// Any octets as a multipart, and as a body of any type. Input: a line that is the type, then the body. Parts are pieces of the
// body, in order; what is read as text can be read again.

#include "mapping/core/assert.h"
#include "mapping/im/body.h"
#include "mapping/im/html.h"
#include "mapping/im/lines.h"
#include "mapping/im/mime.h"
#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"

#include <cstddef>
#include <cstdint>

namespace {

using namespace stox;
using namespace stox::im;

void check_parts(std::string_view type, std::string_view octets) {
    const auto read = read_media_type(type);
    const auto* boundary = read ? read.value().parameter("boundary") : nullptr;
    if (!boundary || !boundary->value) return;
    const auto parts = read_multipart(octets, *boundary->value);
    if (!parts) return;
    STOX_ASSERT(!parts.value().empty() && parts.value().size() <= kMaxParts);
    std::size_t at = 0;
    for (const auto& part : parts.value()) {
        at = octets.find(part.body, at);
        STOX_ASSERT(at != octets.npos);
        at += part.body.size();
        STOX_ASSERT(part.headers.size() <= kMaxMimeHeaders);
    }
}

void check_html(std::string_view octets) {
    const auto text = html_to_text(octets);
    STOX_ASSERT(text.empty() || (text.back() != ' ' && text.back() != '\n'));
    const auto written = xml::write(html_to_xhtml_im(octets));
    STOX_ASSERT(xml::read_document(written, {.stanza_octets = 1u << 24, .depth = 64, .attributes = 128, .children = 1u << 20}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const auto type = take_line(rest);
    check_parts(type, rest);
    check_html(rest);
    sip::Request request;
    request.method = "MESSAGE";
    request.content_type = type;
    request.body = rest;
    request.headers = {{"Content-Encoding", size % 3 == 0 ? "deflate" : "identity"}};
    const auto body = read_body(request);
    const auto* text = body ? std::get_if<Text>(&body.value().content) : nullptr;
    if (text) STOX_ASSERT(!text->plain.empty() && xml::read_document("<a>" + xml::escape(text->plain) + "</a>"));
    return 0;
}
