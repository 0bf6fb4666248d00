#include "mapping/xmpp/stanza.h"

#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"

#include <gtest/gtest.h>

namespace stox::xmpp {

namespace {

/// The element a stanza's text is on a component stream.
xml::Element read(std::string_view text, std::string_view ns = kComponentNs) {
    auto element = xml::read_document("<s xmlns='" + std::string(ns) + "'>" + std::string(text) + "</s>");
    EXPECT_TRUE(element) << text;
    return element ? std::get<xml::Element>(element.value().children.at(0)) : xml::Element{};
}

template <class Kind>
Kind decode_as(std::string_view text) {
    auto stanza = decode(read(text));
    EXPECT_TRUE(stanza) << text;
    if (!stanza || !std::holds_alternative<Kind>(stanza.value())) return {};
    // Every stanza is checked in both directions.
    EXPECT_EQ(decode(read(xml::write(encode(stanza.value()), kComponentNs))).value(), stanza.value()) << text;
    return std::get<Kind>(stanza.value());
}

Code fault(std::string_view text, std::string_view ns = kComponentNs) {
    const auto stanza = decode(read(text, ns));
    EXPECT_FALSE(stanza) << text;
    return stanza ? Code::unavailable : stanza.error().code;
}

const Jid kJuliet{"juliet", "example.com", "balcony"}, kRomeo{"romeo", "sip.example", {}};

}  // namespace

TEST(Stanza, MessageWithAllItsParts) {
    const auto message = decode_as<Message>(
        "<message from='juliet@example.com/balcony' to='romeo@sip.example' id='m1' type='chat' xml:lang='en'>"
        "<subject>S</subject><subject xml:lang='de'>T</subject><body>Hi</body><body xml:lang='de'>Tag</body><thread>t1</thread>"
        "<active xmlns='http://jabber.org/protocol/chatstates'/><x/></message>");
    Message expected;
    expected.from = kJuliet;
    expected.to = kRomeo;
    expected.id = "m1";
    expected.type = MessageType::chat;
    expected.lang = "en";
    expected.subjects = {{"S", ""}, {"T", "de"}};
    expected.bodies = {{"Hi", ""}, {"Tag", "de"}};
    expected.thread = "t1";
    expected.payload = {{"http://jabber.org/protocol/chatstates", "active"}, {std::string(kComponentNs), "x"}};
    EXPECT_EQ(message, expected);
}

TEST(Stanza, MessageTypes) {
    const std::pair<const char*, MessageType> rows[] = {{"", MessageType::normal},
                                                        {"type='normal'", MessageType::normal},
                                                        {"type='chat'", MessageType::chat},
                                                        {"type='groupchat'", MessageType::groupchat},
                                                        {"type='headline'", MessageType::headline},
                                                        {"type='error'", MessageType::error},
                                                        {"type='Chat'", MessageType::normal},
                                                        {"type='new'", MessageType::normal}};
    for (const auto& [attribute, type] : rows) {
        const auto message = decode_as<Message>("<message from='a@b' to='c@d' " + std::string(attribute) + "><body/></message>");
        EXPECT_EQ(message.type, type) << attribute;
        EXPECT_EQ(message.error.has_value(), type == MessageType::error);
        EXPECT_EQ(message.bodies.size(), 1u);
    }
    EXPECT_EQ(encode(Stanza(Message{})).attribute("type"), nullptr);
}

TEST(Stanza, PresenceTypes) {
    for (const auto* type : {"unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error"}) {
        const auto presence = decode_as<Presence>("<presence from='a@b' to='c@d' id='p' type='" + std::string(type) +
                                                  "'><show>away</show></presence>");
        EXPECT_NE(presence.type, PresenceType::available) << type;
        EXPECT_EQ(presence.payload.size(), 1u);
        EXPECT_EQ(*encode(Stanza(presence)).attribute("type"), type);
    }
    EXPECT_EQ(decode_as<Presence>("<presence from='a@b' to='c@d'/>").type, PresenceType::available);
    EXPECT_EQ(fault("<presence from='a@b' to='c@d' type='invisible'/>"), Code::malformed);
    EXPECT_EQ(fault("<presence from='a@b' to='c@d' type=''/>"), Code::malformed);
}

TEST(Stanza, IqTypesAndTheirChildren) {
    const std::string head = "<iq from='a@b' to='d' id='i' type=";
    EXPECT_EQ(decode_as<Iq>(head + "'get'><ping xmlns='urn:xmpp:ping'/></iq>").payload, xml::Element("urn:xmpp:ping", "ping"));
    EXPECT_EQ(decode_as<Iq>(head + "'set'><q xmlns='u'/></iq>").type, IqType::set);
    EXPECT_FALSE(decode_as<Iq>(head + "'result'/>").payload);
    EXPECT_TRUE(decode_as<Iq>(head + "'result'><q xmlns='u'/></iq>").payload);
    const auto error = decode_as<Iq>(
        head + "'error'><q xmlns='u'/><error type='wait'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
    ASSERT_TRUE(error.error);
    EXPECT_EQ(error.error->condition, Condition::conflict);
    EXPECT_TRUE(error.payload);
    for (const auto* wrong : {"'get'/>", "'set'/>", "'get'><a xmlns='u'/><b xmlns='u'/></iq>", "'get'>text</iq>",
                              "'put'><a xmlns='u'/></iq>", "''/>"})
        EXPECT_EQ(fault(head + wrong), Code::malformed) << wrong;
    EXPECT_EQ(fault("<iq from='a@b' to='d' id='i'><a xmlns='u'/></iq>"), Code::malformed);
}

TEST(Stanza, CORE_03_FromAndToAreAlwaysThere) {
    for (const auto* head : {"<message to='c@d'/>", "<message from='a@b'/>", "<presence to='c@d'/>",
                             "<iq type='result' to='c@d'/>", "<message from='' to='c@d'/>", "<message from='@b' to='c@d'/>",
                             "<message from='a@b' to='c@d@e'/>", "<message from='a@b/' to='c@d'/>"})
        EXPECT_EQ(fault(head), Code::malformed) << head;
    EXPECT_EQ(fault("<message from='" + std::string(1'024, 'a') + "@b' to='c@d'/>"), Code::malformed);
    Iq iq;
    iq.from = kRomeo;
    iq.to = kJuliet;
    iq.type = IqType::result;
    EXPECT_EQ(xml::write(encode(Stanza(iq)), kComponentNs),
              "<iq from='romeo@sip.example' to='juliet@example.com/balcony' type='result'/>");
}

TEST(Stanza, WhatIsNoStanzaIsUnsupported) {
    EXPECT_EQ(fault("<letter from='a@b' to='c@d'/>"), Code::unsupported);
    EXPECT_EQ(fault("<message from='a@b' to='c@d'/>", "urn:other"), Code::unsupported);
}

TEST(Stanza, CORE_51_ErrorCarriesTextLanguageAndSipStatus) {
    Message message;
    message.from = kRomeo;
    message.to = kJuliet;
    message.id = "m1";
    message.type = MessageType::error;
    message.error = StanzaError{ErrorType::wait, Condition::recipient_unavailable, "Besetzt", "de", {}, 486};
    const auto text = xml::write(encode(Stanza(message)), kComponentNs);
    EXPECT_EQ(text,
              "<message from='romeo@sip.example' to='juliet@example.com/balcony' id='m1' type='error'><error type='wait'>"
              "<recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
              "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='de'>Besetzt</text>"
              "<sip-code xmlns='urn:stox:sip:0'>486</sip-code></error></message>");
    EXPECT_EQ(decode_as<Message>(text), message);
}

TEST(Stanza, CORE_X12_AnErrorSaysThatItIsAboutTheSize) {
    Message message;
    message.from = kRomeo;
    message.to = kJuliet;
    message.type = MessageType::error;
    message.error = StanzaError{ErrorType::modify, Condition::policy_violation, {}, {}, {}, 413, true};
    EXPECT_EQ(decode_as<Message>(xml::write(encode(Stanza(message)), kComponentNs)), message);
}

TEST(Stanza, ErrorAddressOfGoneAndRedirect) {
    const auto error_of = [](std::string_view inside) {
        return decode_as<Message>("<message from='a@b' to='c@d' type='error'><error type='modify'>" + std::string(inside) +
                                  "</error></message>")
            .error.value_or(StanzaError{});
    };
    constexpr std::string_view kNs = " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'";
    EXPECT_EQ(error_of("<gone" + std::string(kNs) + ">xmpp:new@d</gone>").address, "xmpp:new@d");
    EXPECT_EQ(error_of("<redirect" + std::string(kNs) + ">xmpp:new@d</redirect>").condition, Condition::redirect);
    EXPECT_EQ(error_of("<gone" + std::string(kNs) + "/>").address, std::nullopt);
    EXPECT_EQ(error_of("<conflict" + std::string(kNs) + ">x</conflict>").address, std::nullopt);
    EXPECT_EQ(error_of("<unheard-of" + std::string(kNs) + "/>").condition, Condition::undefined_condition);
    EXPECT_EQ(error_of("<sip-code xmlns='urn:stox:sip:0'>48x</sip-code>").sip_status, std::nullopt);
    EXPECT_EQ(error_of("<sip-code xmlns='urn:stox:sip:0'>4860</sip-code>").sip_status, std::nullopt);
    EXPECT_FALSE(error_of("<stanza-too-big xmlns='urn:x'/>").too_big);
    EXPECT_TRUE(error_of("<stanza-too-big xmlns='urn:xmpp:errors'/>").too_big);
}

TEST(Stanza, CORE_78_ErrorSwapsAddressesAndKeepsTheId) {
    StanzaError error;
    error.condition = Condition::item_not_found;
    Message message;
    message.from = kJuliet;
    message.to = kRomeo;
    message.id = "m1";
    message.type = MessageType::chat;
    message.lang = "de";
    message.bodies = {{"secret", ""}};
    message.payload = {{"urn:x", "x"}};
    Message expected;
    expected.from = kRomeo;
    expected.to = kJuliet;
    expected.id = "m1";
    expected.lang = "de";
    expected.type = MessageType::error;
    expected.error = error;
    EXPECT_EQ(make_error(message, error), Stanza(expected));

    Iq iq;
    iq.from = kJuliet;
    iq.to = kRomeo;
    iq.id = "i1";
    iq.type = IqType::set;
    iq.payload = xml::Element("urn:x", "x");
    Iq refused;
    refused.from = kRomeo;
    refused.to = kJuliet;
    refused.id = "i1";
    refused.type = IqType::error;
    refused.error = error;
    EXPECT_EQ(make_error(iq, error), Stanza(refused));

    Presence presence;
    presence.from = kJuliet;
    presence.to = kRomeo;
    presence.id = "p1";
    presence.type = PresenceType::subscribe;
    const auto answer = make_error(presence, error);
    ASSERT_TRUE(answer);
    EXPECT_EQ(std::get<Presence>(*answer).type, PresenceType::error);
    EXPECT_EQ(std::get<Presence>(*answer).id, "p1");
    EXPECT_EQ(std::get<Presence>(*answer).to, kJuliet);
}

TEST(Stanza, CORE_52_NothingAnswersAnErrorOrAResult) {
    Message message;
    message.type = MessageType::error;
    Presence presence;
    presence.type = PresenceType::error;
    Iq failed, done;
    failed.type = IqType::error;
    done.type = IqType::result;
    for (const Stanza& original : {Stanza(message), Stanza(presence), Stanza(failed), Stanza(done)})
        EXPECT_EQ(make_error(original, {}), std::nullopt);
}

TEST(Stanza, CORE_75_HostileTextStaysInsideItsStanza) {
    std::string hostile = "</body></message><iq/>]]>&lt;&#0;";
    for (char c = 0; c < 0x20; ++c) hostile += c;
    hostile += "\xFF\xFE\xC0\x80\xED\xA0\x80\xEF\xBF\xBE\xEF\xBF\xBF\xF5";
    Message message;
    message.from = {"a'<", "b", hostile};
    message.to = kJuliet;
    message.id = message.lang = hostile;
    message.subjects = message.bodies = {{hostile, hostile}};
    message.thread = hostile;
    message.type = MessageType::error;
    message.error = StanzaError{ErrorType::wait, Condition::gone, hostile, hostile, hostile, {}};
    message.payload = {xml::Element("urn:" + hostile, "x").set("y", hostile).add_text(hostile)};
    message.payload[0].attributes.push_back({hostile, "z", hostile});
    xml::StreamReader reader;
    const auto events =
        reader.feed("<stream xmlns='jabber:component:accept'>" + xml::write(encode(Stanza(message)), kComponentNs));
    ASSERT_EQ(events.size(), 2u);
    const auto& stanza = std::get<xml::StanzaRead>(events[1]).stanza;
    const auto decoded = decode(stanza);
    ASSERT_TRUE(decoded) << decoded.error().detail;
    const auto& body = std::get<Message>(decoded.value()).bodies.at(0).text;
    EXPECT_TRUE(body.starts_with("</body></message><iq/>]]>&lt;&#0;"));
    EXPECT_NE(body.find("\xEF\xBF\xBD\t\n\xEF\xBF\xBD\xEF\xBF\xBD\r"), std::string::npos);
}

}  // namespace stox::xmpp
