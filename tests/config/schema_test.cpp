// Every option of schema.json: a good value is taken, a bad one refused at its path; the page says the same as the schema.

#include "plugin/config/loader.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

namespace {

using namespace stox::config;
using nlohmann::json;

struct Tried {
    std::string good, bad;  ///< whole configurations
    std::string at;         ///< where the bad one is wrong
};

/// By path; options of the whole server have a word before it.
const std::map<std::string, Tried> kTried{
    {"engine bind",
     {R"({"bind":["udp:192.0.2.1:5060","tcp:[::]:5060","tls:[::]:5061"]})", R"({"bind":["sctp:192.0.2.1:5060"]})", "bind[0]"}},
    {"engine public_address", {R"({"public_address":"192.0.2.1"})", R"({"public_address":"gateway.example"})", "public_address"}},
    {"engine tls", {R"({"tls":{"certificate":"/a/c.pem","key":"/a/k.pem"}})", R"({"tls":"/a/c.pem"})", "tls"}},
    {"engine tls.certificate",
     {R"({"tls":{"certificate":"/a/c.pem","key":"/a/k.pem"}})", R"({"tls":{"certificate":"c.pem","key":"/a/k.pem"}})",
      "tls.certificate"}},
    {"engine tls.key",
     {R"({"tls":{"certificate":"/a/c.pem","key":"/a/k.pem"}})", R"({"tls":{"certificate":"/a/c.pem"}})", "tls.key"}},
    {"engine limits", {R"({"limits":{"connections":1}})", R"({"limits":5})", "limits"}},
    {"engine limits.per_source_rate",
     {R"({"limits":{"per_source_rate":0}})", R"({"limits":{"per_source_rate":-1}})", "limits.per_source_rate"}},
    {"engine limits.per_source_burst",
     {R"({"limits":{"per_source_burst":1}})", R"({"limits":{"per_source_burst":1000001}})", "limits.per_source_burst"}},
    {"engine limits.connections_per_source",
     {R"({"limits":{"connections_per_source":20}})", R"({"limits":{"connections_per_source":"many"}})",
      "limits.connections_per_source"}},
    {"engine limits.connections", {R"({"limits":{"connections":0}})", R"({"limits":{"connections":1.5}})", "limits.connections"}},
    {"engine limits.total_rate",
     {R"({"limits":{"total_rate":0}})", R"({"limits":{"total_rate":1000001}})", "limits.total_rate"}},
    {"engine limits.total_burst",
     {R"({"limits":{"total_burst":1}})", R"({"limits":{"total_burst":1000001}})", "limits.total_burst"}},
    {"engine limits.handshakes",
     {R"({"limits":{"handshakes":0}})", R"({"limits":{"handshakes":1000001}})", "limits.handshakes"}},
    {"engine limits.handshakes_per_source",
     {R"({"limits":{"handshakes_per_source":0}})", R"({"limits":{"handshakes_per_source":1000001}})", "limits.handshakes_per_source"}},
    {"engine limits.sources",
     {R"({"limits":{"sources":1024}})", R"({"limits":{"sources":1000001}})", "limits.sources"}},
    {"engine limits.write_queue_kib",
     {R"({"limits":{"write_queue_kib":1}})", R"({"limits":{"write_queue_kib":1000001}})", "limits.write_queue_kib"}},
    {"engine limits.stranger_write_queue_kib",
     {R"({"limits":{"stranger_write_queue_kib":1}})", R"({"limits":{"stranger_write_queue_kib":1000001}})", "limits.stranger_write_queue_kib"}},
    {"engine limits.write_queues_mib",
     {R"({"limits":{"write_queues_mib":1}})", R"({"limits":{"write_queues_mib":1000001}})", "limits.write_queues_mib"}},
    {"engine limits.headers",
     {R"({"limits":{"headers":16}})", R"({"limits":{"headers":1001}})", "limits.headers"}},
    {"engine limits.header_kib",
     {R"({"limits":{"header_kib":4}})", R"({"limits":{"header_kib":1025}})", "limits.header_kib"}},
    {"engine limits.body_kib",
     {R"({"limits":{"body_kib":1}})", R"({"limits":{"body_kib":1025}})", "limits.body_kib"}},
    {"engine limits.vias",
     {R"({"limits":{"vias":2}})", R"({"limits":{"vias":1001}})", "limits.vias"}},
    {"engine limits.routes",
     {R"({"limits":{"routes":1}})", R"({"limits":{"routes":1001}})", "limits.routes"}},
    {"engine limits.requests",
     {R"({"limits":{"requests":1}})", R"({"limits":{"requests":1000001}})", "limits.requests"}},
    {"engine limits.request_memory_mib",
     {R"({"limits":{"request_memory_mib":1}})", R"({"limits":{"request_memory_mib":1000001}})", "limits.request_memory_mib"}},
    {"engine limits.ban_refusals",
     {R"({"limits":{"ban_refusals":0}})", R"({"limits":{"ban_refusals":-1}})", "limits.ban_refusals"}},
    {"engine limits.ban_window_s",
     {R"({"limits":{"ban_window_s":1}})", R"({"limits":{"ban_window_s":0}})", "limits.ban_window_s"}},
    {"engine limits.ban_s", {R"({"limits":{"ban_s":86400}})", R"({"limits":{"ban_s":86401}})", "limits.ban_s"}},
    {"engine dns_servers",
     {R"({"dns_servers":["192.0.2.53","[2001:db8::53]:5353"]})", R"({"dns_servers":["ns.example"]})", "dns_servers[0]"}},
    {"engine state_dir", {R"({"state_dir":"/var/lib/stox/"})", R"({"state_dir":"stox"})", "state_dir"}},
    {"engine store_durability",
     {R"({"store_durability":"normal"})", R"({"store_durability":"ful"})", "store_durability"}},
    {"engine memory_limit_mib", {R"({"memory_limit_mib":64})", R"({"memory_limit_mib":63})", "memory_limit_mib"}},
    {"engine log_level", {R"({"log_level":"debug"})", R"({"log_level":"debg"})", "log_level"}},
    {"name", {R"({"name":"Phones"})", R"({"name":7})", "name"}},
    {"scheme", {R"({"scheme":"phone"})", R"({"scheme":"phones"})", "scheme"}},
    {"sip_domain", {R"({"sip_domain":"voip.example"})", R"({"sip_domain":"a b"})", "sip_domain"}},
    {"xmpp_domains", {R"({"xmpp_domains":["example.com"]})", R"({"xmpp_domains":["x@y"]})", "xmpp_domains[0]"}},
    {"nested_xmpp_domains",
     {R"({"nested_xmpp_domains":["example.com"]})", R"({"nested_xmpp_domains":["example.net"]})", "nested_xmpp_domains[0]"}},
    {"phone", {R"({"phone":{"dial_plan":"xxxx"}})", R"({"phone":"xxxx"})", "phone"}},
    {"phone.dial_plan",
     {R"({"phone":{"dial_plan":["*21#","xxxx","0."]}})", R"({"phone":{"dial_plan":["xxxx","+44."]}})", "phone.dial_plan[1]"}},
    {"phone.contexts",
     {R"({"phone":{"contexts":["example.com","+44"]}})", R"({"phone":{"contexts":["+"]}})", "phone.contexts[0]"}},
    {"phone.emergency_numbers",
     {R"({"phone":{"emergency_numbers":["112"]}})", R"({"phone":{"emergency_numbers":["112","x"]}})", "phone.emergency_numbers[1]"}},
    {"emergency_line",
     {R"({"scheme":"phone","emergency_line":"a","peers":{"a":{"next_hop":"sip:192.0.2.1"}}})",
      R"({"scheme":"phone","emergency_line":"b","peers":{"a":{"next_hop":"sip:192.0.2.1"}}})", "emergency_line"}},
    {"tls", {R"({"tls":{"verify_client":"optional"}})", R"({"tls":true})", "tls"}},
    {"tls.certificate",
     {R"({"tls":{"certificate":"/a/c.pem","key":"/a/k.pem"}})", R"({"tls":{"key":"/a/k.pem"}})", "tls.certificate"}},
    {"tls.key",
     {R"({"tls":{"certificate":"/a/c.pem","key":"/a/k.pem"}})", R"({"tls":{"certificate":"/a/c.pem","key":"k.pem"}})",
      "tls.key"}},
    {"tls.trust", {R"({"tls":{"trust":"/a/ca.pem"}})", R"({"tls":{"trust":"sytem"}})", "tls.trust"}},
    {"tls.verify_client",
     {R"({"tls":{"verify_client":"required"}})", R"({"tls":{"verify_client":"requird"}})", "tls.verify_client"}},
    {"digest", {R"({"digest":{"realm":"example.com"}})", R"({"digest":"realm"})", "digest"}},
    {"digest.realm", {R"({"digest":{"realm":"Example phones"}})", R"({"digest":{"realm":"a\"b"}})", "digest.realm"}},
    {"digest.algorithms",
     {R"({"digest":{"algorithms":["MD5"]}})", R"({"digest":{"algorithms":["SHA-256","SHA-1"]}})", "digest.algorithms[1]"}},
    {"digest.ha1_file", {R"({"digest":{"ha1_file":"/a/users"}})", R"({"digest":{"ha1_file":"users"}})", "digest.ha1_file"}},
    {"peers", {R"({"peers":{}})", R"({"peers":"none"})", "peers"}},
    {"peers.*.kind",
     {R"({"peers":{"a":{"kind":"trunk","next_hop":"sip:192.0.2.1"}}})", R"({"peers":{"a":{"kind":"trunc"}}})", "peers.a.kind"}},
    {"peers.*.match",
     {R"({"peers":{"a":{"match":[],"next_hop":"sip:192.0.2.1"}}})", R"({"peers":{"a":{"match":true}}})", "peers.a.match"}},
    {"peers.*.match.source",
     {R"({"peers":{"a":{"match":{"source":["192.0.2.0/24","2001:db8::1"]}}}})",
      R"({"peers":{"a":{"match":{"source":["192.0.2.1/24"]}}}})", "peers.a.match.source[0]"}},
    {"peers.*.match.tls_name",
     {R"({"tls":{"verify_client":"optional"},"peers":{"a":{"match":{"tls_name":["pbx.example"]}}}})",
      R"({"peers":{"a":{"match":{"tls_name":["pbx.example"]}}}})", "peers.a.match.tls_name"}},
    {"peers.*.match.user",
     {R"({"digest":{"ha1_file":"/a/users"},"peers":{"a":{"match":{"user":"alice"}}}})",
      R"({"digest":{"ha1_file":"/a/users"},"peers":{"a":{"match":{"user":["a:b"]}}}})", "peers.a.match.user[0]"}},
    {"peers.*.next_hop",
     {R"({"peers":{"a":{"next_hop":["sip:proxy.example","sips:192.0.2.1:5080",{"uri":"sip:192.0.2.2"}]}}})",
      R"({"peers":{"a":{"next_hop":["sip:proxy.example","tel:+1"]}}})", "peers.a.next_hop[1]"}},
    {"peers.*.next_hop.uri",
     {R"({"peers":{"a":{"next_hop":{"uri":"sip:[2001:db8::1];transport=tls"}}}})",
      R"({"peers":{"a":{"next_hop":[{"uri":"sip:u@proxy.example"}]}}})", "peers.a.next_hop[0].uri"}},
    {"peers.*.next_hop.priority",
     {R"({"peers":{"a":{"next_hop":[{"uri":"sip:192.0.2.1","priority":7}]}}})",
      R"({"peers":{"a":{"next_hop":[{"uri":"sip:192.0.2.1","priority":65536}]}}})", "peers.a.next_hop[0].priority"}},
    {"peers.*.next_hop.weight",
     {R"({"peers":{"a":{"next_hop":[{"uri":"sip:192.0.2.1","weight":0}]}}})",
      R"({"peers":{"a":{"next_hop":[{"uri":"sip:192.0.2.1","weight":"1"}]}}})", "peers.a.next_hop[0].weight"}},
    {"peers.*.auth",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","auth":{"user":"gw","password_file":"/a/p"}}}})",
      R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","auth":{"user":"gw"}}}})", "peers.a.auth"}},
    {"peers.*.auth.user",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","auth":{"user":"gw","password_file":"/a/p"}}}})",
      R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","auth":{"password_file":"/a/p"}}}})", "peers.a.auth.user"}},
    {"peers.*.auth.password_file",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","auth":{"user":"gw","password_file":"/a/p"}}}})",
      R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","auth":{"user":"gw","password_file":"p"}}}})", "peers.a.auth.password_file"}},
    {"peers.*.auth.ha1_file",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","auth":{"user":"gw","ha1_file":"/a/h"}}}})",
      R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","auth":{"user":"gw","ha1_file":7}}}})", "peers.a.auth.ha1_file"}},
    {"peers.*.auth.realms",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","auth":{"user":"gw","ha1_file":"/a/h","realms":["carrier.example"]}}}})",
      R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","auth":{"user":"gw","ha1_file":"/a/h","realms":[""]}}}})",
      "peers.a.auth.realms[0]"}},
    {"peers.*.probe",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","probe":false}}})",
      R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","probe":15}}})", "peers.a.probe"}},
    {"peers.*.identities",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","identities":["example.com","alice@example.com","+4420*","+442071230000-+442071239999","+44*@example.com"]}}})",
      R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","identities":["+4420x"]}}})", "peers.a.identities[0]"}},
    {"peers.*.pai",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","pai":"trusted"}}})",
      R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","pai":"truste"}}})", "peers.a.pai"}},
    {"peers.*.targets",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","targets":["example.com","+44"]}}})",
      R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","targets":["+"]}}})", "peers.a.targets[0]"}},
    {"peers.*.default",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","default":true}}})", R"({"peers":{"a":{"default":"yes"}}})",
      "peers.a.default"}},
    {"peers.*.trunk_domain",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","trunk_domain":"carrier.example"}}})",
      R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","trunk_domain":"a b"}}})", "peers.a.trunk_domain"}},
    {"peers.*.cpim",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","cpim":"never"}}})", R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","cpim":"on"}}})",
      "peers.a.cpim"}},
    {"peers.*.large_message",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","large_message":false}}})", R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","large_message":"tcp"}}})",
      "peers.a.large_message"}},
    {"peers.*.limits",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","limits":{}}}})", R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","limits":7}}})",
      "peers.a.limits"}},
    {"peers.*.limits.dialogs",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","limits":{"dialogs":10}}}})",
      R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","limits":{"dialogs":-1}}}})", "peers.a.limits.dialogs"}},
    {"peers.*.limits.transactions",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","limits":{"transactions":10}}}})",
      R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","limits":{"transactions":-1}}}})", "peers.a.limits.transactions"}},
    {"peers.*.limits.per_second",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","limits":{"per_second":10}}}})",
      R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","limits":{"per_second":-1}}}})", "peers.a.limits.per_second"}},
    {"pager_as_chat", {R"({"pager_as_chat":false})", R"({"pager_as_chat":0})", "pager_as_chat"}},
    {"message_hold_ms", {R"({"message_hold_ms":0})", R"({"message_hold_ms":2001})", "message_hold_ms"}},
    {"message_accept_code", {R"({"message_accept_code":200})", R"({"message_accept_code":204})", "message_accept_code"}},
    {"from_gr", {R"({"from_gr":true})", R"({"from_gr":"on"})", "from_gr"}},
    {"allow_6xx", {R"({"allow_6xx":true})", R"({"allow_6xx":6})", "allow_6xx"}},
    {"service_unavailable_code",
     {R"({"service_unavailable_code":403})", R"({"service_unavailable_code":503})", "service_unavailable_code"}},
    {"language", {R"({"language":"de-AT"})", R"({"language":"de, en"})", "language"}},
    {"user_rate", {R"({"user_rate":20})", R"({"user_rate":-1})", "user_rate"}},
    {"unique_call_id", {R"({"unique_call_id":false})", R"({"unique_call_id":"no"})", "unique_call_id"}},
    {"correction_mark", {R"({"correction_mark":"(corrected) "})", R"({"correction_mark":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})", "correction_mark"}},
    {"e2e_fallback", {R"({"e2e_fallback":true})", R"({"e2e_fallback":1})", "e2e_fallback"}},
    {"xhtml_im", {R"({"xhtml_im":true})", R"({"xhtml_im":"yes"})", "xhtml_im"}},
    {"chat_states", {R"({"chat_states":false})", R"({"chat_states":0})", "chat_states"}},
};

