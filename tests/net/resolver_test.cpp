#include "net/resolver.h"
#include "tests/net/resolver_rig.h"
#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

namespace stox::net::test {
namespace {

using std::chrono::seconds;

std::ptrdiff_t open_descriptors() { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); }

std::string drop(const DnsServer::Query&) { return {}; }

TEST(Resolver, AnswersOfEachType) {
    ResolverRig rig;
    rig.server.zone = {address("a.example", "192.0.2.1"), address("a.example", "192.0.2.2"), address("a.example", "2001:db8::1"),
                       srv("_sip._udp.a.example", 1, 2, 5060, "a.example"),
                       naptr("a.example", 1, 2, "s", "SIP+D2U", "_sip._udp.a.example")};
    EXPECT_EQ(text(rig.ask("A.Example")), "192.0.2.1 192.0.2.2");
    EXPECT_EQ(text(rig.ask("a.example", RecordType::aaaa)), "2001:db8::1");
    EXPECT_EQ(std::get<SrvRecord>(rig.ask("_sip._udp.a.example", RecordType::srv).records.at(0)).weight, 2);
    EXPECT_EQ(std::get<NaptrRecord>(rig.ask("a.example", RecordType::naptr).records.at(0)).service, "sip+d2u");
    EXPECT_EQ(text(rig.ask("a.example", RecordType::srv)), "no records");
    EXPECT_EQ(text(rig.ask("b.example")), "no such name");
    EXPECT_TRUE(std::ranges::all_of(rig.server.queries, [](const auto& query) { return !query.tcp && query.extended; }));
}

TEST(Resolver, AskedOnceWithinTheTtl) {
    ResolverRig rig;
    rig.server.zone = {address("a.example", "192.0.2.1", 60)};
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(text(rig.ask("a.example")), "192.0.2.1");
        EXPECT_EQ(text(rig.ask("b.example")), "no such name");
    }
    EXPECT_EQ(rig.server.queries.size(), 2U);
    rig.now += seconds(31);
    rig.ask("a.example");
    rig.ask("b.example");  // 30 s for what is not there
    EXPECT_EQ(rig.server.queries.size(), 3U);
    rig.now += seconds(30);
    EXPECT_FALSE(rig.ask("a.example").stale);
    EXPECT_EQ(rig.server.queries.size(), 4U);
}

TEST(Resolver, SameQuestionIsAskedOnce) {
    ResolverRig rig;
    rig.server.zone = {address("a.example", "192.0.2.1")};
    int answered = 0;
    for (int i = 0; i < 100; ++i)
        rig.resolver().resolve(question("a.example", RecordType::a),
                               [&](const Answer& answer) { answered += text(answer) == "192.0.2.1"; });
    EXPECT_EQ(answered, 0) << "answered from inside the call";
    EXPECT_EQ(rig.resolver().outstanding(), 1U);
    rig.run_until([&] { return answered == 100; });
    EXPECT_EQ(rig.server.queries.size(), 1U);
    EXPECT_EQ(rig.resolver().outstanding(), 0U);
    EXPECT_EQ(rig.resolver().waiting(), 0U);
}

TEST(Resolver, RefusingServerGivesWayToTheNext) {
    ResolverRig rig;
    DnsServer second(rig.loop);
    second.zone = {address("a.example", "192.0.2.1")};
    rig.settings.ares.servers += "," + second.address();
    rig.server.special = [](const auto& query) { return DnsServer::encode(query, {2, {}}); };
    EXPECT_EQ(text(rig.ask("a.example")), "192.0.2.1");
    second.special = rig.server.special;
    EXPECT_EQ(text(rig.ask("b.example")), "no usable answer");
}

TEST(Resolver, NobodyThere) {
    ResolverRig rig;
    {
        DnsServer gone(rig.loop);
        rig.settings.ares.servers = gone.address();
    }
    const auto answer = rig.ask("a.example");
    EXPECT_EQ(text(answer), "no usable answer");
    EXPECT_FALSE(answer.detail.empty());
}

TEST(Resolver, TruncatedAnswerIsAskedForByTcp) {
    ResolverRig rig;
    for (int i = 0; i < 40; ++i) rig.server.zone.push_back(address("a.example", "192.0.2." + std::to_string(i)));
    rig.server.special = [&](const auto& query) -> std::optional<std::string> {
        if (query.tcp) return std::nullopt;
        return DnsServer::encode(query, {0, {}, true});
    };
    EXPECT_EQ(rig.ask("a.example").records.size(), 40U);
    ASSERT_EQ(rig.server.queries.size(), 2U);
    EXPECT_TRUE(rig.server.queries[1].tcp);
}

