#include "mapping/xmpp/component_session.h"

#include <gtest/gtest.h>

namespace stox::xmpp {

namespace {

constexpr std::string_view kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
    "from='sip.example' id='3BF96D32'>";
constexpr std::string_view kStreamErrors = "urn:ietf:params:xml:ns:xmpp-streams";

/// Events as lines that can be compared.
std::string text_of(const std::vector<SessionEvent>& events) {
    std::string text;
    for (const auto& event : events) {
        if (const auto* send = std::get_if<SendOctets>(&event))
            text += "send " + send->octets;
        else if (const auto* attached = std::get_if<Attached>(&event))
            text += "attached " + attached->stream_id;
        else if (std::get_if<StanzaReceived>(&event))
            text += "stanza";
        else if (std::get_if<StanzaRefused>(&event))
            text += "refused";
        else if (const auto* ended = std::get_if<StreamEnded>(&event))
            text += "ended " + ended->condition + ": " + ended->detail;
        text += '\n';
    }
    return text;
}

ComponentSession attached() {
    ComponentSession session("sip.example", "test");
    session.open();
    session.receive(kHeader);
    EXPECT_EQ(text_of(session.receive("<handshake/>")), "attached 3BF96D32\n");
    return session;
}

std::string error(std::string_view inside) { return "<stream:error>" + std::string(inside) + "</stream:error></stream:stream>"; }

Code refusal(const Result<std::string>& octets) {
    EXPECT_FALSE(octets);
    return octets ? Code::unavailable : octets.error().code;
}

Message message_from(Jid from) {
    Message message;
    message.from = std::move(from);
    message.to = {"juliet", "example.com", {}};
    message.bodies = {{"Hi", ""}};
    return message;
}

}  // namespace

TEST(ComponentSession, CORE_60_TheLanguageOfTheStreamIsThatOfAStanzaWithoutUnlessItIsTheDefault) {
    const auto lang = [](const std::string& of_stream, const std::string& by_default, const std::string& own) {
        ComponentSession session("sip.example", "test");
        session.set_default_language(by_default);
        session.open();
        std::string header(kHeader);
        if (!of_stream.empty()) header.insert(header.size() - 1, " xml:lang='" + of_stream + "'");
        session.receive(header);
        session.receive("<handshake/>");
        const auto events = session.receive("<message from='a@b' to='c@sip.example'" +
                                            (own.empty() ? "" : " xml:lang='" + own + "'") + "><body>x</body></message>");
        const auto* received = events.size() == 1 ? std::get_if<StanzaReceived>(&events.front()) : nullptr;
        return received ? std::get<Message>(received->stanza).lang : "(nothing)";
    };
    EXPECT_EQ(lang("cs", "en", ""), "cs");
    EXPECT_EQ(lang("cs", "en", "de"), "de");
    EXPECT_EQ(lang("en", "en", ""), "");
    EXPECT_EQ(lang("en", "en", "en"), "en") << "said of the stanza itself";
    EXPECT_EQ(lang("", "en", ""), "");
}

TEST(ComponentSession, CORE_03_HandshakeIsTheHexDigestOfStreamIdAndSecret) {
    ComponentSession session("sip.example", "test");
    EXPECT_EQ(text_of(session.open()),
              "send <?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
              "xmlns:stream='http://etherx.jabber.org/streams' to='sip.example'>\n");
    // printf %s 3BF96D32test | sha1sum
    EXPECT_EQ(text_of(session.receive(kHeader)), "send <handshake>aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e</handshake>\n");
    EXPECT_EQ(text_of(session.receive("<handshake></handshake>")), "attached 3BF96D32\n");
}

TEST(ComponentSession, CORE_03_WrongSecretIsReportedAsTheServerNamesIt) {
    ComponentSession session("sip.example", "wrong");
    session.open();
    session.receive(kHeader);
    EXPECT_EQ(text_of(session.receive(error("<not-authorized xmlns='" + std::string(kStreamErrors) + "'/><text xmlns='" +
                                            std::string(kStreamErrors) + "'>Given token does not match</text>"))),
              "send </stream:stream>\nended not-authorized: Given token does not match\n");
    EXPECT_EQ(text_of(session.receive("<handshake/>")), "");
}

TEST(ComponentSession, CORE_03_OnlyOurDomainStandsInFromAndToIsNeverEmpty) {
    const auto session = attached();
    EXPECT_EQ(session.encode(message_from({"romeo", "sip.example", "phone"})).value(),
              "<message from='romeo@sip.example/phone' to='juliet@example.com'><body>Hi</body></message>");
    for (const Jid& foreign :
         {Jid{"romeo", "example.com", {}}, Jid{"romeo", "x.sip.example", {}}, Jid{"sip.example", "x", {}}, Jid{}})
        EXPECT_EQ(refusal(session.encode(message_from(foreign))), Code::forbidden);
    auto to_nobody = message_from({"romeo", "sip.example", {}});
    to_nobody.to = {};
    EXPECT_EQ(refusal(session.encode(to_nobody)), Code::forbidden);
}

TEST(ComponentSession, StanzasOver256KiBAreNotSent) {
    const auto session = attached();
    auto message = message_from({"romeo", "sip.example", {}});
    const auto rest = session.encode(message).value().size() - message.bodies[0].text.size();
    message.bodies[0].text.assign(262'144 - rest, 'x');
    EXPECT_TRUE(session.encode(message));
    message.bodies[0].text += 'x';
    EXPECT_EQ(refusal(session.encode(message)), Code::too_large);
}

TEST(ComponentSession, AServerMayRefuseInsteadOfGivingAnId) {
    // As Prosody answers for a host it does not have.
    ComponentSession session("sip.example", "test");
    session.open();
    EXPECT_EQ(text_of(session.receive("<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
                                      "xmlns:stream='http://etherx.jabber.org/streams' id='' version='1.0'>" +
                                      error("<host-unknown xmlns='" + std::string(kStreamErrors) + "'/>"))),
              "send </stream:stream>\nended host-unknown: \n");
    // As ejabberd does, whose header has an id.
    ComponentSession other("sip.example", "test");
    other.open();
    const auto events = other.receive(std::string(kHeader) + error("<host-unknown/>"));
    EXPECT_EQ(text_of({events.end() - 1, events.end()}), "ended host-unknown: \n");
}

TEST(ComponentSession, StreamErrorsAreReadLeniently) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>", "conflict: "},
        {"<text>gone</text><conflict/>", "conflict: gone"},
        {"", "undefined-condition: "},
        {"words only", "undefined-condition: "},
        {"<see-other-host>h</see-other-host><own xmlns='urn:x'/>", "see-other-host: "}};
    for (const auto& [inside, expected] : rows) {
        auto session = attached();
        EXPECT_EQ(text_of(session.receive(error(inside))), "send </stream:stream>\nended " + std::string(expected) + "\n");
    }
}

