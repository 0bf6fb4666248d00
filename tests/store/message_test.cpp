// Messages that were accepted, as the text that the store keeps.

#include "plugin/engine/row_size.h"
#include "plugin/host/store/message_codec.h"
#include "plugin/host/store/row_fields.h"
#include "plugin/host/store/store.h"

#include <gtest/gtest.h>

#include <functional>

namespace stox::store::test {
namespace {

using namespace engine;
using nlohmann::json;

xmpp::Jid jid(const char* text) { return xmpp::Jid::parse(text).value(); }
sip::Uri uri(const char* text) { return sip::Uri::parse(text).value(); }
UtcTime at(std::int64_t milliseconds) { return UtcTime(std::chrono::milliseconds(milliseconds)); }

xmpp::Message stanza() {
    xmpp::Message message;
    message.from = jid("juliet@capulet.test/balcon \xc3\xa9");
    message.to = jid("romeo@montague.test");
    message.id = "abc'<&>";
    message.type = xmpp::MessageType::chat;
    message.lang = "en";
    message.bodies = {{"line\r\n\ttwo <&> \"quoted\" \xf0\x9f\x8e\xad", ""}, {"zeile", "de"}};
    message.subjects = {{"", ""}};
    message.thread = "t1";
    xml::Element origin("urn:xmpp:sid:0", "origin-id");
    origin.set("id", "abc");
    message.payload = {origin};
    return message;
}

ReportAsked report() {
    ReportAsked asked;
    asked.message_id = "im\xff" "dn";
    asked.date_time = "2006-04-04T12:16:49-05:00";
    asked.author = uri("sip:juliet@capulet.test;gr=a%3bb");
    asked.recipient = uri("tel:+15551234567");
    asked.positive = asked.display = true;
    asked.routes = {"<sip:list@example.test>", ""};
    asked.original_recipient = "sip:l\xe9n@example.test";
    return asked;
}

InboxRow inbox() {
    InboxRow row;
    row.stanza = stanza();
    row.accepted = at(1'800'000'000'123);
    row.trace = Trace{0x0123456789abcdef};
    row.peer = "ph\xc3\xb6nes";
    row.request_key = std::string("a@b\nt\xe9\0g\n1MESSAGE", 17);
    row.report = report();
    return row;
}

OutboxRow outbox() {
    OutboxRow row;
    row.stanza = stanza();
    row.accepted = at(0);
    row.trace = Trace{1};
    row.call_id = "f81d4fae-7dec@[2001:db8::9]";
    row.from_tag = "a6c85cf";
    row.cseq = 0x7fff'ffff;
    row.imdn_id = "Xyz1";
    row.wrapped = false;
    xmpp::StanzaError error;
    error.type = xmpp::ErrorType::wait;
    error.condition = xmpp::Condition::remote_server_timeout;
    error.text = "may have been delivered", error.text_lang = "en", error.sip_status = 408;
    row.owed = error;
    return row;
}

ReceiptRow receipt() {
    ReceiptRow row;
    row.stanza_id = "abc\n";
    row.user = jid("romeo@montague.test/orchard");
    row.contact = jid("juliet@capulet.test");
    row.imdn_id = "Xyz1";
    row.since = at(253'402'300'799'999);
    row.from_sip = true;
    row.type = xmpp::MessageType::normal;
    row.report = report();
    return row;
}

ContactRow contact() {
    ContactRow row;
    row.user = jid("romeo@montague.test");
    row.contact = jid("juliet@capulet.test");
    row.granted = true;
    row.shown = {"balcony", "", "\xc3\xa4/\n"};
    row.assumed = at(1'700'000'000'123);
    return row;
}

WatcherRow watcher() {
    return {jid("romeo@montague.test"), jid("juliet@capulet.test"), WatcherRow::Said::asked,
            UtcTime(std::chrono::milliseconds(1'700'000'000'123)), "phones"};
}

Collection collection(const RecordValue& row) { return static_cast<Collection>(row.index()); }

void comes_back(const RecordValue& row) {
    const auto text = to_json(row);
    ASSERT_TRUE(text) << text.error().detail;
    const auto again = from_json(collection(row), text.value());
    ASSERT_TRUE(again) << again.error().detail << ' ' << text.value();
    EXPECT_TRUE(again.value() == row) << text.value();
    EXPECT_EQ(text.value().find('\n'), std::string::npos);
}

json as_json(const RecordValue& row) { return json::parse(to_json(row).value()); }

TEST(MessageCodec, EveryRowComesBackAsItWas) {
    comes_back(inbox());
    comes_back(outbox());
    comes_back(receipt());
    comes_back(contact());
    comes_back(watcher());
    auto granted = watcher();
    granted.said = WatcherRow::Said::granted, granted.at = {}, granted.peer.clear();
    comes_back(granted);
    auto refused = watcher();
    refused.said = WatcherRow::Said::refused;
    comes_back(refused);
    auto bare_inbox = inbox();
    bare_inbox.report.reset(), bare_inbox.request_key.clear(), bare_inbox.peer.clear(), bare_inbox.delivered = true;
    comes_back(bare_inbox);
    auto bare_outbox = outbox();
    bare_outbox.owed.reset(), bare_outbox.imdn_id.clear(), bare_outbox.cseq = 1, bare_outbox.wrapped = true;
    comes_back(bare_outbox);
    bare_outbox.wrapped.reset();
    comes_back(bare_outbox);
    auto bare_receipt = receipt();
    bare_receipt.report.reset(), bare_receipt.from_sip = false, bare_receipt.imdn_id.clear();
    comes_back(bare_receipt);
    for (const auto type : {xmpp::MessageType::chat, xmpp::MessageType::groupchat, xmpp::MessageType::headline, xmpp::MessageType::error}) {
        bare_receipt.type = type;
        comes_back(bare_receipt);
    }
}

// What is counted is what is kept; never less, and not much more.   (contract 6)
TEST(MessageCodec, ItsSizeIsKnownBefore) {
    auto padded = inbox();
    padded.stanza.payload.push_back(xml::Element("urn:example", "e"));
    padded.stanza.payload.back().set("a", std::string(20'000, '"')).add_text(std::string(20'000, '"') + std::string(2'000, '\\'));
    auto plain = outbox();
    plain.owed.reset(), plain.wrapped.reset();
    auto odd = receipt();
    odd.stanza_id = std::string(500, '\x01') + std::string(500, '\xe9');
    for (const RecordValue& row : {RecordValue(inbox()), RecordValue(outbox()), RecordValue(receipt()), RecordValue(contact()), RecordValue(watcher()), RecordValue(padded),
                                   RecordValue(plain), RecordValue(odd)}) {
        const auto octets = to_json(row).value().size();
        EXPECT_GE(size_of(row).row, octets);
        EXPECT_LE(size_of(row).row, octets + 500);
    }
}

TEST(MessageCodec, WhatIsSpelledOutWithoutEndIsRefusedBeforeItIs) {
    auto row = inbox();
    xml::Element list("urn:example:list", "list");
    for (int i = 0; i < 4'000; ++i) list.add(xml::Element(std::string(100'000, 'n'), "n"));
    row.stanza.payload.push_back(std::move(list));
    EXPECT_GT(size_of(row).row, kMaxRowOctets);
    EXPECT_EQ(to_json(row).error().code, Code::too_large);
}

