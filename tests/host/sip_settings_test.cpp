// What the operator writes, in the words of the SIP endpoint: each option arrives where it acts, or is refused with its path and
// what would be right.

#include "plugin/host/sip_settings.h"
#include "plugin/config/loader.h"

#include <gtest/gtest.h>

#include <limits>

namespace {

using namespace stox;
using namespace stox::host;
using Seconds = std::chrono::seconds;

config::EngineOptions engine(const std::string& text) { return std::get<config::EngineOptions>(config::load_engine(text)); }

config::DomainOptions domain(const std::string& text) {
    return std::get<config::DomainOptions>(config::load_domain("capulet.test", {"montague.test"}, text));
}

template <class Loaded>
std::string problem_of(const Loaded& loaded) {
    const auto* problems = std::get_if<std::vector<config::Problem>>(&loaded);
    return problems && problems->size() == 1 ? problems->front().path + ": " + problems->front().text : "not one problem";
}

sip::Limits limits(const std::string& inside) { return sip_settings(engine(R"({"limits":{)" + inside + "}}")).limits; }

constexpr auto kNoNumber = std::numeric_limits<std::size_t>::max();
constexpr auto kNoRate = std::numeric_limits<unsigned>::max();

TEST(SipSettings, ListenersInTheirOrderWithTheirTransports) {
    const auto settings = sip_settings(engine(R"({"bind":["tls:192.0.2.1:5061","udp:[2001:db8::1]:5060"]})"));
    ASSERT_EQ(settings.listen.size(), 2u);
    EXPECT_EQ(settings.listen[0].transport, Transport::tls);
    EXPECT_EQ(settings.listen[0].endpoint.to_string(), "192.0.2.1:5061");
    EXPECT_EQ(settings.listen[1].transport, Transport::udp);
    EXPECT_EQ(settings.listen[1].endpoint.to_string(), "[2001:db8::1]:5060");
    EXPECT_EQ(settings.user_agent, std::string("stox/") + STOX_VERSION);
    EXPECT_FALSE(settings.public_address);
}

TEST(SipSettings, ThePublicAddressIsToldInsteadOfTheBoundOne) {
    EXPECT_EQ(sip_settings(engine(R"({"public_address":"203.0.113.7"})")).public_address, Address::v4({203, 0, 113, 7}));
}

TEST(SipSettings, CORE_45_ContactsNameEachListenerByItsOwnOrThePublicAddress) {
    const std::vector<sip::ListenAddress> bound{{Transport::udp, {Address::v4({192, 0, 2, 1}), 5060}},
                                                {Transport::tls, {Address::parse("2001:db8::1").value(), 5061}}};
    const auto own = own_addresses(bound, engine("{}"));
    ASSERT_EQ(own.size(), 2u);
    EXPECT_EQ(own[0].host, "192.0.2.1");
    EXPECT_EQ(own[0].port, 5060);
    EXPECT_EQ(own[1].host, "2001:db8::1");
    EXPECT_EQ(own[1].transport, Transport::tls);
    const auto behind = own_addresses(bound, engine(R"({"public_address":"198.51.100.9"})"));
    EXPECT_EQ(behind[0].host, "198.51.100.9");
    EXPECT_EQ(behind[1].host, "2001:db8::1") << "of the other family";
    const auto any = own_addresses({{Transport::udp, {Address::v4({0, 0, 0, 0}), 5060}}}, engine("{}"));
    EXPECT_NE(any[0].host, "0.0.0.0") << "nobody reaches that";
}

TEST(SipSettings, WithoutOptionsTheEdgesOwnLimitsHold) {
    const auto given = limits("");
    const sip::Limits own;
    EXPECT_EQ(given.source_rate, own.source_rate);
    EXPECT_EQ(given.source_burst, own.source_burst);
    EXPECT_EQ(given.connections_per_source, own.connections_per_source);
    EXPECT_EQ(given.connections, own.connections);
    EXPECT_EQ(given.total_rate, own.total_rate);
    EXPECT_EQ(given.total_burst, own.total_burst);
    EXPECT_EQ(given.handshakes, own.handshakes);
    EXPECT_EQ(given.handshakes_per_source, own.handshakes_per_source);
    EXPECT_EQ(given.sources, own.sources);
    EXPECT_EQ(given.write_queue, own.write_queue);
    EXPECT_EQ(given.stranger_write_queue, own.stranger_write_queue);
    EXPECT_EQ(given.write_queues, own.write_queues);
    EXPECT_EQ(given.headers, own.headers);
    EXPECT_EQ(given.header_octets, own.header_octets);
    EXPECT_EQ(given.body_octets, own.body_octets);
    EXPECT_EQ(given.via_values, own.via_values);
    EXPECT_EQ(given.route_values, own.route_values);
    ASSERT_TRUE(given.ban && own.ban);
    EXPECT_EQ(given.ban->refusals, own.ban->refusals);
    EXPECT_EQ(given.ban->window, own.ban->window);
    EXPECT_EQ(given.ban->length, own.ban->length);
}

TEST(SipSettings, EachLimitArrivesWhereItActs) {
    EXPECT_EQ(limits(R"("per_source_rate":7)").source_rate, 7u);
    EXPECT_EQ(limits(R"("per_source_burst":8)").source_burst, 8u);
    EXPECT_EQ(limits(R"("connections_per_source":9)").connections_per_source, 9u);
    EXPECT_EQ(limits(R"("connections":10)").connections, 10u);
    EXPECT_EQ(limits(R"("total_rate":14)").total_rate, 14u);
    EXPECT_EQ(limits(R"("total_burst":15)").total_burst, 15u);
    EXPECT_EQ(limits(R"("handshakes":16)").handshakes, 16u);
    EXPECT_EQ(limits(R"("handshakes_per_source":17)").handshakes_per_source, 17u);
    EXPECT_EQ(limits(R"("sources":1800)").sources, 1'800u);
    EXPECT_EQ(limits(R"("write_queue_kib":19)").write_queue, 19u * 1'024);
    EXPECT_EQ(limits(R"("stranger_write_queue_kib":20)").stranger_write_queue, 20u * 1'024);
    EXPECT_EQ(limits(R"("write_queues_mib":21)").write_queues, 21u << 20);
    EXPECT_EQ(limits(R"("headers":22)").headers, 22u);
    EXPECT_EQ(limits(R"("header_kib":23)").header_octets, 23u * 1'024);
    EXPECT_EQ(limits(R"("body_kib":24)").body_octets, 24u * 1'024);
    EXPECT_EQ(limits(R"("vias":25)").via_values, 25u);
    EXPECT_EQ(limits(R"("routes":26)").route_values, 26u);
    EXPECT_EQ(limits(R"("connect_s":29)").connect, Seconds(29));
    EXPECT_EQ(limits(R"("handshake_s":30)").handshake, Seconds(30));
    EXPECT_EQ(limits(R"("message_s":31)").message, Seconds(31));
    EXPECT_EQ(limits(R"("idle_s":32)").idle, Seconds(32));
    const auto settings = sip_settings(engine(R"({"limits":{"requests":27,"request_memory_mib":28}})"));
    EXPECT_EQ(settings.max_transactions, 27u);
    EXPECT_EQ(settings.max_transaction_octets, 28u << 20);
    const auto ban = limits(R"("ban_refusals":11,"ban_window_s":12,"ban_s":13)").ban.value();
    EXPECT_EQ(ban.refusals, 11u);
    EXPECT_EQ(ban.window, Seconds(12));
    EXPECT_EQ(ban.length, Seconds(13));
}

TEST(SipSettings, ZeroIsNoLimitAndNoBan) {
    EXPECT_EQ(limits(R"("per_source_rate":0)").source_rate, kNoRate);
    EXPECT_EQ(limits(R"("per_source_rate":0,"per_source_burst":0)").source_burst, kNoRate);
    EXPECT_EQ(limits(R"("connections_per_source":0)").connections_per_source, kNoNumber);
    EXPECT_EQ(limits(R"("connections":0)").connections, kNoNumber);
    EXPECT_FALSE(limits(R"("ban_refusals":0)").ban);
}

TEST(SipSettings, TheServersCertificateIsForThoseWhoNameNoDomain) {
    EXPECT_FALSE(tls_identity(engine("{}")));
    const auto identity = tls_identity(engine(R"({"tls":{"certificate":"/a/c.pem","key":"/a/k.pem"}})")).value();
    EXPECT_TRUE(identity.domains.empty());
    EXPECT_EQ(identity.certificate_chain, "/a/c.pem");
    EXPECT_EQ(identity.key, "/a/k.pem");
    EXPECT_EQ(identity.trust, sip::TlsIdentity::Trust::system);
    EXPECT_EQ(identity.verify_client, sip::TlsIdentity::VerifyClient::none);
}

TEST(SipSettings, ADomainHasItsOwnCertificateOrTheServers) {
    const config::CertificateFiles of_server{"/s/c.pem", "/s/k.pem"};
    const auto own =
        tls_identity(domain(R"({"sip_domain":"voip.test","tls":{"certificate":"/a/c.pem","key":"/a/k.pem"}})"), of_server);
    EXPECT_EQ(own.domains, (std::vector<std::string>{"capulet.test", "voip.test"}));
    EXPECT_EQ(own.certificate_chain, "/a/c.pem");
    EXPECT_EQ(own.key, "/a/k.pem");
    const auto shared = tls_identity(domain("{}"), of_server);
    EXPECT_EQ(shared.domains, std::vector<std::string>{"capulet.test"});
    EXPECT_EQ(shared.certificate_chain, "/s/c.pem");
    EXPECT_EQ(shared.key, "/s/k.pem");
    EXPECT_EQ(tls_identity(domain("{}"), {}).certificate_chain, "") << "for dialling alone";
}

TEST(SipSettings, ADomainSaysWhomItBelieves) {
    using Trust = sip::TlsIdentity::Trust;
    using Verify = sip::TlsIdentity::VerifyClient;
    const auto of = [](const std::string& inside) { return tls_identity(domain(R"({"tls":{)" + inside + "}}"), {}); };
    EXPECT_EQ(of("").trust, Trust::system);
    EXPECT_EQ(of(R"("trust":"system")").trust, Trust::system);
    EXPECT_EQ(of(R"("trust":"/a/root.pem")").trust, Trust::file);
    EXPECT_EQ(of(R"("trust":"/a/root.pem")").trust_file, "/a/root.pem");
    EXPECT_EQ(of("").verify_client, Verify::none);
    EXPECT_EQ(of(R"("verify_client":"none")").verify_client, Verify::none);
    EXPECT_EQ(of(R"("verify_client":"optional")").verify_client, Verify::optional);
    EXPECT_EQ(of(R"("verify_client":"required")").verify_client, Verify::required);
}

TEST(SipSettings, PeersAreWhereverAnyDomainHasThem) {
    const auto one =
        domain(R"({"peers":{"a":{"match":{"source":["192.0.2.0/24","2001:db8::/32"]}},"b":{"next_hop":"sip:192.0.2.9"}}})");
    const auto two = domain(R"({"peers":{"c":{"match":{"source":"198.51.100.7"}}}})");
    EXPECT_EQ(peer_sources({one, two}),
              (std::vector<Prefix>{Prefix::parse("192.0.2.0/24").value(), Prefix::parse("2001:db8::/32").value(),
                                   Prefix::parse("198.51.100.7").value()}));
    EXPECT_TRUE(peer_sources({}).empty());
}

TEST(SipSettings, WhatCannotBeIsRefusedInClearText) {
    const auto of_engine = [](const std::string& text) { return problem_of(config::load_engine(text)); };
    const auto of_domain = [](const std::string& text) { return problem_of(config::load_domain("capulet.test", {}, text)); };
    const std::vector<std::pair<std::string, std::string>> rows = {
        {of_engine(R"({"bind":["sctp:192.0.2.1:5060"]})"), R"(bind[0]: "sctp:192.0.2.1:5060": the transport is udp, tcp or tls)"},
        {of_engine(R"({"bind":["tls:gateway.test:5061"]})"),
         R"(bind[0]: "tls:gateway.test:5061": write transport:address:port with a numeric address, such as udp:0.0.0.0:5060)"},
        {of_engine(R"({"bind":[]})"), "bind: names no address: nothing would be listened for"},
        {of_engine(R"({"public_address":"gateway.test"})"), R"(public_address: "gateway.test": no IP address)"},
        {of_engine(R"({"limits":{"per_source_rate":-1}})"), "limits.per_source_rate: -1 is not within 0 to 1000000"},
        {of_engine(R"({"limits":{"per_source_burst":1000001}})"), "limits.per_source_burst: 1000001 is not within 0 to 1000000"},
        {of_engine(R"({"limits":{"connections_per_source":"many"}})"),
         R"(limits.connections_per_source: expected a whole number, not "many")"},
        {of_engine(R"({"limits":{"connections":1.5}})"), "limits.connections: expected a whole number, not 1.5"},
        {of_engine(R"({"limits":{"ban_refusals":-1}})"), "limits.ban_refusals: -1 is not within 0 to 1000000"},
        {of_engine(R"({"limits":{"total_burst":0}})"),
         "limits.total_burst: 0 with a rate would let nothing pass; set total_rate to 0 for no limit"},
        {of_engine(R"({"limits":{"per_source_burst":0}})"),
         "limits.per_source_burst: 0 with a rate would let nothing pass; set per_source_rate to 0 for no limit"},
        {of_engine(R"({"limits":{"ban_window_s":0}})"), "limits.ban_window_s: 0 is not within 1 to 86400"},
        {of_engine(R"({"limits":{"ban_s":86401}})"), "limits.ban_s: 86401 is not within 1 to 86400"},
        {of_engine(R"({"limits":{"ban_refusal":1}})"), "limits.ban_refusal: unknown option, did you mean ban_refusals?"},
        {of_engine(R"({"tls":{"certificate":"/a/c.pem"}})"), "tls.key: missing: a certificate and its key go together"},
        {of_engine(R"({"tls":{"certificate":"c.pem","key":"/a/k.pem"}})"),
         R"(tls.certificate: "c.pem": write the whole path of the file, from / on)"},
        {of_domain(R"({"tls":{"key":"/a/k.pem"}})"), "tls.certificate: missing: a certificate and its key go together"},
        {of_domain(R"({"tls":{"trust":"sytem"}})"), R"(tls.trust: "sytem": write system, or the whole path of a PEM file)"},
        {of_domain(R"({"tls":{"verify_client":"requird"}})"), R"(tls.verify_client: unknown "requird", did you mean required?)"},
        {of_domain(R"({"peers":{"a":{"match":{"source":["192.0.2.1/24"]}}}})"),
         R"(peers.a.match.source[0]: "192.0.2.1/24": bits set after the prefix length)"},
    };
    for (const auto& [told, expected] : rows) EXPECT_EQ(told, expected);
}

}  // namespace
