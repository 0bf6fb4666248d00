// What an operator reads about a set-up that is broken in one way: whole lines.
#include "plugin/host/doctor/judge.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <variant>

namespace {

using namespace stox;
using namespace stox::doctor;

config::DomainOptions domain_of(const std::string& options) {
    auto loaded = config::load_domain("sip.example.com", {"example.com"}, options);
    return std::get<config::DomainOptions>(std::move(loaded));
}

config::Listener listener(Transport transport, const char* endpoint) { return {transport, Endpoint::parse(endpoint).value()}; }

/// A set-up that has nothing wrong with it.
Facts healthy() {
    Facts facts;
    facts.user = "prosody";
    facts.engine.emplace();
    facts.domains = {domain_of(R"({"peers":{"carrier":{"match":{"source":["192.0.2.0/24"]},"next_hop":"sip:sip.carrier.test"}}})")};
    facts.ports = {{listener(Transport::udp, "0.0.0.0:5060")}};
    facts.state = {"/var/lib/prosody/stox/state", "/var/lib/prosody/stox/state", true, "prosody", 0700, true, 10ull << 30};
    facts.name_servers = {"192.0.2.53"};
    facts.hops = {{"sip.example.com", "carrier", "sip:sip.carrier.test", true, {}, {{"udp:192.0.2.1:5060"}}}};
    facts.descriptors = 65'536;
    return facts;
}

/// All but what is well.
std::string complaints(const Facts& facts) {
    auto findings = judge(facts);
    std::erase_if(findings, [](const Finding& finding) { return finding.level == Level::ok; });
    return as_text(findings);
}

}  // namespace

TEST(DoctorJudge, NothingIsWrong) {
    EXPECT_EQ(as_text(judge(healthy())),
              "ok       configuration 1 domain, no mistakes found\n"
              "ok       listeners     udp:0.0.0.0:5060 is free\n"
              "ok       state         /var/lib/prosody/stox/state is ours\n"
              "ok       descriptors   the worker may have 65536\n"
              "ok       clock         synchronised\n"
              "ok       dns           asked 192.0.2.53\n"
              "ok       next hops     sip.example.com peer carrier: udp:192.0.2.1:5060 answers\n"
              "0 errors, 0 warnings\n");
    EXPECT_EQ(exit_status(judge(healthy())), 0);
}

TEST(DoctorJudge, APortThatIsTaken) {
    auto facts = healthy();
    facts.ports[0].error = EADDRINUSE;
    EXPECT_EQ(complaints(facts),
              "error    listeners     udp:0.0.0.0:5060 is taken by a program of another user; stop that program, or choose another port in \"bind\"\n"
              "1 error, 0 warnings\n");
    facts.ports[0].holder = "kamailio", facts.ports[0].holder_pid = 312;
    EXPECT_EQ(complaints(facts),
              "error    listeners     udp:0.0.0.0:5060 is taken by kamailio (pid 312); stop that program, or choose another port in \"bind\"\n"
              "1 error, 0 warnings\n");
    EXPECT_EQ(exit_status(judge(facts)), 2);
    facts.worker_pid = 312;
    EXPECT_EQ(complaints(facts), "0 errors, 0 warnings\n") << "that is the worker itself, whatever its program is called";
    facts.ports[0] = {listener(Transport::tcp, "127.0.0.1:9516"), EADDRINUSE, "prometheus", 7, "metrics.listen"};
    EXPECT_EQ(complaints(facts),
              "error    listeners     tcp:127.0.0.1:9516 is taken by prometheus (pid 7); stop that program, or choose another port in \"metrics.listen\"\n"
              "1 error, 0 warnings\n");
}

// A name is no proof.
TEST(DoctorJudge, WhoIsCalledAsTheWorkerIsNeedNotBeIt) {
    auto facts = healthy();
    facts.ports[0].error = EADDRINUSE, facts.ports[0].holder = "stoxd", facts.ports[0].holder_pid = 312;
    facts.worker_socket = "/var/lib/stox/admin.sock", facts.worker_pid = 7;
    EXPECT_EQ(complaints(facts),
              "error    listeners     udp:0.0.0.0:5060 is taken by stoxd (pid 312), another worker than the one of this configuration; stop that program, "
              "or choose another port in \"bind\"\n"
              "1 error, 0 warnings\n");
    facts.worker_pid = 0;
    EXPECT_EQ(complaints(facts),
              "warning  listeners     udp:0.0.0.0:5060 is taken by stoxd (pid 312), perhaps the worker: nobody is seen at /var/lib/stox/admin.sock who could "
              "say so; look whose process it is, and stop that program, or choose another port in \"bind\" if it is another's\n"
              "0 errors, 1 warning\n");
}