json options() { return json::parse(schema()).at("options"); }

std::vector<Problem> problems_of(const json& option, const std::string& configuration) {
    const auto take = [](const auto& loaded) {
        const auto* problems = std::get_if<std::vector<Problem>>(&loaded);
        return problems ? *problems : std::vector<Problem>{};
    };
    return option.at("scope") == "engine" ? take(load_engine(configuration))
                                          : take(load_domain("sip.example", {"example.com"}, configuration));
}

TEST(Schema, EveryOptionHasAGoodAndABadValueTried) {
    for (const auto& option : options()) {
        const auto path = (option.at("scope") == "engine" ? "engine " : "") + option.at("path").get<std::string>();
        SCOPED_TRACE(path);
        ASSERT_TRUE(kTried.contains(path)) << "no value of it is tried here";
        const auto& tried = kTried.at(path);
        const auto none = problems_of(option, tried.good);
        ASSERT_TRUE(none.empty()) << none.front().path << ": " << none.front().text;
        const auto problems = problems_of(option, tried.bad);
        ASSERT_EQ(problems.size(), 1u);
        EXPECT_EQ(problems.front().path, tried.at);
        EXPECT_FALSE(problems.front().text.empty());
    }
}

TEST(Schema, EveryRowIsWhole) {
    for (const auto& option : options()) {
        SCOPED_TRACE(option.dump());
        for (const auto* member : {"path", "scope", "type", "default", "reload", "secret", "help"})
            EXPECT_TRUE(option.contains(member)) << member;
        EXPECT_TRUE(option.at("scope") == "engine" || option.at("scope") == "domain" || option.at("scope") == "peer");
        EXPECT_TRUE(option.at("reload") == "live" || option.at("reload") == "new-sessions" || option.at("reload") == "restart");
    }
}