/// As many as 64 KiB can hold, and a header that claims more.
TEST(Resolver, ThousandsOfRecordsAreCutToTheBound) {
    ResolverRig rig;
    rig.server.special = [](const auto& query) {
        if (!query.tcp) return DnsServer::encode(query, {0, {}, true});
        Reply reply;
        for (int i = 0; i < 4'000; ++i) reply.answers.push_back(address("a.example", "192.0.2.1"));
        auto octets = DnsServer::encode(query, reply);
        return octets.replace(6, 2, wire16(5'000));
    };
    EXPECT_EQ(rig.ask("a.example").records.size(), kMaxRecords);
}

TEST(Resolver, OldServerWithoutExtensions) {
    ResolverRig rig;
    rig.server.zone = {address("a.example", "192.0.2.1")};
    rig.server.special = [](const auto& query) -> std::optional<std::string> {
        if (!query.extended) return std::nullopt;
        return DnsServer::encode(query, {1, {}});
    };
    EXPECT_EQ(text(rig.ask("a.example")), "192.0.2.1");
}

TEST(Resolver, AnswersThatFitNoQuestionAreNotTaken) {
    ResolverRig rig;
    rig.be_impatient();
    rig.server.zone = {address("a.example", "192.0.2.1")};
    rig.server.special = [first = true](const auto& query) mutable -> std::optional<std::string> {
        if (!std::exchange(first, false)) return std::nullopt;
        auto wrong = query;
        wrong.name = "b.example";  // right id, another question; the second try is answered rightly
        return DnsServer::encode(wrong, {0, {address("b.example", "203.0.113.66"), address("a.example", "203.0.113.66")}});
    };
    EXPECT_EQ(text(rig.ask("a.example")), "192.0.2.1");
    rig.server.special = nullptr;
    EXPECT_EQ(text(rig.ask("b.example")), "no such name") << "what came with another question was kept";
}

TEST(Resolver, SilenceTimesOut) {
    ResolverRig rig;
    rig.be_impatient();
    rig.server.special = drop;
    EXPECT_EQ(text(rig.ask("a.example")), "no answer in time");
    EXPECT_EQ(rig.server.queries.size(), 2U);  // tries
    EXPECT_EQ(text(rig.ask("a.example")), "no answer in time");
    EXPECT_EQ(rig.server.queries.size(), 2U) << "asked again within a second";
}

TEST(Resolver, StaleAnswerWhenTheServersAreSilent) {
    ResolverRig rig;
    rig.be_impatient();
    rig.server.zone = {address("a.example", "192.0.2.1", 60)};
    rig.ask("a.example");
    rig.now += seconds(61);
    rig.server.special = drop;
    const auto stale = rig.ask("a.example");
    EXPECT_TRUE(stale.stale);
    EXPECT_EQ(text(stale), "192.0.2.1");
    const auto queries = rig.server.queries.size();
    rig.now += seconds(29);
    EXPECT_TRUE(rig.ask("a.example").stale);
    EXPECT_EQ(rig.server.queries.size(), queries) << "a dead server is asked for each call";
    rig.now += seconds(2);
    rig.server.special = nullptr;
    EXPECT_FALSE(rig.ask("a.example").stale);
    rig.server.special = drop;
    rig.now += seconds(60 + 3'600);
    EXPECT_EQ(text(rig.ask("a.example")), "no answer in time");
}

/// The servers answer after the caller has been given the stale answer: for the next one.
TEST(Resolver, SlowAnswerRenewsTheCache) {
    ResolverRig rig;
    rig.settings.stale_after = std::chrono::milliseconds(30);
    rig.server.zone = {address("a.example", "192.0.2.1", 60)};
    rig.ask("a.example");
    rig.now += seconds(61);
    rig.server.zone = {address("a.example", "192.0.2.2", 60)};
    rig.server.hold = true;
    EXPECT_EQ(text(rig.ask("a.example")), "192.0.2.1");
    EXPECT_TRUE(rig.ask("a.example").stale) << "who comes later waits no longer";
    EXPECT_EQ(rig.resolver().outstanding(), 1U);
    rig.server.release();
    rig.run_until([&] { return rig.resolver().outstanding() == 0; });
    EXPECT_EQ(text(rig.ask("a.example")), "192.0.2.2");
    EXPECT_EQ(rig.server.queries.size(), 2U);
}

TEST(Resolver, QuestionLimit) {
    ResolverRig rig;
    rig.settings.question_limit = std::chrono::milliseconds(30);
    rig.server.hold = true;
    rig.server.zone = {address("a.example", "192.0.2.1")};
    EXPECT_EQ(text(rig.ask("a.example")), "no answer in time");
    EXPECT_EQ(text(rig.ask("a.example")), "no answer in time");
    EXPECT_EQ(rig.server.queries.size(), 1U);
    rig.server.release();
    rig.run_until([&] { return rig.resolver().outstanding() == 0; });
    EXPECT_EQ(text(rig.ask("a.example")), "192.0.2.1");
}

TEST(Resolver, AliasesWithinAndAcrossAnswers) {
    ResolverRig rig;
    rig.server.zone = {alias("a.example", "b.example", 60), alias("b.example", "c.example", 5),
                       address("c.example", "192.0.2.1", 60)};
    EXPECT_EQ(text(rig.ask("a.example")), "192.0.2.1");
    EXPECT_EQ(rig.server.queries.size(), 1U);
    // One alias to an answer, as a server does that knows no more.
    rig.server.special = [&](const auto& query) -> std::optional<std::string> {
        auto reply = rig.server.reply(query);
        reply.answers.resize(1);
        return DnsServer::encode(query, reply);
    };
    const auto answer = rig.ask("a.example", RecordType::a);
    EXPECT_EQ(text(answer), "192.0.2.1");
    rig.now += seconds(6);  // the smallest TTL of the chain was 5
    EXPECT_EQ(text(rig.ask("a.example")), "192.0.2.1");
    EXPECT_EQ(rig.server.queries.size(), 4U);
    EXPECT_EQ(rig.server.queries.back().name, "c.example");
    rig.now += seconds(6);
    rig.ask("a.example");
    EXPECT_EQ(rig.server.queries.size(), 7U) << "the TTL of an alias asked for earlier was forgotten";
}

TEST(Resolver, AliasLoopEnds) {
    ResolverRig rig;
    rig.server.special = [](const auto& query) {
        const std::string other = query.name == "a.example" ? "b.example" : "a.example";
        return DnsServer::encode(query, {0, {alias(query.name, other)}});
    };
    EXPECT_EQ(text(rig.ask("a.example")), "no usable answer");
    EXPECT_EQ(rig.server.queries.size(), kMaxAliases + 1);
    // A chain that grows for ever.
    rig.server.special = [](const auto& query) { return DnsServer::encode(query, {0, {alias(query.name, "x." + query.name)}}); };
    EXPECT_EQ(text(rig.ask("c.example")), "no usable answer");
}

TEST(Resolver, OutstandingQuestionsAreBounded) {
    ResolverRig rig;
    rig.server.special = drop;
    int answered = 0;
    std::string last;
    const auto ask = [&](int i) {
        rig.resolver().resolve(question("n" + std::to_string(i) + ".example", RecordType::a), [&](const Answer& answer) {
            ++answered;
            last = answer.detail;
        });
    };
    for (int i = 0; i < 1'000; ++i) ask(i);
    EXPECT_EQ(rig.resolver().outstanding(), 1'000U);
    ask(1'000);
    rig.run_until([&] { return answered == 1; });
    EXPECT_EQ(last, "too many questions at the DNS servers");
    ask(0);  // one that is already out may be joined
    EXPECT_EQ(rig.resolver().waiting(), 1'001U);
}

TEST(Resolver, CallersAreBounded) {
    ResolverRig rig;
    rig.settings.max_waiting = 10;
    rig.server.hold = true;
    std::vector<std::string> answers;
    const auto ask = [&] {
        return rig.resolver().resolve(question("a.example", RecordType::a),
                                      [&](const Answer& answer) { answers.push_back(answer.detail); });
    };
    // Those that were cancelled take no place.
    for (int i = 0; i < 1'000; ++i) rig.resolver().cancel(ask());
    for (int i = 0; i < 11; ++i) ask();
    rig.run_until([&] { return answers.size() == 1; });
    EXPECT_EQ(answers[0], "too many wait for the DNS");
    rig.server.release();
    rig.run_until([&] { return answers.size() == 11; });
}

TEST(Resolver, CancelledCallersHearNothing) {
    ResolverRig rig;
    rig.server.zone = {address("a.example", "192.0.2.1")};
    int heard = 0;
    const auto asked = question("a.example", RecordType::a);
    const auto first = rig.resolver().resolve(asked, [&](const Answer&) { ++heard; });
    rig.resolver().cancel(first);
    rig.run_until([&] { return rig.resolver().outstanding() == 0; });
    // Answered from the cache, cancelled before the callback came.
    const auto second = rig.resolver().resolve(asked, [&](const Answer&) { ++heard; });
    rig.resolver().cancel(second);
    rig.resolver().cancel(second);
    rig.resolver().cancel(12'345);
    EXPECT_EQ(text(rig.ask("a.example")), "192.0.2.1");
    EXPECT_EQ(rig.server.queries.size(), 1U) << "the answer to the cancelled question was kept";
    EXPECT_EQ(heard, 0);
}

TEST(Resolver, DestroyedInACallbackAndWithQuestionsOut) {
    ResolverRig rig;
    rig.server.zone = {address("a.example", "192.0.2.1")};
    rig.loop.poll();  // the loop's own descriptors are there
    const auto descriptors = open_descriptors();
    int heard = 0;
    for (int i = 0; i < 3; ++i)
        rig.resolver().resolve(question("a.example", RecordType::a), [&](const Answer&) {
            ++heard;
            rig.made.reset();
        });
    rig.run_until([&] { return !rig.made; });
    EXPECT_EQ(heard, 1);

    rig.server.hold = true;
    rig.server.special = [](const auto& query) {
        return query.tcp ? std::optional<std::string>() : DnsServer::encode(query, {0, {}, true});
    };
    rig.resolver().resolve(question("a.example", RecordType::a), [&](const Answer&) { ++heard; });
    rig.resolver().resolve(question("proxy.lan", RecordType::a), [&](const Answer&) { ++heard; });
    rig.run_until([&] { return heard == 2; });  // the second, from the hosts file
    rig.made.reset();
    rig.loop.restart();
    rig.loop.poll();
    EXPECT_EQ(heard, 2);
    EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(Resolver, HostsFileAndLocalhostNeedNoServer) {
    ResolverRig rig;
    EXPECT_EQ(text(rig.ask("proxy.lan")), "192.0.2.77");
    EXPECT_EQ(text(rig.ask("proxy.lan", RecordType::aaaa)), "no records");
    EXPECT_EQ(text(rig.ask("localhost")), "127.0.0.1");
    EXPECT_TRUE(rig.server.queries.empty());
    rig.write("hosts", "192.0.2.78 proxy.lan\n");
    rig.now += std::chrono::milliseconds(4'999);
    EXPECT_EQ(text(rig.ask("proxy.lan")), "192.0.2.77");
    rig.now += std::chrono::milliseconds(1);
    EXPECT_EQ(text(rig.ask("proxy.lan")), "192.0.2.78");
    std::filesystem::remove(rig.path("hosts"));
    rig.now += seconds(5);
    EXPECT_EQ(text(rig.ask("proxy.lan")), "no such name");
}

/// Other servers in resolv.conf: they are asked, also what the old ones left unanswered; known answers are asked for anew.
TEST(Resolver, ResolvConfIsReadAgain) {
    ResolverRig rig;
    DnsServer other(rig.loop, rig.server.port(), "127.0.0.2");
    rig.settings.ares.servers.clear();
    rig.settings.ares.port = rig.server.port();
    rig.settings.ares.resolv_conf = rig.path("resolv.conf");
    rig.write("resolv.conf", "nameserver 127.0.0.1\n");
    rig.server.zone = {address("a.example", "192.0.2.1")};
    other.zone = {address("a.example", "192.0.2.2"), address("b.example", "192.0.2.3")};
    EXPECT_EQ(text(rig.ask("a.example")), "192.0.2.1");
    rig.server.special = drop;
    std::string answer;
    rig.resolver().resolve(question("b.example", RecordType::a), [&](const Answer& got) { answer = text(got); });
    rig.run_until([&] { return rig.server.queries.size() == 2; });

    rig.write("resolv.conf", "nameserver 127.0.0.2\n");
    EXPECT_EQ(text(rig.ask("a.example")), "192.0.2.1");
    rig.now += seconds(5);
    EXPECT_EQ(text(rig.ask("a.example")), "192.0.2.2");
    rig.run_until([&] { return !answer.empty(); });
    EXPECT_EQ(answer, "192.0.2.3");
    EXPECT_EQ(rig.server.queries.size(), 2U);
}

TEST(Resolver, AnotherProvisioningDomainIsNotAskedHere) {
    ResolverRig rig;
    rig.server.zone = {address("a.example", "192.0.2.1")};
    std::optional<Answer> got;
    auto asked = question("a.example", RecordType::a);
    asked.domain = static_cast<ProvisioningDomain>(1);
    rig.resolver().resolve(asked, [&](const Answer& answer) { got = answer; });
    rig.run_until([&] { return got.has_value(); });
    EXPECT_EQ(got->status, AnswerStatus::failed);
    EXPECT_TRUE(rig.server.queries.empty());
}

TEST(Resolver, UnreadableListOfServers) {
    ResolverRig rig;
    rig.settings.ares.servers = "not an address";
    EXPECT_EQ(stox::test::code(Resolver::open(rig.loop, rig.settings)), Code::unavailable);
}

}  // namespace
}  // namespace stox::net::test