TEST(DoctorJudge, AnAddressOfAnotherMachine) {
    auto facts = healthy();
    facts.ports = {{listener(Transport::tcp, "198.51.100.7:5060"), EADDRNOTAVAIL}};
    EXPECT_EQ(complaints(facts),
              "error    listeners     tcp:198.51.100.7:5060: no interface of this machine has that address; correct \"bind\", or bind 0.0.0.0; a NAT's "
              "outer address belongs into \"public_address\"\n"
              "1 error, 0 warnings\n");
}

TEST(DoctorJudge, APortThatNeedsAPrivilege) {
    auto facts = healthy();
    facts.ports = {{listener(Transport::tls, "0.0.0.0:443"), EACCES}};
    EXPECT_EQ(complaints(facts),
              "error    listeners     tls:0.0.0.0:443: ports below 1024 need a privilege; choose one from 1024 in \"bind\", or give the service "
              "CAP_NET_BIND_SERVICE\n"
              "1 error, 0 warnings\n");
}

TEST(DoctorJudge, APortAmongTheEphemeralOnes) {
    auto facts = healthy();
    facts.ports = {{listener(Transport::udp, "0.0.0.0:50600")}};
    EXPECT_EQ(complaints(facts),
              "warning  listeners     udp:0.0.0.0:50600 lies in the range that the kernel hands out to others (32768-60999), and may be gone at a "
              "restart; add it to net.ipv4.ip_local_reserved_ports, or choose another\n"
              "0 errors, 1 warning\n");
    EXPECT_EQ(exit_status(judge(facts)), 1);
    facts.reserved = {{50'000, 50'999}};
    EXPECT_EQ(complaints(facts), "0 errors, 0 warnings\n");
}

TEST(DoctorJudge, AStateFolderOfSomebodyElse) {
    auto facts = healthy();
    facts.state.owner = "root", facts.state.usable = false;
    EXPECT_EQ(complaints(facts),
              "error    state         /var/lib/prosody/stox/state belongs to root, and prosody may not write there; chown -R prosody "
              "/var/lib/prosody/stox/state\n"
              "1 error, 0 warnings\n");
    facts.state.path = "/var/lib";
    EXPECT_EQ(complaints(facts),
              "error    state         /var/lib belongs to root, and prosody may not write there; make /var/lib/prosody/stox/state for prosody, or set "
              "\"state_dir\"\n"
              "1 error, 0 warnings\n");
}

TEST(DoctorJudge, AStateFolderThatOthersMayRead) {
    auto facts = healthy();
    facts.state.mode = 0755;
    EXPECT_EQ(complaints(facts),
              "warning  state         /var/lib/prosody/stox/state holds messages and is open to others than prosody; chmod 700 /var/lib/prosody/stox/state\n"
              "0 errors, 1 warning\n");
}

TEST(DoctorJudge, AFullDisk) {
    auto facts = healthy();
    facts.state.free_octets = 5u << 20;
    EXPECT_EQ(complaints(facts),
              "error    state         /var/lib/prosody/stox/state has 5 MiB of room: messages will be refused; make room, or set \"state_dir\" to "
              "another disk\n"
              "1 error, 0 warnings\n");
}

TEST(DoctorJudge, TooFewDescriptors) {
    auto facts = healthy();
    facts.descriptors = 1'024;
    EXPECT_EQ(complaints(facts),
              "warning  descriptors   the worker may have 1024, and limits.connections asks for 2256: connections beyond will be shed; raise the hard "
              "limit (LimitNOFILE of the service), or lower limits.connections\n"
              "0 errors, 1 warning\n");
}

TEST(DoctorJudge, AClockThatNobodySets) {
    auto facts = healthy();
    facts.clock_synchronised = false;
    EXPECT_EQ(complaints(facts),
              "warning  clock         nothing synchronises it: certificates and the times of messages depend on it; run chrony or systemd-timesyncd\n"
              "0 errors, 1 warning\n");
}

