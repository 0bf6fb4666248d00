#include "mapping/xmpp/stanza.h"

#include "mapping/xmpp/stanza_error_codec.h"

#include <array>

namespace stox::xmpp {

namespace {

template <class Type>
struct TypeName {
    Type type;
    std::string_view name;
};

// RFC 6121 §5.2.2; normal, the default, is not written.
constexpr std::array kMessageTypes{
    TypeName<MessageType>{MessageType::chat, "chat"},           TypeName<MessageType>{MessageType::error, "error"},
    TypeName<MessageType>{MessageType::groupchat, "groupchat"}, TypeName<MessageType>{MessageType::headline, "headline"},
    TypeName<MessageType>{MessageType::normal, "normal"},
};

// RFC 6121 §4.7.1; an available presence has no type.
constexpr std::array kPresenceTypes{
    TypeName<PresenceType>{PresenceType::error, "error"},
    TypeName<PresenceType>{PresenceType::probe, "probe"},
    TypeName<PresenceType>{PresenceType::subscribe, "subscribe"},
    TypeName<PresenceType>{PresenceType::subscribed, "subscribed"},
    TypeName<PresenceType>{PresenceType::unavailable, "unavailable"},
    TypeName<PresenceType>{PresenceType::unsubscribe, "unsubscribe"},
    TypeName<PresenceType>{PresenceType::unsubscribed, "unsubscribed"},
};

// RFC 6120 §8.2.3.
constexpr std::array kIqTypes{
    TypeName<IqType>{IqType::error, "error"},
    TypeName<IqType>{IqType::get, "get"},
    TypeName<IqType>{IqType::result, "result"},
    TypeName<IqType>{IqType::set, "set"},
};

template <class Type, std::size_t Size>
std::optional<Type> type_of(const std::array<TypeName<Type>, Size>& names, std::string_view name) {
    for (const auto& row : names)
        if (row.name == name) return row.type;
    return std::nullopt;
}

template <class Type, std::size_t Size>
std::string_view name_of(const std::array<TypeName<Type>, Size>& names, Type type) {
    for (const auto& row : names)
        if (row.type == type) return row.name;
    return {};
}

Result<Jid> address(const xml::Element& element, const char* name) {
    const auto* text = element.attribute(name);
    if (!text) return fail(Code::malformed, std::string("a stanza without ") + name);
    auto jid = Jid::parse(*text);
    // Of a part that is too long the stanza's reader says the same as of any other fault: no JID.
    if (!jid) return fail(Code::malformed, std::string(name) + ": " + jid.error().detail);
    return jid;
}

/// What all three have in common.
template <class Kind>
Result<void> read_head(const xml::Element& element, Kind& stanza) {
    BOOST_OUTCOME_TRY(from, address(element, "from"));
    BOOST_OUTCOME_TRY(to, address(element, "to"));
    stanza.from = std::move(from);
    stanza.to = std::move(to);
    if (const auto* id = element.attribute("id")) stanza.id = *id;
    if (const auto* lang = element.lang()) stanza.lang = *lang;
    return ok();
}

template <class Kind>
xml::Element encode_head(const Kind& stanza, const char* name, std::string_view type) {
    xml::Element element(std::string(kComponentNs), name);
    element.attributes.reserve(5);
    element.set("from", stanza.from.to_string()).set("to", stanza.to.to_string());
    if (!stanza.id.empty()) element.set("id", stanza.id);
    if (!type.empty()) element.set("type", type);
    if (!stanza.lang.empty()) element.set_lang(stanza.lang);
    return element;
}

/// Calls `take(child)` for every child element but the error.
template <class Take>
void for_each_child(const xml::Element& element, Take take) {
    for (const auto& node : element.children)
        if (const auto* child = std::get_if<xml::Element>(&node); child && !child->is(kComponentNs, "error")) take(*child);
}

/// The error of a stanza of type error, which has one even if its author forgot it.
StanzaError error_in(const xml::Element& element) {
    const auto* error = element.child(kComponentNs, "error");
    return error ? decode_error(*error) : StanzaError{};
}

LangText lang_text(const xml::Element& element) {
    const auto* lang = element.lang();
    return {element.text(), lang ? *lang : std::string()};
}

Result<void> read_envelope(const xml::Element& element, Message& message) {
    BOOST_OUTCOME_TRYV(read_head(element, message));
    if (const auto* type = element.attribute("type")) message.type = type_of(kMessageTypes, *type).value_or(MessageType::normal);
    if (message.type == MessageType::error) message.error = error_in(element);
    return ok();
}

Result<void> read_envelope(const xml::Element& element, Presence& presence) {
    BOOST_OUTCOME_TRYV(read_head(element, presence));
    if (const auto* type = element.attribute("type")) {
        const auto known = type_of(kPresenceTypes, *type);
        if (!known) return fail(Code::malformed, "a presence of unknown type");
        presence.type = *known;
    }
    if (presence.type == PresenceType::error) presence.error = error_in(element);
    return ok();
}

Result<void> read_envelope(const xml::Element& element, Iq& iq) {
    BOOST_OUTCOME_TRYV(read_head(element, iq));
    const auto* type = element.attribute("type");
    const auto known = type ? type_of(kIqTypes, *type) : std::nullopt;
    if (!known) return fail(Code::malformed, "an IQ of unknown type");
    iq.type = *known;
    if (iq.type == IqType::error) iq.error = error_in(element);
    return ok();
}

Result<void> read_whole(const xml::Element& element, Message& message) {
    BOOST_OUTCOME_TRYV(read_envelope(element, message));
    for_each_child(element, [&message](const xml::Element& child) {
        if (child.is(kComponentNs, "body")) {
            message.bodies.push_back(lang_text(child));
        } else if (child.is(kComponentNs, "subject")) {
            message.subjects.push_back(lang_text(child));
        } else if (child.is(kComponentNs, "thread")) {
            if (!message.thread) message.thread = child.text();
        } else {
            message.payload.push_back(child);
        }
    });
    return ok();
}

Result<void> read_whole(const xml::Element& element, Presence& presence) {
    BOOST_OUTCOME_TRYV(read_envelope(element, presence));
    for_each_child(element, [&presence](const xml::Element& child) { presence.payload.push_back(child); });
    return ok();
}

Result<void> read_whole(const xml::Element& element, Iq& iq) {
    BOOST_OUTCOME_TRYV(read_envelope(element, iq));
    std::size_t children = 0;
    for_each_child(element, [&](const xml::Element& child) {
        if (children++ == 0) iq.payload = child;
    });
    if ((iq.type == IqType::get || iq.type == IqType::set) && children != 1)
        return fail(Code::malformed, "an IQ request without exactly one child");
    return ok();
}

/// Filled where it stands: every stanza comes this way.
/// read   of the stanza that the element's name says
template <class Read>
Result<Stanza> decode_by(const xml::Element& element, Read read) {
    Stanza stanza;
    if (element.is(kComponentNs, "presence"))
        stanza.emplace<Presence>();
    else if (element.is(kComponentNs, "iq"))
        stanza.emplace<Iq>();
    else if (!element.is(kComponentNs, "message"))
        return fail(Code::unsupported, "no stanza: " + element.name);
    BOOST_OUTCOME_TRYV(std::visit([&](auto& one) { return read(element, one); }, stanza));
    return stanza;
}

xml::Element encode_one(const Message& message) {
    auto element =
        encode_head(message, "message", message.type == MessageType::normal ? "" : name_of(kMessageTypes, message.type));
    const std::string ns(kComponentNs);
    const auto add = [&](const char* name, const LangText& text) {
        auto& child = element.add({ns, name}).add_text(text.text);
        if (!text.lang.empty()) child.set_lang(text.lang);
    };
    for (const auto& subject : message.subjects) add("subject", subject);
    for (const auto& body : message.bodies) add("body", body);
    if (message.thread) add("thread", {*message.thread, {}});
    for (const auto& child : message.payload) element.add(child);
    if (message.error) element.add(encode(*message.error));
    return element;
}

xml::Element encode_one(const Presence& presence) {
    auto element = encode_head(presence, "presence", name_of(kPresenceTypes, presence.type));
    for (const auto& child : presence.payload) element.add(child);
    if (presence.error) element.add(encode(*presence.error));
    return element;
}

xml::Element encode_one(const Iq& iq) {
    auto element = encode_head(iq, "iq", name_of(kIqTypes, iq.type));
    if (iq.payload) element.add(*iq.payload);
    if (iq.error) element.add(encode(*iq.error));
    return element;
}

bool is_answerable(const Message& message) { return message.type != MessageType::error; }
bool is_answerable(const Presence& presence) { return presence.type != PresenceType::error; }
bool is_answerable(const Iq& iq) { return iq.type == IqType::get || iq.type == IqType::set; }

}  // namespace

Result<Stanza> decode(const xml::Element& element) {
    return decode_by(element, [](const xml::Element& from, auto& stanza) { return read_whole(from, stanza); });
}

xml::Element encode(const Message& message) { return encode_one(message); }

xml::Element encode(const Stanza& stanza) {
    return std::visit([](const auto& one) { return encode_one(one); }, stanza);
}

Result<Stanza> decode_envelope(const xml::Element& element) {
    return decode_by(element, [](const xml::Element& from, auto& stanza) { return read_envelope(from, stanza); });
}

std::optional<Stanza> make_error(const Stanza& original, StanzaError error) {
    return std::visit(
        [&error]<class Kind>(const Kind& one) -> std::optional<Stanza> {
            if (!is_answerable(one)) return std::nullopt;
            Kind reply;
            reply.from = one.to;
            reply.to = one.from;
            reply.id = one.id;
            reply.lang = one.lang;
            reply.type = decltype(reply.type)::error;
            reply.error = std::move(error);
            return Stanza(std::move(reply));
        },
        original);
}

}  // namespace stox::xmpp
