// Hostile text through every door: what SIP peers write never breaks the component stream, what XMPP users write never becomes
// more of a SIP request than the place it stands in.

#include "mapping/error_table.h"
#include "mapping/xml/writer.h"
#include "mapping/xmpp/component_session.h"
#include "mapping/xmpp/namespaces.h"
#include "tests/engine/rig.h"

#include <functional>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;

/// One of each kind of what no text should hold, in the middle of something harmless.
std::vector<std::string> hostile_octets() {
    std::vector<std::string> all;
    const auto add = [&all](std::string_view inside) { all.push_back("a" + std::string(inside) + "z"); };
    for (int octet = 0; octet <= 0x20; ++octet) add(std::string(1, static_cast<char>(octet)));
    for (int octet = 0x7F; octet <= 0xFF; ++octet) add(std::string(1, static_cast<char>(octet)));
    for (const std::string_view inside :
         {"\xC3", "\xE2\x82", "\xF0\x9F\x8E",                                      // cut off
          "\xC0\x80", "\xC1\xBF", "\xE0\x80\xBC", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF",  // overlong
          "\xED\xA0\x80", "\xED\xBF\xBF", "\xED\xA0\xBD\xED\xB8\x80",              // surrogates
          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF",                  // beyond Unicode
          "\xEF\xBF\xBE", "\xEF\xBF\xBF", "\xF0\x9F\xBF\xBE", "\xEF\xB7\x90",      // noncharacters
          "\xC2\x80", "\xC2\x85", "\xC2\x9F", "\xE2\x80\xA8", "\xE2\x80\xA9",      // other ends of a line
          "\xE2\x80\xAE", "\xEF\xBB\xBF", "\xF4\x8F\xBF\xBF",
          "\r\nVia: SIP/2.0/UDP x\r\n", "\r\n\r\nMESSAGE sip:x SIP/2.0", "\n", "\r", "\r\n ", "%0D%0AVia: x", "\\r\\n",
          "<", ">", "&", "'", "\"", "]]>", "<![CDATA[", "<!--", "<?xml?>", "&#0;", "&#xFFFF;", "</body></message></stream:stream>",
          "<!DOCTYPE x [<!ENTITY a 'b'>]>&a;"})
        add(inside);
    return all;
}

std::string all_at_once() {
    std::string all;
    for (const auto& one : hostile_octets()) all += one;
    return all;
}

/// A component stream as the server on its other end sees it.
class Server {
public:
    Server() {
        reader_.feed("<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>");
    }