TEST(DoctorJudge, AnExpiredCertificateAndAnOpenSecret) {
    auto facts = healthy();
    facts.certificates = {{"sip.example.com", {{"tls.certificate", "/etc/stox/chain.pem: the certificate has expired"}}, {}}};
    facts.secrets = {{"sip.example.com", {}, {"peers.carrier.auth.password_file: everybody may read it"}}};
    EXPECT_EQ(complaints(facts),
              "error    certificates  sip.example.com: tls.certificate: /etc/stox/chain.pem: the certificate has expired; the domain is refused until this "
              "is right\n"
              "warning  secrets       sip.example.com: peers.carrier.auth.password_file: everybody may read it\n"
              "1 error, 1 warning\n");
}

TEST(DoctorJudge, NoNameServer) {
    auto facts = healthy();
    facts.name_servers.clear();
    facts.hops[0].targets.clear();
    facts.hops[0].error = "no answer";
    EXPECT_EQ(complaints(facts),
              "error    dns           next hops have names, and /etc/resolv.conf names no name server; set \"dns_servers\", or name one there\n"
              "error    next hops     sip.example.com peer carrier: sip:sip.carrier.test cannot be located: no answer; correct next_hop, or its DNS records\n"
              "2 errors, 0 warnings\n");
    facts.name_servers = {"192.0.2.53", "192.0.2.54"};
    EXPECT_NE(complaints(facts).find("no next hop could be located through 192.0.2.53, 192.0.2.54; check that these name servers answer"), std::string::npos);
}

TEST(DoctorJudge, ANextHopThatRefusesAndOneThatIsSilent) {
    auto facts = healthy();
    facts.hops[0].targets = {{"tcp:192.0.2.1:5060", "Connection refused"}, {"udp:192.0.2.2:5060", {}, true}};
    EXPECT_EQ(complaints(facts),
              "error    next hops     sip.example.com peer carrier: tcp:192.0.2.1:5060: Connection refused; start it, correct next_hop, or open the "
              "firewall\n"
              "warning  next hops     sip.example.com peer carrier: udp:192.0.2.2:5060 did not answer an OPTIONS from a port that it does not know; look "
              "for a firewall if its state in \"peers\" is down too\n"
              "1 error, 1 warning\n");
}

TEST(DoctorJudge, AConfigurationThatIsRefused) {
    auto facts = healthy();
    facts.problems = {{"sip.example.com", {"peers.carrier.kind", "unknown value \"trunc\", did you mean trunk?"}}};
    EXPECT_EQ(complaints(facts),
              "error    configuration sip.example.com: peers.carrier.kind: unknown value \"trunc\", did you mean trunk?; the configuration is refused "
              "until this is right\n"
              "1 error, 0 warnings\n");
}

TEST(DoctorJudge, PeersThatLeadNowhere) {
    auto facts = healthy();
    facts.hops.clear(), facts.name_servers.clear();
    facts.domains = {domain_of("{}")};
    EXPECT_EQ(complaints(facts),
              "error    peers         sip.example.com: there are none, so nothing goes either way; add one to \"peers\"\n"
              "1 error, 0 warnings\n");
    facts.domains = {domain_of(R"({"peers":{"carrier":{"match":{"source":["192.0.2.0/24"]}}}})")};
    EXPECT_EQ(complaints(facts),
              "warning  peers         sip.example.com: none has a next_hop, so nothing is sent by SIP; set next_hop in one of them\n"
              "0 errors, 1 warning\n");
    facts.domains = {domain_of(R"({"peers":{"carrier":{"next_hop":"sip:192.0.2.1"}}})")};
    EXPECT_EQ(complaints(facts),
              "warning  peers         sip.example.com: none has a match, so all of SIP is a stranger to it and refused; set match.source, match.tls_name "
              "or match.user in one of them\n"
              "0 errors, 1 warning\n");
}

TEST(DoctorJudge, TheSameAsJson) {
    auto facts = healthy();
    facts.clock_synchronised = false;
    auto findings = judge(facts);
    std::erase_if(findings, [](const Finding& finding) { return finding.level == Level::ok; });
    EXPECT_EQ(as_json(findings), "{\n"
                                 "  \"errors\": 0,\n"
                                 "  \"findings\": [\n"
                                 "    {\n"
                                 "      \"advice\": \"run chrony or systemd-timesyncd\",\n"
                                 "      \"check\": \"clock\",\n"
                                 "      \"level\": \"warning\",\n"
                                 "      \"text\": \"nothing synchronises it: certificates and the times of messages depend on it\"\n"
                                 "    }\n"
                                 "  ],\n"
                                 "  \"version\": \"" STOX_VERSION "\",\n"
                                 "  \"warnings\": 1\n"
                                 "}\n");
}
