#include "mapping/im/imdn.h"

#include "mapping/im/lines.h"
#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"

#include <algorithm>
#include <array>

namespace stox::im {

namespace {

constexpr std::string_view kNs = "urn:ietf:params:xml:ns:imdn";
constexpr xml::Limits kLimits{.stanza_octets = 16'384, .depth = 16, .attributes = 32, .children = 64};

struct DispositionName {
    Disposition disposition;
    std::string_view element;
};
constexpr std::array kDispositions{
    DispositionName{Disposition::delivery, "delivery-notification"},
    DispositionName{Disposition::display, "display-notification"},
    DispositionName{Disposition::processing, "processing-notification"},
};

// Which status a disposition may have.   (RFC 5438 §11.1.7)
struct StatusName {
    Disposition disposition;
    DispositionStatus status;
    std::string_view element;
};
constexpr std::array kStatuses{
    StatusName{Disposition::delivery, DispositionStatus::delivered, "delivered"},
    StatusName{Disposition::delivery, DispositionStatus::failed, "failed"},
    StatusName{Disposition::delivery, DispositionStatus::forbidden, "forbidden"},
    StatusName{Disposition::delivery, DispositionStatus::error, "error"},
    StatusName{Disposition::display, DispositionStatus::displayed, "displayed"},
    StatusName{Disposition::display, DispositionStatus::forbidden, "forbidden"},
    StatusName{Disposition::display, DispositionStatus::error, "error"},
    StatusName{Disposition::processing, DispositionStatus::processed, "processed"},
    StatusName{Disposition::processing, DispositionStatus::stored, "stored"},
    StatusName{Disposition::processing, DispositionStatus::forbidden, "forbidden"},
    StatusName{Disposition::processing, DispositionStatus::error, "error"},
};

std::string child_text(const xml::Element& element, std::string_view name) {
    const auto* child = element.child(kNs, name);
    return child ? std::string(trim(child->text())) : std::string();
}

void add(xml::Element& element, const char* name, std::string_view text) { element.add({std::string(kNs), name}).add_text(text); }

}  // namespace

Result<Imdn> read_imdn(std::string_view document) {
    BOOST_OUTCOME_TRY(root, xml::read_document(document, kLimits));
    if (!root.is(kNs, "imdn")) return fail(Code::malformed, "no IMDN");
    Imdn imdn;
    imdn.message_id = child_text(root, "message-id");
    if (imdn.message_id.empty()) return fail(Code::malformed, "an IMDN about no message");
    imdn.datetime = child_text(root, "datetime");
    imdn.recipient_uri = child_text(root, "recipient-uri");
    imdn.original_recipient_uri = child_text(root, "original-recipient-uri");
    imdn.subject = child_text(root, "subject");
    for (const auto& row : kDispositions) {
        const auto* notification = root.child(kNs, row.element);
        const auto* status = notification ? notification->child(kNs, "status") : nullptr;
        if (!status) continue;
        for (const auto& known : kStatuses)
            if (known.disposition == row.disposition && status->child(kNs, known.element)) {
                imdn.disposition = row.disposition;
                imdn.status = known.status;
                return imdn;
            }
    }
    return fail(Code::unsupported, "an IMDN of no known disposition");
}

std::string write_imdn(const Imdn& imdn) {
    xml::Element root(std::string(kNs), "imdn");
    add(root, "message-id", imdn.message_id);
    add(root, "datetime", imdn.datetime);
    // The schema has the original recipient and the subject only behind the recipient.   (RFC 5438 §11.1.9)
    if (!imdn.recipient_uri.empty()) {
        add(root, "recipient-uri", imdn.recipient_uri);
        if (!imdn.original_recipient_uri.empty()) add(root, "original-recipient-uri", imdn.original_recipient_uri);
        if (!imdn.subject.empty()) add(root, "subject", imdn.subject);
    }
    for (const auto& row : kDispositions) {
        if (row.disposition != imdn.disposition) continue;
        auto& status = root.add({std::string(kNs), std::string(row.element)}).add({std::string(kNs), "status"});
        for (const auto& known : kStatuses)
            if (known.disposition == imdn.disposition && known.status == imdn.status)
                status.add({std::string(kNs), std::string(known.element)});
    }
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n" + xml::write(root);
}

DispositionRequest read_disposition_request(std::string_view value) {
    DispositionRequest request;
    while (!value.empty()) {
        const auto end = std::min(value.find(','), value.size());
        auto word = value.substr(0, end);
        word = trim(word.substr(0, word.find(';')));
        if (word == "positive-delivery") request.positive_delivery = true;
        if (word == "negative-delivery") request.negative_delivery = true;
        if (word == "display") request.display = true;
        value.remove_prefix(std::min(end + 1, value.size()));
    }
    return request;
}

std::string write_disposition_request(const DispositionRequest& request) {
    std::string value;
    const auto add_word = [&value](bool asked, const char* word) {
        if (asked) (value += value.empty() ? "" : ", ") += word;
    };
    add_word(request.positive_delivery, "positive-delivery");
    add_word(request.negative_delivery, "negative-delivery");
    add_word(request.display, "display");
    return value;
}

}  // namespace stox::im