    /// The stanza as it arrives; nothing when it was not one whole stanza, or the stream broke.
    std::optional<xmpp::Stanza> receive(const xmpp::Stanza& stanza) {
        const auto octets = session_.encode(stanza);
        EXPECT_TRUE(octets) << "too long for a stream";
        if (!octets) return std::nullopt;
        const auto events = reader_.feed(octets.value());
        EXPECT_EQ(events.size(), 1u) << octets.value().substr(0, 2'000);
        if (events.size() != 1) return std::nullopt;
        const auto* read = std::get_if<xml::StanzaRead>(&events.front());
        EXPECT_TRUE(read) << octets.value().substr(0, 2'000);
        if (!read) return std::nullopt;
        auto decoded = xmpp::decode(read->stanza);
        EXPECT_TRUE(decoded);
        return decoded ? std::optional(std::move(decoded).value()) : std::nullopt;
    }

private:
    xmpp::ComponentSession session_{"capulet.test", "secret"};
    xml::StreamReader reader_;
};

xmpp::Message message_from_sip() {
    xmpp::Message message;
    message.from = {"juliet", "capulet.test", {}};
    message.to = {"romeo", "montague.test", {}};
    message.id = "next";
    message.bodies = {{"next", {}}};
    return message;
}

using ChangeRequest = std::function<void(sip::Request&, const std::string&)>;

const std::vector<std::pair<const char*, ChangeRequest>> kRequestDoors{
    {"body", [](auto& r, const auto& text) { r.body = text; }},
    {"body in UTF-8", [](auto& r, const auto& text) { r.content_type = "text/plain;charset=utf-8", r.body = text; }},
    {"body in Latin-1", [](auto& r, const auto& text) { r.content_type = "text/plain;charset=iso-8859-1", r.body = text; }},
    {"charset", [](auto& r, const auto& text) { r.content_type = "text/plain;charset=\"" + text + '"'; }},
    {"type", [](auto& r, const auto& text) { r.content_type = text; }},
    {"subject", [](auto& r, const auto& text) { r.headers.push_back({"Subject", text}); }},
    {"language", [](auto& r, const auto& text) { r.headers.push_back({"Content-Language", text}); }},
    {"any header", [](auto& r, const auto& text) { r.headers.push_back({text, text}); }},
    {"display name", [](auto& r, const auto& text) { r.from.display_name = r.to.display_name = text; }},
    {"call id", [](auto& r, const auto& text) { r.call_id = text; }},
    {"tag", [](auto& r, const auto& text) { r.from.tag = text; }},
    {"author", [](auto& r, const auto& text) { r.from.uri.user = text; }},
    {"author, encoded", [](auto& r, const auto& text) { r.from.uri.user = sip::percent_encode_user(text); }},
    {"user", [](auto& r, const auto& text) { r.uri.user = text; }},
    {"user, encoded", [](auto& r, const auto& text) { r.uri.user = sip::percent_encode_user(text); }},
    {"gruu", [](auto& r, const auto& text) { r.uri.parameters = {{"gr", sip::percent_encode_parameter(text)}}; }},
    {"gruu of the author", [](auto& r, const auto& text) { r.from.uri.parameters = {{"gr", sip::percent_encode_parameter(text)}}; }},
    {"privacy", [](auto& r, const auto& text) { r.headers.push_back({"Privacy", text}); }},
    {"hops", [](auto& r, const auto& text) { r.headers.push_back({"Max-Breadth", text}); }},
};

/// What is done with a request: every stanza arrives whole, and each answer says something.
void expect_harmless(const sip::Request& request) {
    Rig rig;
    Server server;
    rig.request(request);
    for (const auto& stanza : rig.stanzas) {
        const auto arrived = server.receive(stanza);
        if (!arrived) continue;
        EXPECT_EQ(std::visit([](const auto& one) { return one.id; }, *arrived),
                  std::visit([](const auto& one) { return one.id; }, stanza));
    }
    EXPECT_EQ(rig.answers.size() + rig.messages().size(), 1u) << "carried or refused";
    EXPECT_TRUE(server.receive(message_from_sip())) << "and the next one is read";
}

TEST(Doors, CORE_75_NothingThatSipWritesBreaksTheStream) {
    auto texts = hostile_octets();
    texts.push_back(all_at_once());
    for (const auto& [door, change] : kRequestDoors)
        for (const auto& text : texts) {
            SCOPED_TRACE(door + std::string(": ") + text);
            auto request = message_request();
            change(request, text);
            expect_harmless(request);
            if (testing::Test::HasFailure()) return;
        }
}

TEST(Doors, CORE_75_WhatXmlForbidsIsSeenAsMissingAndTheRestArrives) {
    const std::string replacement = "\xEF\xBF\xBD";
    for (int octet = 0; octet < 0x20; ++octet) {
        if (octet == '\t' || octet == '\n' || octet == '\r') continue;
        Rig rig;
        Server server;
        rig.request(message_request("a" + std::string(1, static_cast<char>(octet)) + "z"));
        ASSERT_EQ(rig.stanzas.size(), 1u) << octet;
        const auto arrived = server.receive(rig.stanzas.front());
        ASSERT_TRUE(arrived);
        EXPECT_EQ(std::get<xmpp::Message>(*arrived).bodies.at(0).text, "a" + replacement + "z") << octet;
    }
}

TEST(Doors, CORE_75_AReasonPhraseMayHoldAnything) {
    for (auto text : hostile_octets()) {
        Rig rig;
        Server server;
        rig.stanza(message_stanza());
        rig.sip_response(rig.sent.at(0).transaction, 486, LocalFailure::none, text);
        ASSERT_EQ(rig.stanzas.size(), 1u);
        const auto arrived = server.receive(rig.stanzas.front());
        ASSERT_TRUE(arrived) << text;
        const auto told = std::get<xmpp::Message>(*arrived).error->text.value_or("");
        EXPECT_TRUE(told.starts_with('a') && told.ends_with('z')) << told;
        for (const char c : told) EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7F) << told;
    }
}

TEST(Doors, CORE_75_NothingOver256KibLeaves) {
    // Each "&" takes five octets, so texts that SIP may hold are stanzas that no server takes.
    const std::string much(60'000, '&');
    for (const auto& [door, change] : kRequestDoors) {
        auto request = message_request();
        change(request, much);
        Rig rig;
        rig.request(request);
        for (const auto& stanza : rig.stanzas) {
            const auto octets = xml::write(xmpp::encode(stanza), xmpp::kComponentNs);
            EXPECT_LE(octets.size(), 262'144u) << door;
        }
        EXPECT_EQ(rig.answers.size() + rig.messages().size(), 1u) << door;
    }
    xmpp::ComponentSession session("capulet.test", "secret");
    xmpp::Message message;
    message.from = {"juliet", "capulet.test", {}};
    message.to = {"romeo", "montague.test", {}};
    message.bodies = {{{}, {}}};
    const auto frame = session.encode(message).value().size();
    message.bodies = {{std::string(262'144 - frame - std::string("<body></body>").size() + std::string("<body/>").size(), 'x'), {}}};
    EXPECT_TRUE(session.encode(message));
    message.bodies.front().text += 'x';
    EXPECT_FALSE(session.encode(message));
}

// XMPP to SIP

using ChangeMessage = std::function<void(xmpp::Message&, const std::string&)>;

/// Text as a server passes it on: in UTF-8 and of what XML allows, for nothing else reaches us.
std::string as_read(const std::string& text) {
    const auto element = xml::read_document("<x>" + xml::escape(text) + "</x>");
    return element ? element.value().text() : std::string();
}

const std::vector<std::pair<const char*, ChangeMessage>> kMessageDoors{
    {"body", [](auto& m, const auto& text) { m.bodies = {{text, {}}}; }},
    {"subject", [](auto& m, const auto& text) { m.subjects = {{text, {}}}; }},
    {"thread", [](auto& m, const auto& text) { m.thread = text; }},
    {"id", [](auto& m, const auto& text) { m.id = text; }},
    {"language", [](auto& m, const auto& text) { m.lang = text; }},
    {"language of the body", [](auto& m, const auto& text) { m.bodies.front().lang = text; }},
    {"resource", [](auto& m, const auto& text) { m.from.resource = text; }},
    {"resource of the contact", [](auto& m, const auto& text) { m.to.resource = text; }},
    {"author", [](auto& m, const auto& text) { m.from.local = text; }},
    {"contact", [](auto& m, const auto& text) { m.to.local = text; }},
    {"nick", [](auto& m, const auto& text) {
         m.payload.emplace_back("http://jabber.org/protocol/nick", "nick").add_text(text);
     }},
    {"hops", [](auto& m, const auto& text) {
         xml::Element shim(std::string(xmpp::ns::kShim), "headers");
         shim.add({shim.ns, "header"}).set("name", "Max-Forwards").add_text(text);
         shim.add({shim.ns, "header"}).set("name", text).add_text(text);
         m.payload.push_back(shim);
     }},
};

/// No end of a line in any alphabet, no control character.
bool is_one_line(std::string_view text) {
    for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
    for (const std::string_view end : {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"})
        if (text.find(end) != text.npos) return false;
    return true;
}

void expect_no_more_than_its_place(const sip::Request& request, const sip::Request& usual) {
    EXPECT_EQ(request.method, "MESSAGE");
    for (const auto& header : request.headers) {
        EXPECT_TRUE(is_one_line(header.name) && is_one_line(header.value)) << header.value;
        const bool known = header.name == "Subject" || header.name == "Content-Language" || usual.header(header.name);
        EXPECT_TRUE(known) << "a header that nobody asked for: " << header.name;
    }
    EXPECT_EQ(request.content_type, usual.content_type);
    EXPECT_TRUE(is_one_line(request.call_id));
    for (const auto* uri : {&request.uri, &request.from.uri, &request.to.uri}) {
        const auto written = uri->to_string();
        for (const char c : written) EXPECT_TRUE(c > 0x20 && c < 0x7F) << written;
        const auto read = sip::Uri::parse(written);
        EXPECT_TRUE(read && read.value() == *uri) << written;
        EXPECT_FALSE(uri->has_headers);
    }
    EXPECT_EQ(request.from.uri.host, usual.from.uri.host) << "never another domain";
    EXPECT_EQ(request.uri.host, usual.uri.host);
}

TEST(Doors, CORE_76_NothingThatXmppWritesBecomesAHeader) {
    auto texts = hostile_octets();
    texts.push_back(all_at_once());
    auto with_resource = Rig::default_options();
    with_resource.from_gr = true;
    Rig plain(with_resource);
    const auto usual = plain.stanza(message_stanza()).sent.at(0).request;
    for (const auto& [door, change] : kMessageDoors)
        for (const auto& hostile : texts) {
            const auto text = as_read(hostile);
            SCOPED_TRACE(door + std::string(": ") + text);
            Rig rig(with_resource);
            auto message = message_stanza();
            change(message, text);
            rig.stanza(message);
            EXPECT_EQ(rig.sent.size() + rig.stanzas.size(), 1u) << "carried or refused";
            for (const auto& sent : rig.sent) expect_no_more_than_its_place(sent.request, usual);
            if (testing::Test::HasFailure()) return;
        }
}

TEST(Doors, CORE_76_NoAddressOfAStanzaHoldsTheEndOfALine) {
    for (const std::string_view end : {"\r", "\n", "\r\n", "\xC2\x85", "\xE2\x80\xA8"})
        for (const std::string& jid : {"a" + std::string(end) + "b@montague.test", "romeo@mont" + std::string(end) + "ague.test"}) {
            const auto parsed = xmpp::Jid::parse(jid);
            if (!parsed) continue;
            Rig rig;
            auto message = message_stanza();
            message.from = parsed.value();
            for (const auto& sent : rig.stanza(message).sent) EXPECT_TRUE(is_one_line(sent.request.from.uri.to_string())) << jid;
        }
}

}  // namespace
