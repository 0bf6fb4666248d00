// What stands beside the body of a message, and what becomes of it in SIP.

#include "mapping/im/extensions.h"

#include "mapping/page_message.h"
#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"

#include <gtest/gtest.h>

namespace stox::im {

namespace {

xmpp::Message message(const std::string& inside) {
    const auto element =
        xml::read_document("<message xmlns='jabber:component:accept' from='a@b/c' to='d@e' id='i'>" + inside + "</message>");
    return std::get<xmpp::Message>(xmpp::decode(element.value()).value());
}

Extensions read(const std::string& inside) { return read_extensions(message(inside)); }

std::string sent(const std::string& inside, PageMessageOptions options = {"", "c", "t", true}) {
    const auto request = to_sip_message(message(inside), {}, {}, options);
    return request ? request.value().body : "(nothing)";
}

}  // namespace

TEST(Extensions, EachIsRead) {
    Extensions expected;
    EXPECT_EQ(read("<body>x</body>"), expected);
    expected.wants_receipt = expected.is_markable = true;
    EXPECT_EQ(read("<request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>"), expected);
    expected = {};
    expected.received = "m1", expected.displayed = "m2";
    EXPECT_EQ(read("<received xmlns='urn:xmpp:receipts' id='m1'/><displayed xmlns='urn:xmpp:chat-markers:0' id='m2'/>"),
              expected);
    expected = {};
    EXPECT_EQ(
        read("<received xmlns='urn:xmpp:receipts'/><displayed xmlns='urn:xmpp:chat-markers:0' id=''/><active xmlns='urn:x'/>"),
        expected);
    expected.corrects = "m3", expected.retracts = "m4";
    EXPECT_EQ(read("<replace xmlns='urn:xmpp:message-correct:0' id='m3'/><retract xmlns='urn:xmpp:message-retract:1' id='m4'/>"),
              expected);
    for (const auto& [name, state] : {std::pair("active", ChatState::active),
                                      {"composing", ChatState::composing},
                                      {"paused", ChatState::paused},
                                      {"inactive", ChatState::inactive},
                                      {"gone", ChatState::gone}}) {
        EXPECT_EQ(read("<" + std::string(name) + " xmlns='http://jabber.org/protocol/chatstates'/>").state, state);
        EXPECT_EQ(chat_state(state).name, name);
    }
}

TEST(Extensions, IM_27_EncryptedMessagesAreKnown) {
    for (const auto* encrypted : {"<encrypted xmlns='eu.siacs.conversations.axolotl'/>", "<encrypted xmlns='urn:xmpp:omemo:2'/>",
                                  "<openpgp xmlns='urn:xmpp:openpgp:0'/>", "<x xmlns='jabber:x:encrypted'/>",
                                  "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:new:method'/>"})
        EXPECT_TRUE(read(encrypted).is_encrypted) << encrypted;
    EXPECT_FALSE(read("<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:otr:0'/>").is_encrypted)
        << "the body is what OTR made";
    EXPECT_FALSE(read("<encryption xmlns='urn:xmpp:eme:0'/>").is_encrypted);
}

TEST(Extensions, IM_18_CopiesAreKnown) {
    for (const auto* copy :
         {"<sent xmlns='urn:xmpp:carbons:2'/>", "<received xmlns='urn:xmpp:carbons:2'/>", "<result xmlns='urn:xmpp:mam:2'/>"})
        EXPECT_TRUE(read(copy).is_copy) << copy;
    EXPECT_FALSE(read("<private xmlns='urn:xmpp:carbons:2'/>").is_copy);
}

TEST(Extensions, IM_16_RichTextIsSentAsItsBody) {
    EXPECT_EQ(
        sent("<body>*bold*</body><html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>"
             "<strong>bold</strong></body></html>"),
        "*bold*");
}

TEST(Extensions, IM_19_AnUploadArrivesAsItsAddressOnce) {
    EXPECT_EQ(
        sent("<body>https://upload.example/x.jpg</body><x xmlns='jabber:x:oob'><url>https://upload.example/x.jpg</url></x>"),
        "https://upload.example/x.jpg");
}

TEST(Extensions, IM_20_CorrectionsAreMarked) {
    const std::string correction = "<body>Hello</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>";
    EXPECT_EQ(sent(correction), "* Hello");
    PageMessageOptions options{"", "c", "t", true};
    options.correction_mark = "[corrected] ";
    EXPECT_EQ(sent(correction, options), "[corrected] Hello");
    EXPECT_EQ(sent("<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>"), "(nothing)");
}

TEST(Extensions, IM_20_RetractionsAreTold) {
    const std::string retraction = "<retract xmlns='urn:xmpp:message-retract:1' id='m1'/>";
    EXPECT_EQ(sent(retraction), "* A previous message was retracted.");
    EXPECT_EQ(
        sent("<body>took it back</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/>" + retraction),
        "took it back");
}

TEST(Extensions, IM_21_RepliesKeepTheirQuoteAndReactionsAreNoMessage) {
    EXPECT_EQ(sent("<body>&gt; Where?\nHere</body><reply xmlns='urn:xmpp:reply:0' to='d@e' id='m1'/><fallback "
                   "xmlns='urn:xmpp:fallback:0' "
                   "for='urn:xmpp:reply:0'><body start='0' end='9'/></fallback>"),
              "> Where?\r\nHere");
    for (const auto* alone : {"<reactions xmlns='urn:xmpp:reactions:0' id='m1'><reaction>x</reaction></reactions>",
                              "<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>", "<store xmlns='urn:xmpp:hints'/>",
                              "<received xmlns='urn:xmpp:receipts' id='m1'/>"})
        EXPECT_EQ(sent(alone), "(nothing)") << alone;
}

TEST(Extensions, IM_17_NoExpiresUnlessAsked) {
    const auto request =
        to_sip_message(message("<body>x</body><amp xmlns='http://jabber.org/protocol/amp'/>"), {}, {}, {"", "c", "t", true});
    EXPECT_FALSE(request.value().header("Expires"));
    EXPECT_FALSE(request.value().header("Date"));
}

TEST(Extensions, IM_06_ThreadsThatCanBeCallIds) {
    for (const auto* good : {"abc", "f81d4fae-7dec@host.example", "a%b{c}<d>", "e\"x\\y"}) EXPECT_TRUE(is_call_id(good)) << good;
    for (const auto* bad : {"", "a b", "@a", "a@", "a@b@c", "\xC3\xA4", "a\r\nb", "a;b", "a,b", "a=b"})
        EXPECT_FALSE(is_call_id(bad)) << bad;
    EXPECT_TRUE(is_call_id(std::string(128, 'x')));
    EXPECT_FALSE(is_call_id(std::string(129, 'x')));
}

}  // namespace stox::im