// A stanza within the limits of a stream is one within those of the store, however its namespaces are spelled out.
TEST(MessageCodec, AStanzaAtTheLimitsOfTheStreamComesBack) {
    auto row = inbox();
    xml::Element deep("urn:example:0", "e");
    for (int level = 1; level < 62; ++level) {
        xml::Element around("urn:example:" + std::to_string(level), "e");
        around.add(std::move(deep));
        deep = std::move(around);
    }
    xml::Element wide("urn:example", "w");
    for (int number = 0; number < 127; ++number)
        wide.attributes.push_back({"urn:example:" + std::to_string(number), "a", "<&'\""});
    row.stanza.payload = {deep, wide};
    row.stanza.bodies = {{std::string(200'000, '\n'), ""}};
    comes_back(row);
}

// Version 2 says to older programs that the row is no message to be sent; a newer one takes no other row for it.
TEST(MessageCodec, OnlyADeliveredMessageHasItsVersion) {
    auto delivered = inbox();
    delivered.delivered = true;
    auto object = as_json(delivered);
    ASSERT_EQ(object["v"], kDeliveredVersion);
    object.erase("delivered");
    EXPECT_EQ(from_json(Collection::inbox, object.dump()).error().code, Code::malformed);
    auto other = as_json(outbox());
    other["v"] = kDeliveredVersion;
    EXPECT_EQ(from_json(Collection::outbox, other.dump()).error().code, Code::malformed);
    other["delivered"] = true;
    EXPECT_EQ(from_json(Collection::outbox, other.dump()).error().code, Code::malformed);
}

TEST(MessageCodec, WhatCouldNotBeReadBackIsNotWritten) {
    const std::vector<std::function<void(OutboxRow&)>> spoilt{
        [](OutboxRow& row) { row.call_id = "a\r\nX: y"; },
        [](OutboxRow& row) { row.from_tag = "a;b"; },
        [](OutboxRow& row) { row.imdn_id = "a\nb"; },
        [](OutboxRow& row) { row.cseq = 0x8000'0000; },
        [](OutboxRow& row) { row.accepted = at(-1); },
        [](OutboxRow& row) { row.call_id.assign(kMaxRowIdOctets + 1, 'a'); },
    };
    for (std::size_t number = 0; number < spoilt.size(); ++number) {
        auto row = outbox();
        spoilt[number](row);
        const auto text = to_json(row);
        ASSERT_FALSE(text) << number;
        EXPECT_EQ(text.error().code, Code::malformed) << number;
    }
    auto asked = inbox();
    asked.report->routes.assign(65, "<sip:a@b>");
    EXPECT_FALSE(to_json(asked));
    auto large = inbox();
    large.stanza.bodies = {{std::string(kMaxValueOctets, 'a'), ""}};
    ASSERT_FALSE(to_json(large));
    EXPECT_EQ(to_json(large).error().code, Code::too_large);
}

TEST(MessageCodec, UnknownMembersAreIgnoredAndOtherVersionsRefused) {
    auto object = as_json(outbox());
    object["later"] = {{"v", 9}};
    EXPECT_TRUE(from_json(Collection::outbox, object.dump()).value() == RecordValue(outbox()));
    for (const int version : {0, 3, 77}) {
        object["v"] = version;
        const auto why = from_json(Collection::outbox, object.dump()).error();
        EXPECT_EQ(why.code, Code::unsupported);
        EXPECT_NE(why.detail.find("version " + std::to_string(version)), std::string::npos) << why.detail;
    }
    object.erase("v");
    EXPECT_EQ(from_json(Collection::outbox, object.dump()).error().code, Code::malformed);
}

TEST(MessageCodec, WhatAnOlderProgramWouldSendAsAnEmptyMessageHasAVersionThatItRefuses) {
    auto row = inbox();
    row.delivered = true;
    row.stanza.bodies.clear();
    EXPECT_EQ(as_json(row)["v"], kDeliveredVersion);
    comes_back(row);
    auto before = as_json(row);
    before["v"] = kMessageVersion;
    EXPECT_TRUE(from_json(Collection::inbox, before.dump()).value() == RecordValue(row)) << "as it was written once";
    for (const RecordValue& other : {RecordValue(inbox()), RecordValue(outbox()), RecordValue(receipt()), RecordValue(contact()), RecordValue(watcher())})
        EXPECT_EQ(as_json(other)["v"], kMessageVersion);
}

TEST(MessageCodec, ARowOfAnotherCollectionIsNone) {
    for (const RecordValue& row : {RecordValue(inbox()), RecordValue(outbox()), RecordValue(receipt()), RecordValue(contact()), RecordValue(watcher())})
        for (const auto other : {Collection::inbox, Collection::outbox, Collection::receipts, Collection::contacts, Collection::watchers})
            EXPECT_EQ(static_cast<bool>(from_json(other, to_json(row).value())), other == collection(row));
}

TEST(MessageCodec, MissingMembersAreRefused) {
    for (const RecordValue& row : {RecordValue(inbox()), RecordValue(outbox()), RecordValue(receipt()), RecordValue(contact()), RecordValue(watcher())}) {
        const auto whole = as_json(row);
        for (const auto& [name, value] : whole.items()) {
            if (name == "report" || name == "owed" || name == "from_sip" || name == "wrapped" || name == "granted" ||
                name == "assumed")
                continue;
            auto object = whole;
            object.erase(name);
            EXPECT_FALSE(from_json(collection(row), object.dump())) << name;
        }
    }
}

struct Hostile {
    RecordValue row;
    const char* member;
    json value;
};

TEST(MessageCodec, HostileValuesAreRefused) {
    const std::vector<Hostile> cases{
        {inbox(), "stanza", ""},
        {inbox(), "stanza", "<message"},
        {inbox(), "stanza", "<message xmlns='jabber:component:accept' to='a@b'/>"},
        {inbox(), "stanza", "<iq xmlns='jabber:component:accept' from='a@b' to='c@d' type='result' id='1'/>"},
        {inbox(), "stanza", "<!DOCTYPE x><message xmlns='jabber:component:accept' from='a@b' to='c@d'/>"},
        {inbox(), "stanza", 7},
        {inbox(), "accepted", -1},
        {inbox(), "accepted", "now"},
        {inbox(), "accepted", 253'402'300'800'000},
        {inbox(), "trace", "0123456789ABCDEF"},
        {inbox(), "peer", "a\nb"},
        {inbox(), "request_key", "\xe2\x82\xac"},  // no octet has that number
        {inbox(), "report", 7},
        {inbox(), "report", json::object()},
        {outbox(), "call_id", "a\r\nContact: <sip:evil@192.0.2.66>"},
        {outbox(), "call_id", "a b"},
        {outbox(), "from_tag", "a>b"},
        {outbox(), "cseq", 0x8000'0000U},
        {outbox(), "cseq", -1},
        {outbox(), "cseq", 1.5},
        {outbox(), "imdn_id", "a\r\nb"},
        {outbox(), "owed", "<message xmlns='jabber:component:accept' from='a@b' to='c@d'/>"},
        {outbox(), "owed", nullptr},
        {receipt(), "user", "@/"},
        {receipt(), "contact", ""},
        {receipt(), "from_sip", "yes"},
        {receipt(), "type", "chatty"},
        {receipt(), "since", 1e300},
        {contact(), "user", "romeo@montague.test/garden"},
        {contact(), "contact", "juliet@capulet.test/balcony"},
        {contact(), "granted", 1},
        {contact(), "shown", "balcony"},
        {contact(), "assumed", "yesterday"},
        {watcher(), "user", "romeo@montague.test/garden"},
        {watcher(), "contact", "juliet@capulet.test/balcony"},
        {watcher(), "state", "denied"},
        {watcher(), "at", "yesterday"},
        {watcher(), "peer", "a\nb"},
        {contact(), "shown", json::array({1})},
        {contact(), "shown", json(std::vector<std::string>(ContactRow::kMaxShown + 1, "a"))},
    };
    for (const auto& [row, member, value] : cases) {
        auto object = as_json(row);
        object[member] = value;
        EXPECT_FALSE(from_json(collection(row), object.dump())) << member << " = " << value;
    }
    auto object = as_json(inbox());
    object["report"]["author"] = "sip:a@b\r\nX: y";
    EXPECT_FALSE(from_json(Collection::inbox, object.dump()));
}

TEST(MessageCodec, NoTextIsARowAndNoneCrashes) {
    const auto whole = to_json(inbox()).value();
    for (std::size_t size = 0; size < whole.size(); size += 7)
        EXPECT_FALSE(from_json(Collection::inbox, whole.substr(0, size))) << size;
    for (const std::string bad : {"", "null", "[]", "{\"v\":1,\"v\":1}", "\xff"})
        EXPECT_FALSE(from_json(Collection::inbox, bad)) << bad;
    EXPECT_EQ(from_json(Collection::inbox, std::string(kMaxValueOctets + 1, ' ')).error().code, Code::too_large);
}

TEST(MessageCodec, EachDomainHasACollectionOfEachKind) {
    EXPECT_EQ(collection_of(Collection::inbox, "capulet.test"), "inbox/capulet.test");
    EXPECT_EQ(collection_of(Collection::outbox, "capulet.test"), "outbox/capulet.test");
    EXPECT_EQ(collection_of(Collection::receipts, "capulet.test"), "receipts/capulet.test");
    EXPECT_EQ(collection_of(Collection::contacts, "capulet.test"), "contacts/capulet.test");
}

}  // namespace
}  // namespace stox::store::test