TEST(ComponentSession, StanzasArriveAndPingsOfWhiteSpaceDoNot) {
    auto session = attached();
    EXPECT_EQ(text_of(session.receive(" \n\t ")), "");
    const auto events =
        session.receive("\n<message from='juliet@example.com/b' to='romeo@sip.example' id='1'><body>x</body></message> ");
    ASSERT_EQ(text_of(events), "stanza\n");
    const auto& stanza = std::get<StanzaReceived>(events[0]).stanza;
    EXPECT_EQ(std::get<Message>(stanza).from, (Jid{"juliet", "example.com", "b"}));
}

TEST(ComponentSession, ABrokenStanzaIsRefusedWithItsEnvelopeIfItHasOne) {
    auto session = attached();
    const auto events = session.receive("<iq from='juliet@example.com/b' to='sip.example' id='i&apos;1' type='get'/>");
    ASSERT_EQ(text_of(events), "refused\n");
    const auto& refused = std::get<StanzaRefused>(events[0]);
    EXPECT_EQ(refused.why.code, Code::malformed);
    ASSERT_TRUE(refused.envelope);
    const auto& iq = std::get<Iq>(*refused.envelope);
    EXPECT_EQ(iq.from, (Jid{"juliet", "example.com", "b"}));
    EXPECT_EQ(iq.id, "i'1");
    EXPECT_EQ(iq.type, IqType::get);
    for (const auto* stanza :
         {"<iq from='a@b' to='sip.example' id='1' type='hello'/>", "<message from='a@b'/>", "<iq to='sip.example' type='get'/>",
          "<presence from='a@b' to='sip.example' type='x'/>", "<letter/>", "<handshake/>"}) {
        const auto none = session.receive(stanza);
        ASSERT_EQ(text_of(none), "refused\n") << stanza;
        EXPECT_FALSE(std::get<StanzaRefused>(none[0]).envelope) << stanza;
    }
}

