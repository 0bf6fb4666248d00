#include "mapping/xml/reader.h"

#include "mapping/xml/element_parser.h"
#include "mapping/xml/framer.h"

#include <utility>

namespace stox::xml {

struct StreamReader::Impl {
    explicit Impl(Limits limits_) : limits(limits_), framer(limits_.stanza_octets) {}

    void read(const Frame& frame, std::vector<StreamEvent>& events);
    void open(std::string_view header, std::vector<StreamEvent>& events);
    void enter(std::string_view start_tag);
    StreamEvent stanza(const Frame& frame);
    Element head_of(const Frame& frame);

    const Limits limits;
    Framer framer;
    std::string around;  ///< the header, and a second one
    std::size_t depth = 0;
    std::unique_ptr<ElementParser> parser;
    bool over = false;
};

void StreamReader::Impl::read(const Frame& frame, std::vector<StreamEvent>& events) {
    switch (frame.kind) {
        case Frame::Kind::header:
            return open(frame.octets, events);
        case Frame::Kind::reopened:
            return enter(frame.octets);
        case Frame::Kind::stanza:
            events.push_back(stanza(frame));
            break;
        case Frame::Kind::passed_over:
            events.push_back(StanzaRefused{head_of(frame), {Code::too_large, "a stanza over the limit"}});
            break;
        case Frame::Kind::closed:
            events.push_back(StreamClosed{});
            break;
        case Frame::Kind::fault:
            events.push_back(StreamFault{*frame.why});
            break;
    }
    over = std::holds_alternative<StreamClosed>(events.back()) || std::holds_alternative<StreamFault>(events.back());
}

void StreamReader::Impl::open(std::string_view header, std::vector<StreamEvent>& events) {
    const bool empty = header.ends_with("/>");
    std::string whole(header);
    if (!empty) whole.append("</").append(framer.stream_name()).append(">");
    auto element = ElementParser(limits).parse(whole, true);
    if (!element) {
        events.push_back(StreamFault{element.error()});
        over = true;
        return;
    }
    events.push_back(StreamOpened{std::move(element).value()});
    if (empty) events.push_back(StreamClosed{});
    enter(header);
}

void StreamReader::Impl::enter(std::string_view start_tag) {
    around += start_tag;
    parser = std::make_unique<ElementParser>(limits, around, ++depth);
}

StreamEvent StreamReader::Impl::stanza(const Frame& frame) {
    auto element = parser->parse(frame.octets);
    if (element) return StanzaRead{std::move(element).value()};
    const auto code = element.error().code;
    if (code == Code::too_large || code == Code::unsupported) return StanzaRefused{head_of(frame), element.error()};
    return StreamFault{element.error()};
}

Element StreamReader::Impl::head_of(const Frame& frame) {
    if (frame.head.empty()) return {};
    auto head = parser->parse(frame.head);
    return head ? std::move(head).value() : Element();
}

StreamReader::StreamReader(Limits limits) : impl_(std::make_unique<Impl>(limits)) {}
StreamReader::~StreamReader() = default;
StreamReader::StreamReader(StreamReader&&) noexcept = default;
StreamReader& StreamReader::operator=(StreamReader&&) noexcept = default;

std::vector<StreamEvent> StreamReader::feed(std::string_view octets) {
    std::vector<StreamEvent> events;
    while (!impl_->over) {
        const auto frame = impl_->framer.next(octets);
        if (!frame) break;
        impl_->read(*frame, events);
    }
    return events;
}

Result<Element> read_document(std::string_view octets, Limits limits) {
    if (octets.size() > limits.stanza_octets) return fail(Code::too_large, "a document over the limit");
    return ElementParser(limits).parse(octets, true);
}

}  // namespace stox::xml
