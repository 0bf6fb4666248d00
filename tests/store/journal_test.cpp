// The journal of dialogs: its text in the store, and what a restart makes of a row.

#include "plugin/engine/journal.h"

#include "plugin/host/store/journal_codec.h"
#include "plugin/host/store/row_fields.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>

namespace stox::store::test {
namespace {

using engine::adopt;
using engine::JournalRow;
using nlohmann::json;

sip::Uri uri(const char* text) { return sip::Uri::parse(text).value(); }

JournalRow sample() {
    JournalRow row;
    row.call_id = "f81d4fae-7dec@[2001:db8::9]";
    row.local_tag = "a6c85cf";
    row.remote_tag = "1928301774";
    row.local_uri = uri("sip:juliet%40xmpp.example@gateway.example;gr=balcony");
    row.remote_uri = uri("tel:+15551234567");
    row.route_set = {uri("sip:p1.example;lr"), uri("sips:[2001:db8::1]:5071;lr;transport=tcp")};
    row.remote_target = uri("sip:romeo@192.0.2.4:5062;transport=tls");
    row.transport = Transport::tls;
    row.peer = Endpoint::parse("[2001:db8::1]:5061").value();
    row.local_cseq = 7;
    row.remote_cseq = 4'294'967'295;
    row.peer_jid = xmpp::Jid::parse("juliet@xmpp.example/balcon \xc3\xa9").value();
    row.sid = "a73sjjvkla37jfea \xf0\x9f\x8e\xad";
    row.trace = Trace{0x0123456789abcdef};
    return row;
}

json as_json(const JournalRow& row) { return json::parse(to_json(row).value()); }

TEST(JournalCodec, ARowComesBackAsItWas) {
    const auto row = sample();
    const auto text = to_json(row);
    ASSERT_TRUE(text) << text.error().detail;
    const auto again = from_json(text.value());
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(again.value(), row);

    auto bare = row;
    bare.remote_tag.clear(), bare.route_set.clear(), bare.remote_cseq.reset(), bare.local_cseq = 0;
    EXPECT_EQ(from_json(to_json(bare).value()).value(), bare);
}

TEST(JournalCodec, UnknownMembersAreIgnored) {
    auto object = as_json(sample());
    object["later"] = {{"v", 9}, {"call_id", json::array({1, nullptr, "x"})}};
    EXPECT_EQ(from_json(object.dump()).value(), sample());
}

TEST(JournalCodec, EveryMemberIsNeededAndOfItsType) {
    const auto object = as_json(sample());
    EXPECT_EQ(object.size(), 15U);
    for (const auto& [name, value] : object.items()) {
        auto without = object;
        without.erase(name);
        EXPECT_FALSE(from_json(without.dump())) << name;
        for (const auto& other : {json(-1), json(1.5), json(true), json(json::array({1})), json(json::object()), json("\r\n")}) {
            auto changed = object;
            changed[name] = other;
            EXPECT_FALSE(from_json(changed.dump())) << name << " = " << other;
        }
        if (name == "remote_cseq") continue;
        auto empty = object;
        empty[name] = nullptr;
        EXPECT_FALSE(from_json(empty.dump())) << name;
    }
}

TEST(JournalCodec, AnotherVersionIsNotRead) {
    auto object = as_json(sample());
    for (const auto& version : {json(0), json(2), json(UINT64_MAX)}) {
        object["v"] = version;
        const auto row = from_json(object.dump());
        ASSERT_FALSE(row) << version;
        EXPECT_EQ(row.error().code, Code::unsupported);
    }
}

struct Hostile {
    const char* member;
    json value;
};

TEST(JournalCodec, HostileValuesAreRefused) {
    const std::vector<Hostile> cases{
        {"call_id", "a\r\nContact: <sip:evil@192.0.2.66>"},
        {"call_id", "a b"},
        {"call_id", ""},
        {"call_id", "\xc3\xa9"},
        {"call_id", std::string("a\0b", 3)},
        {"call_id", std::string(kMaxRowIdOctets + 1, 'a')},
        {"local_tag", "a;b"},
        {"local_tag", ""},
        {"local_tag", "a\nb"},
        {"remote_tag", "a>b"},
        {"remote_tag", std::string(kMaxRowIdOctets + 1, 'a')},
        {"local_uri", "sip:a@b?Subject=x"},
        {"local_uri", "http://example/"},
        {"remote_uri", "sip:a@b\r\nX: y"},
        {"remote_target", "tel:+1555"},
        {"remote_target", "sip:a@b?Replaces=x"},
        {"remote_target", ""},
        {"remote_target", "sip:" + std::string(5000, 'a') + "@b"},
        {"route_set", json::array({"sip:p.example;lr", "tel:+1"})},
        {"route_set", json::array({"sip:p.example?x=y"})},
        {"route_set", json::array({nullptr})},
        {"route_set", json(std::vector<std::string>(kMaxRowRoutes + 1, "sip:p.example;lr"))},
        {"transport", "sctp"},
        {"peer", "p.example:5060"},
        {"peer", "192.0.2.1"},
        {"peer", "192.0.2.1:65536"},
        {"local_cseq", 2147483648U},
        {"local_cseq", UINT64_MAX},
        {"local_cseq", "7"},
        {"remote_cseq", 4294967296U},
        {"peer_jid", "juliet@xmpp.example"},
        {"peer_jid", "@/x"},
        {"sid", ""},
        {"sid", "a\x01"},
        {"sid", std::string(kMaxRowIdOctets + 1, 'a')},
        {"trace", "0123456789ABCDEF"},
        {"trace", "123456789abcdef"},
        {"trace", "0x123456789abcde"},
        {"trace", "0123456789abcdeg"},
        {"trace", "0123456789abcdef0"},
    };
    for (const auto& [member, value] : cases) {
        auto object = as_json(sample());
        object[member] = value;
        EXPECT_FALSE(from_json(object.dump())) << member << " = " << value;
    }
}

TEST(JournalCodec, BoundsAreTakenToTheLastOctet) {
    auto object = as_json(sample());
    object["call_id"] = std::string(kMaxRowIdOctets, 'a');
    object["route_set"] = std::vector<std::string>(kMaxRowRoutes, "sip:p.example;lr");
    object["local_cseq"] = engine::kMaxCseq;
    EXPECT_TRUE(from_json(object.dump()));
    auto text = object.dump();
    text += std::string(kMaxJournalOctets - text.size(), ' ');
    EXPECT_TRUE(from_json(text));
    EXPECT_EQ(from_json(text + ' ').error().code, Code::too_large);
}

TEST(JournalCodec, TextThatIsNoRowIsRefused) {
    const auto good = to_json(sample()).value();
    std::vector<std::string> texts{"",
                                   "null",
                                   "[]",
                                   "{}",
                                   "{\"v\":1}",
                                   good + good,
                                   good + "x",
                                   good.substr(1),
                                   "{\"sid\":\"x\"," + good.substr(1),  // twice there
                                   "\xef\xbb\xbf{",
                                   std::string(100'000, '['),
                                   "{\"v\":" + std::string(100'000, '{'),
                                   std::string(1000, '\0')};
    for (std::size_t size = 0; size < good.size(); ++size) texts.push_back(good.substr(0, size));
    for (const auto& text : texts) EXPECT_FALSE(from_json(text)) << text.substr(0, 100);
    auto not_utf8 = good;
    not_utf8.replace(not_utf8.find("a6c85cf"), 1, "\xff");
    EXPECT_FALSE(from_json(not_utf8));
}

TEST(JournalCodec, DamagedTextIsRefusedOrAnotherGoodRow) {
    const auto good = to_json(sample()).value();
    std::mt19937_64 random(5);
    int read = 0;
    for (int i = 0; i < 20'000; ++i) {
        auto text = good;
        for (auto changes = 1 + random() % 3; changes > 0; --changes) text[random() % text.size()] = static_cast<char>(random());
        const auto row = from_json(text);
        if (!row) continue;
        ++read;
        const auto again = to_json(row.value());
        ASSERT_TRUE(again) << text;
        ASSERT_EQ(from_json(again.value()).value(), row.value());
    }
    EXPECT_GT(read, 0);
}

TEST(JournalCodec, ARowThatCouldNotBeReadAgainIsNotWritten) {
    const std::vector<void (*)(JournalRow&)> changes{
        [](JournalRow& row) { row.call_id = "a\r\nb"; },
        [](JournalRow& row) { row.sid = "\xff"; },
        [](JournalRow& row) { row.peer_jid.resource.clear(); },
        [](JournalRow& row) { row.remote_target.has_headers = true; },
        [](JournalRow& row) { row.route_set.assign(kMaxRowRoutes + 1, row.route_set[0]); },
        [](JournalRow& row) { row.local_cseq = engine::kMaxCseq + 1; },
        [](JournalRow& row) { row.local_uri.user = "a\nb"; },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        auto row = sample();
        changes[i](row);
        EXPECT_FALSE(to_json(row)) << i;
    }
}

// Adoption

TEST(Adopt, TheByeCarriesTheDialogAndLeapsInItsCseq) {
    const auto row = sample();
    const auto adoption = adopt(row);
    EXPECT_EQ(adoption.bye.method, "BYE");
    EXPECT_EQ(adoption.bye.call_id, row.call_id);
    EXPECT_EQ(adoption.bye.cseq, row.local_cseq + 1000);
    EXPECT_EQ(adoption.bye.max_forwards, 70U);
    EXPECT_EQ(adoption.bye.from.uri, row.local_uri);
    EXPECT_EQ(adoption.bye.from.tag, row.local_tag);
    EXPECT_EQ(adoption.bye.to.uri, row.remote_uri);
    EXPECT_EQ(adoption.bye.to.tag, row.remote_tag);
    EXPECT_TRUE(adoption.bye.body.empty());
    EXPECT_TRUE(adoption.bye.contacts.empty()) << "RFC 3261, table 2: none in a BYE";
    EXPECT_EQ(adoption.transport, Transport::tls);
    EXPECT_EQ(adoption.flow, row.peer);
    EXPECT_EQ(adoption.session, (engine::SessionToEnd{row.peer_jid, row.sid}));
    EXPECT_EQ(adoption.trace, row.trace);
}

struct Way {
    const char* why;
    std::vector<const char*> route_set;
    const char* remote_target;
    const char* request_uri;
    std::vector<const char*> routes;
};

TEST(Adopt, TheByeGoesAlongTheRouteSet) {
    const std::vector<Way> ways{
        {"no route set", {}, "sip:romeo@192.0.2.4:5062", "sip:romeo@192.0.2.4:5062", {}},
        {"loose: RFC 3261 §12.2.1.1",
         {"sip:p1.example;lr", "sip:p2.example;lr"},
         "sip:romeo@192.0.2.4",
         "sip:romeo@192.0.2.4",
         {"sip:p1.example;lr", "sip:p2.example;lr"}},
        {"lr with a value is lr",
         {"sip:p1.example;lr=on"},
         "sip:romeo@192.0.2.4",
         "sip:romeo@192.0.2.4",
         {"sip:p1.example;lr=on"}},
        {"strict: the RFC's own example",
         {"sip:proxy1", "sip:proxy2", "sip:proxy3;lr", "sip:proxy4"},
         "sip:user@remoteua",
         "sip:proxy1",
         {"sip:proxy2", "sip:proxy3;lr", "sip:proxy4", "sip:user@remoteua"}},
        {"strict alone", {"sip:p1.example"}, "sip:romeo@192.0.2.4", "sip:p1.example", {"sip:romeo@192.0.2.4"}},
        {"no method in a Request-URI, the rest stays",
         {"sip:p1.example;transport=tcp;method=INVITE;maddr=192.0.2.9"},
         "sip:romeo@192.0.2.4",
         "sip:p1.example;transport=tcp;maddr=192.0.2.9",
         {"sip:romeo@192.0.2.4"}},
        {"neither from the target", {}, "sip:romeo@192.0.2.4;method=BYE;ob", "sip:romeo@192.0.2.4;ob", {}},
    };
    for (const auto& way : ways) {
        auto row = sample();
        row.route_set.clear();
        for (const auto* route : way.route_set) row.route_set.push_back(uri(route));
        row.remote_target = uri(way.remote_target);
        const auto bye = adopt(row).bye;
        EXPECT_EQ(bye.uri.to_string(), way.request_uri) << way.why;
        std::vector<std::string> routes;
        for (const auto& route : bye.routes) routes.push_back(route.uri.to_string());
        EXPECT_EQ(routes, std::vector<std::string>(way.routes.begin(), way.routes.end())) << way.why;
    }
}

TEST(Adopt, TheCseqStaysBelowTwoToThe31) {
    auto row = sample();
    for (const auto& [from, to] :
         std::vector<std::pair<std::uint32_t, std::uint32_t>>{{0, 1000},
                                                              {engine::kMaxCseq - 1000, engine::kMaxCseq},
                                                              {engine::kMaxCseq - 5, engine::kMaxCseq},
                                                              {engine::kMaxCseq, engine::kMaxCseq}}) {
        row.local_cseq = from;
        EXPECT_EQ(adopt(row).bye.cseq, to);
    }
}

}  // namespace
}  // namespace stox::store::test
