#include "mapping/xml/reader.h"

#include "mapping/xml/element_parser.h"
#include "mapping/xml/framer.h"

#include <utility>

namespace stox::xml {

struct StreamReader::Impl {
    explicit Impl(Limits limits_) : limits(limits_), framer(limits_.stanza_octets) {}

    void read(Frame frame, std::vector<StreamEvent>& events);
    StreamEvent open(std::string_view header);
    StreamEvent stanza(std::string_view octets);
    StreamEvent refused(const std::string& head, Error why);

    const Limits limits;
    Framer framer;
    std::unique_ptr<ElementParser> parser;  ///< of what stands inside the latest header
    bool over = false;
};

void StreamReader::Impl::read(Frame frame, std::vector<StreamEvent>& events) {
    switch (frame.kind) {
        case Frame::Kind::header:
            events.push_back(open(frame.octets));
            if (std::holds_alternative<StreamOpened>(events.back()) && frame.octets.ends_with("/>"))
                events.push_back(StreamClosed{});
            break;
        case Frame::Kind::stanza:
            events.push_back(stanza(frame.octets));
            break;
        case Frame::Kind::passed_over:
            events.push_back(refused(frame.head, {Code::too_large, "a stanza over the limit"}));
            break;
        case Frame::Kind::closed:
            events.push_back(StreamClosed{});
            break;
        case Frame::Kind::fault:
            events.push_back(StreamFault{*std::move(frame.why)});
            break;
    }
    over = std::holds_alternative<StreamClosed>(events.back()) || std::holds_alternative<StreamFault>(events.back());
}

/// A header that expat does not take would be in the way of every stanza behind it, so it is tried at once, alone.
StreamEvent StreamReader::Impl::open(std::string_view header) {
    std::string whole(header);
    if (!header.ends_with("/>")) whole.append("</").append(framer.stream_name()).append(">");
    auto element = ElementParser(limits).parse(whole, true);
    if (!element) return StreamFault{{element.error().code, "the stream header: " + element.error().detail}};
    parser = std::make_unique<ElementParser>(limits, std::string(header));
    const auto content = parser->parse("<content/>");
    return StreamOpened{std::move(element).value(), content ? content.value().ns : std::string()};
}

StreamEvent StreamReader::Impl::stanza(std::string_view octets) {
    auto element = parser->parse(octets);
    if (element) return StanzaRead{std::move(element).value()};
    const auto code = element.error().code;
    if (code != Code::too_large && code != Code::unsupported) return StreamFault{std::move(element).error()};
    Head head;
    head.take(octets);
    return refused(head.text(), std::move(element).error());
}

StreamEvent StreamReader::Impl::refused(const std::string& head, Error why) {
    if (head.empty()) return StanzaRefused{{}, std::move(why)};
    auto element = parser->parse(head);
    return StanzaRefused{element ? std::move(element).value() : Element(), std::move(why)};
}

StreamReader::StreamReader(Limits limits) : impl_(std::make_unique<Impl>(limits)) {}
StreamReader::~StreamReader() = default;
StreamReader::StreamReader(StreamReader&&) noexcept = default;
StreamReader& StreamReader::operator=(StreamReader&&) noexcept = default;

std::vector<StreamEvent> StreamReader::feed(std::string_view octets) {
    std::vector<StreamEvent> events;
    while (!impl_->over) {
        auto frame = impl_->framer.next(octets);
        if (!frame) break;
        impl_->read(*std::move(frame), events);
    }
    return events;
}

Result<Element> read_document(std::string_view octets, Limits limits, Remarks remarks) {
    if (octets.size() > limits.stanza_octets) return fail(Code::too_large, "a document over the limit");
    return ElementParser(limits).parse(octets, true, remarks);
}

}  // namespace stox::xml