TEST(Schema, DefaultsAreThoseOfTheStructs) {
    EXPECT_EQ(std::get<EngineOptions>(load_engine("{}")), EngineOptions{});
    DomainOptions plain;
    plain.domain = "sip.example";
    plain.xmpp_domains = {"example.com"};
    plain.digest.realm = plain.domain;
    EXPECT_EQ(std::get<DomainOptions>(load_domain("sip.example", {"example.com"}, "[]")), plain);
    json engine = json::object(), domain = json::object(), peer = json::object();
    for (const auto& option : options()) {
        auto path = option.at("path").get<std::string>();
        if (option.at("default") == "" || option.at("type") == "section" || path.starts_with("peers.*.next_hop.")) continue;
        auto* section = option.at("scope") == "engine" ? &engine : option.at("scope") == "peer" ? &peer : &domain;
        if (section == &peer) path = path.substr(std::string("peers.*.").size());
        if (const auto dot = path.find('.'); dot != path.npos)
            section = &(*section)[path.substr(0, dot)], path = path.substr(dot + 1);
        (*section)[path] = option.at("default");
    }
    peer.erase("auth");
    peer["next_hop"] = "sip:192.0.2.1";
    EXPECT_EQ(std::get<DomainOptions>(load_domain("sip.example", {}, json{{"peers", {{"a", peer}}}}.dump())),
              std::get<DomainOptions>(load_domain("sip.example", {}, R"({"peers":{"a":{"next_hop":"sip:192.0.2.1"}}})")));
    EXPECT_EQ(std::get<EngineOptions>(load_engine(engine.dump())), EngineOptions{});
    EXPECT_EQ(std::get<DomainOptions>(load_domain("sip.example", {"example.com"}, domain.dump())), plain);
}

TEST(Schema, ThePageOfOptionsSaysTheSame) {
    std::ifstream file(STOX_OPTIONS_PAGE);
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    for (const auto& option : options()) {
        const auto value = option.at("default");
        const auto row = "| `" + option.at("path").get<std::string>() + "` | " + (value == "" ? "" : '`' + value.dump() + '`') +
                         " | " + option.at("reload").get<std::string>() + " | " + option.at("help").get<std::string>() + " |";
        EXPECT_NE(page.find(row), std::string::npos) << row;
    }
}

}  // namespace
