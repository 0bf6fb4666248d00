#include "net/dns_message.h"
#include "tests/net/dns_wire.h"
#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox::net::test {
namespace {

Decoded decode(const Question& asked, const Reply& reply) {
    return decode_answer(asked, octets(message(1, asked.name.text(), static_cast<std::uint16_t>(asked.type), reply)));
}

std::vector<std::string> addresses(const Answer& answer) {
    std::vector<std::string> texts;
    for (const auto& record : answer.records) texts.push_back(std::get<Address>(record).to_string());
    return texts;
}

using Texts = std::vector<std::string>;

TEST(DnsMessage, AddressesInOrderWithTheSmallestTtl) {
    const auto four = decode(question("a.example", RecordType::a),
                             {0, {address("a.example", "192.0.2.2", 300), address("A.Example", "192.0.2.1", 120)}});
    EXPECT_EQ(four.answer.status, AnswerStatus::found);
    EXPECT_EQ(addresses(four.answer), (Texts{"192.0.2.2", "192.0.2.1"}));
    EXPECT_EQ(four.answer.ttl, std::chrono::seconds(120));
    const auto six = decode(question("a.example", RecordType::aaaa), {0, {address("a.example", "2001:db8::1")}});
    EXPECT_EQ(addresses(six.answer), Texts{"2001:db8::1"});
}

TEST(DnsMessage, ServiceRecords) {
    const auto decoded =
        decode(question("_sip._udp.example.com", RecordType::srv),
               {0, {srv("_sip._udp.example.com", 10, 20, 5060, "SIP1.example.com"), srv("_sip._udp.example.com", 1, 0, 0, ".")}});
    ASSERT_EQ(decoded.answer.records.size(), 2U);
    EXPECT_EQ(std::get<SrvRecord>(decoded.answer.records[0]),
              (SrvRecord{10, 20, 5060, question("sip1.example.com", RecordType::a).name}));
    EXPECT_TRUE(std::get<SrvRecord>(decoded.answer.records[1]).target.is_root());
}

TEST(DnsMessage, NaptrWithoutRegularExpressionOnly) {
    const auto decoded = decode(question("example.com", RecordType::naptr),
                                {0,
                                 {naptr("example.com", 50, 60, "S", "SIPS+D2T", "_sips._tcp.example.com"),
                                  naptr("example.com", 10, 10, "u", "E2U+sip", ".", "!^.*$!sip:x@y!")}});
    ASSERT_EQ(decoded.answer.records.size(), 1U);
    const NaptrRecord expected{50, 60, "s", "sips+d2t", question("_sips._tcp.example.com", RecordType::srv).name};
    EXPECT_EQ(std::get<NaptrRecord>(decoded.answer.records[0]), expected);
}

TEST(DnsMessage, OwnersThatWereNotAskedForCountForNothing) {
    const auto decoded = decode(question("a.example", RecordType::a),
                                {0, {address("victim.example", "203.0.113.66"), address("a.example", "192.0.2.1")}});
    EXPECT_EQ(addresses(decoded.answer), Texts{"192.0.2.1"});
    const auto none = decode(question("a.example", RecordType::a), {0, {address("victim.example", "203.0.113.66")}});
    EXPECT_EQ(none.answer.status, AnswerStatus::no_data);
}

TEST(DnsMessage, MappedAddressIsNoIpv6Address) {
    auto mapped = address("a.example", "2001:db8::1");
    mapped.data = std::string(10, '\0') + "\xff\xff\xc0" + std::string("\0\2\1", 3);
    EXPECT_EQ(decode(question("a.example", RecordType::aaaa), {0, {mapped}}).answer.status, AnswerStatus::no_data);
}

TEST(DnsMessage, FollowsAliases) {
    const auto decoded = decode(
        question("a.example", RecordType::a),
        {0, {address("c.example", "192.0.2.9", 300), alias("b.example", "c.example", 7), alias("a.example", "b.example", 60)}});
    EXPECT_EQ(addresses(decoded.answer), Texts{"192.0.2.9"});
    EXPECT_EQ(decoded.aliases, 2U);
    EXPECT_EQ(decoded.answer.ttl, std::chrono::seconds(7));
    EXPECT_FALSE(decoded.alias);
}

TEST(DnsMessage, AliasWithoutItsEndIsToBeAskedFor) {
    const auto decoded = decode(question("a.example", RecordType::a), {0, {alias("a.example", "b.example", 60)}});
    ASSERT_TRUE(decoded.alias);
    EXPECT_EQ(decoded.alias->text(), "b.example");
}

TEST(DnsMessage, AliasesAreBounded) {
    const auto loop =
        decode(question("a.example", RecordType::a), {0, {alias("a.example", "b.example"), alias("b.example", "a.example")}});
    EXPECT_EQ(loop.answer.status, AnswerStatus::failed);
    const auto chain = [](unsigned length) {
        Reply reply;
        for (unsigned i = 0; i < length; ++i)
            reply.answers.push_back(alias("n" + std::to_string(i) + ".example", "n" + std::to_string(i + 1) + ".example"));
        reply.answers.push_back(address("n" + std::to_string(length) + ".example", "192.0.2.1"));
        return decode(question("n0.example", RecordType::a), reply).answer.status;
    };
    EXPECT_EQ(chain(kMaxAliases), AnswerStatus::found);
    EXPECT_EQ(chain(kMaxAliases + 1), AnswerStatus::failed);
}

TEST(DnsMessage, RecordsAreBounded) {
    for (const std::size_t count : {kMaxRecords, kMaxRecords + 1, std::size_t{4'000}}) {
        Reply reply;
        for (std::size_t i = 0; i < count; ++i) reply.answers.push_back(address("a.example", "192.0.2.1"));
        EXPECT_EQ(decode(question("a.example", RecordType::a), reply).answer.records.size(), kMaxRecords);
    }
}

TEST(DnsMessage, ResponseCodes) {
    const auto asked = question("a.example", RecordType::a);
    EXPECT_EQ(decode(asked, {0, {}}).answer.status, AnswerStatus::no_data);
    EXPECT_EQ(decode(asked, {3, {}}).answer.status, AnswerStatus::no_such_name);
    for (const unsigned code : {1U, 2U, 4U, 5U}) EXPECT_EQ(decode(asked, {code, {}}).answer.status, AnswerStatus::failed) << code;
}

TEST(DnsMessage, TtlWithTheTopBitIsNone) {
    const auto decoded = decode(question("a.example", RecordType::a), {0, {address("a.example", "192.0.2.1", 0x80000001U)}});
    EXPECT_EQ(decoded.answer.ttl, std::chrono::seconds(0));
}

TEST(DnsMessage, AnswerToAnotherQuestionIsRefused) {
    const auto asked = question("a.example", RecordType::a);
    EXPECT_EQ(decode_answer(asked, octets(message(1, "b.example", 1, {0, {address("a.example", "192.0.2.1")}}))).answer.status,
              AnswerStatus::failed);
    EXPECT_EQ(decode_answer(asked, octets(message(1, "a.example", 28, {0, {address("a.example", "192.0.2.1")}}))).answer.status,
              AnswerStatus::failed);
    auto query = message(1, "a.example", 1, {0, {address("a.example", "192.0.2.1")}});
    query[2] = 1;  // not a response
    EXPECT_EQ(decode_answer(asked, octets(query)).answer.status, AnswerStatus::failed);
}

/// Cut anywhere, a message gives no record.
TEST(DnsMessage, CutMessagesAreRefused) {
    const auto asked = question("_sip._udp.example.com", RecordType::srv);
    const auto whole = message(1, asked.name.text(), 33, {0, {srv(asked.name.text(), 1, 2, 5060, "sip.example.com")}});
    ASSERT_EQ(decode_answer(asked, octets(whole)).answer.status, AnswerStatus::found);
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_EQ(decode_answer(asked, octets(whole).first(size)).answer.status, AnswerStatus::failed) << size;
}

TEST(DnsMessage, RecordsWhoseLengthLiesAreRefused) {
    const auto asked = question("a.example", RecordType::a);
    for (const std::size_t size : {0U, 3U, 5U}) {
        auto record = address("a.example", "192.0.2.1");
        record.data.resize(size);
        EXPECT_EQ(decode(asked, {0, {record}}).answer.status, AnswerStatus::failed) << size;
    }
}

/// Pointers must lead back; a name that points at itself, forwards or in a circle ends the reading.
TEST(DnsMessage, CompressionPointersEnd) {
    const auto asked = question("a.example", RecordType::srv);
    const auto at = message(1, "a.example", 33, {0, {}}).size() + 2 + 10 + 6;  // of the target's octets
    for (const std::size_t to : {at, at + 1, at + 2, std::size_t{0x3fff}}) {
        auto record = srv("a.example", 1, 1, 5060, ".");
        record.data = record.data.substr(0, 6) + wire16(0xc000U | static_cast<unsigned>(to));
        EXPECT_EQ(decode(asked, {0, {record}}).answer.status, AnswerStatus::failed) << to;
    }
    auto circle = srv("a.example", 1, 1, 5060, ".");
    circle.data = circle.data.substr(0, 6) + "\1x" + wire16(0xc000U | static_cast<unsigned>(at));
    EXPECT_EQ(decode(asked, {0, {circle}}).answer.status, AnswerStatus::failed);
    auto back = srv("a.example", 1, 1, 5060, ".");
    back.data = back.data.substr(0, 6) + "\1x" + wire16(0xc00cU);
    const auto decoded = decode(asked, {0, {back}});
    ASSERT_EQ(decoded.answer.status, AnswerStatus::found);
    EXPECT_EQ(std::get<SrvRecord>(decoded.answer.records[0]).target.text(), "x.a.example");
}

TEST(DnsMessage, NamesOfOtherCharactersAreNotUsed) {
    const auto asked = question("_sip._udp.example.com", RecordType::srv);
    auto dotted = srv(asked.name.text(), 1, 1, 5060, ".");
    dotted.data = dotted.data.substr(0, 6) + "\3a.b" + wire_name("example.com");  // one label
    const auto decoded = decode(
        asked,
        {0, {dotted, srv(asked.name.text(), 1, 1, 5060, "a b.example"), srv(asked.name.text(), 1, 1, 5060, "ok.example")}});
    ASSERT_EQ(decoded.answer.records.size(), 1U);
    EXPECT_EQ(std::get<SrvRecord>(decoded.answer.records[0]).target.text(), "ok.example");
}

}  // namespace
}  // namespace stox::net::test