TEST(ComponentSession, AStanzaOverALimitIsRefusedAndTheStreamGoesOn) {
    auto session = attached();
    std::string quotes;
    for (int i = 0; i < 60'000; ++i) quotes += "&apos;";
    const std::string kind[] = {"chat", "error"};
    for (const auto& type : kind) {
        const auto head = "<message from='a@b/c' to='d@sip.example' id='1' type='" + type + "'>";
        const auto events = session.receive("<message from='e@b' to='d@sip.example'><body>x</body></message>" + head + "<body>" +
                                            quotes + "</body></message><message from='e@b' to='d@sip.example'/>");
        ASSERT_EQ(text_of(events), "stanza\nrefused\nstanza\n");
        const auto& refused = std::get<StanzaRefused>(events[1]);
        EXPECT_EQ(refused.why.code, Code::too_large);
        ASSERT_TRUE(refused.envelope);
        const auto& message = std::get<Message>(*refused.envelope);
        EXPECT_EQ(message.from, (Jid{"a", "b", "c"}));
        EXPECT_EQ(message.id, "1");
        EXPECT_EQ(message.error.has_value(), type == "error");
    }
    EXPECT_EQ(text_of(session.receive("<letter>" + quotes + "</letter>")), "refused\n");
    EXPECT_EQ(text_of(session.receive("<stream:error>" + quotes + "</stream:error>")),
              "send </stream:stream>\nended undefined-condition: a stanza over the limit\n");
}

TEST(ComponentSession, WhatCameBeforeAFaultIsDelivered) {
    auto session = attached();
    const auto text = text_of(session.receive("<message from='a@b' to='c@sip.example'/><a></b>"));
    EXPECT_TRUE(text.starts_with("stanza\nsend <stream:error>")) << text;
}

TEST(ComponentSession, NothingIsDeliveredBeforeTheHandshakeIsTaken) {
    ComponentSession session("sip.example", "test");
    EXPECT_EQ(text_of(session.receive(kHeader)), "");
    session.open();
    session.receive(kHeader);
    EXPECT_EQ(text_of(session.receive("<message from='a@b' to='c@sip.example'><body>x</body></message>")), "refused\n");
}

TEST(ComponentSession, AStreamThatCannotBeReadEndsWithTheReason) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"<a></b>", "not-well-formed"}, {"<a><!-- x --></a>", "restricted-xml"}, {"<a><?x y?></a>", "restricted-xml"}};
    for (const auto& [octets, condition] : rows) {
        auto session = attached();
        const auto text = text_of(session.receive(octets));
        EXPECT_TRUE(text.starts_with("send <stream:error><" + std::string(condition) +
                                     " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>\n"
                                     "ended " +
                                     std::string(condition) + ": "))
            << text;
        EXPECT_EQ(text_of(session.receive("<a/>")), "");
    }
    ComponentSession session("sip.example", "test");
    session.open();
    EXPECT_NE(text_of(session.receive("<a b='" + std::string(300'000, 'x'))).find("ended policy-violation: "), std::string::npos);
}

TEST(ComponentSession, AStreamOfAnotherKindIsClosed) {
    ComponentSession session("sip.example", "test");
    session.open();
    EXPECT_TRUE(text_of(session.receive("<html>")).starts_with("send <stream:error><invalid-namespace"));
}

TEST(ComponentSession, CORE_03_AHeaderOfAnotherKindEndsTheStreamWithTheReason) {
    const std::string streams = "xmlns:stream='http://etherx.jabber.org/streams'";
    const std::pair<std::string, std::string> rows[] = {
        {"<stream:stream xmlns:stream='urn:x' xmlns='jabber:component:accept' id='1'>",
         "what the server opened is no XMPP stream"},
        {"<stream:stream xmlns='jabber:client' " + streams + " id='1'>", "the server opened a stream of jabber:client"},
        {"<stream:stream xmlns='urn:" + std::string(1'000, 'x') + "' " + streams + " id='1'>",
         "the server opened a stream of another kind"},
        {"<stream:stream " + streams + " id='1'><message/>", "the server's stream does not declare jabber:component:accept"},
        {"<stream xmlns='http://etherx.jabber.org/streams' id='1'><message/>",
         "the server's stream does not declare jabber:component:accept"},
        {"<stream:stream " + streams + " id='1'><message>" + std::string(300'000, 'x') + "</message>",
         "the server's stream does not declare jabber:component:accept"},
    };
    const std::string ended =
        "send <stream:error><invalid-namespace xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>\n"
        "ended invalid-namespace: ";
    for (const auto& [octets, why] : rows) {
        ComponentSession fresh("sip.example", "test");
        fresh.open();
        const auto text = text_of(fresh.receive(octets + "<message/>"));
        EXPECT_TRUE(text.ends_with(ended + why + "\n")) << text;
        // The same where the server opens the stream again.
        auto session = attached();
        EXPECT_EQ(text_of(session.receive("<?xml version='1.0'?>" + octets + "<message/>")), ended + why + "\n");
        EXPECT_EQ(text_of(session.receive("<message/>")), "");
    }
}

TEST(ComponentSession, AStreamThatIsOpenedAgainBadlyEndsInsteadOfEachStanza) {
    const std::string header(kHeader), stanza = "<message from='a@b' to='c@sip.example'/>";
    const std::pair<std::string, std::string> rows[] = {
        {"<stream:stream id='2'>", "not-well-formed: the stream header: unbound prefix"},
        {header.substr(0, header.size() - 1) + " id='2'>", "not-well-formed: the stream header: duplicate attribute"},
        {header.substr(0, header.size() - 1) + " a='&b;'>", "restricted-xml: the stream header: undefined entity"},
        {"<!DOCTYPE a>" + header, "restricted-xml: a DTD"},
        {header.substr(0, header.size() - 1) + " a='" + std::string(300'000, 'x') + "'>",
         "policy-violation: a stream header over the limit"},
    };
    for (const auto& [again, why] : rows) {
        auto session = attached();
        const auto text = text_of(session.receive(stanza + again + stanza + stanza));
        EXPECT_TRUE(text.starts_with("stanza\nsend <stream:error><" + why.substr(0, why.find(':')))) << text;
        EXPECT_TRUE(text.ends_with("</stream:stream>\nended " + why + "\n")) << text;
        EXPECT_EQ(text_of(session.receive(stanza)), "");
    }
}

TEST(ComponentSession, AServerMayOpenTheStreamAgainToReportAnError) {
    auto session = attached();
    EXPECT_EQ(text_of(session.receive(std::string(kHeader) + "<message from='a@b' to='c@sip.example'/>" + error("<conflict/>"))),
              "stanza\nsend </stream:stream>\nended conflict: \n");
    // Its header may declare nothing that an error does not need.
    auto other = attached();
    EXPECT_EQ(text_of(other.receive("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>" + error("<conflict/>"))),
              "send </stream:stream>\nended conflict: \n");
}

TEST(ComponentSession, ClosingFromEitherSide) {
    auto session = attached();
    EXPECT_EQ(text_of(session.receive("</stream:stream>")), "send </stream:stream>\nended : \n");
    EXPECT_EQ(text_of(session.close()), "");
    auto ours = attached();
    EXPECT_EQ(text_of(ours.close()), "send </stream:stream>\n");
    EXPECT_EQ(text_of(ours.receive("</stream:stream>")), "");
}

TEST(ComponentSession, OctetByOctetIsTheSameStream) {
    const std::string octets =
        std::string(kHeader) + "<handshake/> <message from='a@b' to='c@sip.example'><body>\xC3\xA4&amp;</body></message>" +
        "<iq from='a@b' to='sip.example' id='1' type='set'/>\n<presence from='a@b' to='sip.example'/>" + error("<conflict/>");
    ComponentSession whole("sip.example", "test"), pieces("sip.example", "test");
    whole.open();
    pieces.open();
    const auto at_once = whole.receive(octets);
    std::vector<SessionEvent> events;
    for (const char octet : octets)
        for (auto& event : pieces.receive({&octet, 1})) events.push_back(std::move(event));
    EXPECT_EQ(text_of(events), text_of(at_once));
    ASSERT_EQ(events.size(), 7u);
    EXPECT_EQ(std::get<StanzaReceived>(events[2]).stanza, std::get<StanzaReceived>(at_once[2]).stanza);
}

TEST(ComponentSession, TheSecretIsNeverShown) {
    ComponentSession session("sip.example", "hush-hush");
    auto events = session.open();
    for (auto& event : session.receive(std::string(kHeader) + error("<not-authorized/>"))) events.push_back(std::move(event));
    EXPECT_EQ(text_of(events).find("hush"), std::string::npos);
}

}  // namespace stox::xmpp
