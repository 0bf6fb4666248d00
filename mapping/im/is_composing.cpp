#include "mapping/im/is_composing.h"

#include "mapping/im/lines.h"
#include "mapping/sip/header_values.h"
#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"

#include <algorithm>

namespace stox::im {

namespace {

constexpr std::string_view kNs = "urn:ietf:params:xml:ns:im-iscomposing";
constexpr xml::Limits kLimits{.stanza_octets = 8'192, .depth = 16, .attributes = 32, .children = 32};
constexpr std::uint32_t kMinRefresh_s = 60, kMaxRefresh_s = 3'600;

}  // namespace

Result<IsComposing> read_is_composing(std::string_view document) {
    BOOST_OUTCOME_TRY(root, xml::read_document(document, kLimits));
    const auto* state = root.is(kNs, "isComposing") ? root.child(kNs, "state") : nullptr;
    if (!state) return fail(Code::malformed, "no isComposing");
    IsComposing status;
    status.active = trim(state->text()) == "active";
    if (const auto* refresh = root.child(kNs, "refresh"))
        if (const auto seconds = sip::read_number(refresh->text()))
            status.refresh_s = std::clamp(*seconds, kMinRefresh_s, kMaxRefresh_s);
    return status;
}

std::string write_is_composing(const IsComposing& status) {
    xml::Element root(std::string(kNs), "isComposing");
    const auto add = [&root](const char* name, const std::string& text) { root.add({std::string(kNs), name}).add_text(text); };
    add("state", status.active ? "active" : "idle");
    add("contenttype", "text/plain");
    if (status.active) add("refresh", std::to_string(status.refresh_s));
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n" + xml::write(root);
}

}  // namespace stox::im
