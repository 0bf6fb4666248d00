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

const std::map<std::string, Tried> kTried{
    {"bind", {R"({"bind":["udp:192.0.2.1:5060","tcp:[::]:5060"]})", R"({"bind":["sctp:192.0.2.1:5060"]})", "bind[0]"}},
    {"log_level", {R"({"log_level":"debug"})", R"({"log_level":"debg"})", "log_level"}},
    {"name", {R"({"name":"Phones"})", R"({"name":7})", "name"}},
    {"scheme", {R"({"scheme":"nested"})", R"({"scheme":"phone"})", "scheme"}},
    {"sip_domain", {R"({"sip_domain":"voip.example"})", R"({"sip_domain":"a b"})", "sip_domain"}},
    {"xmpp_domains", {R"({"xmpp_domains":["example.com"]})", R"({"xmpp_domains":["x@y"]})", "xmpp_domains[0]"}},
    {"peers", {R"({"peers":{}})", R"({"peers":"none"})", "peers"}},
    {"peers.*.kind",
     {R"({"peers":{"a":{"kind":"trunk","next_hop":"sip:192.0.2.1"}}})", R"({"peers":{"a":{"kind":"trunc"}}})", "peers.a.kind"}},
    {"peers.*.match",
     {R"({"peers":{"a":{"match":[],"next_hop":"sip:192.0.2.1"}}})", R"({"peers":{"a":{"match":true}}})", "peers.a.match"}},
    {"peers.*.match.source",
     {R"({"peers":{"a":{"match":{"source":["192.0.2.0/24","2001:db8::1"]}}}})",
      R"({"peers":{"a":{"match":{"source":["192.0.2.1/24"]}}}})", "peers.a.match.source[0]"}},
    {"peers.*.next_hop",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1:5080;transport=tcp"}}})", R"({"peers":{"a":{"next_hop":"sip:proxy.example"}}})",
      "peers.a.next_hop"}},
    {"peers.*.identities",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","identities":["example.com"]}}})", R"({"peers":{"a":{"identities":[7]}}})",
      "peers.a.identities[0]"}},
    {"peers.*.targets",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","targets":"example.com"}}})", R"({"peers":{"a":{"targets":{}}}})",
      "peers.a.targets"}},
    {"peers.*.default",
     {R"({"peers":{"a":{"next_hop":"sip:192.0.2.1","default":true}}})", R"({"peers":{"a":{"default":"yes"}}})",
      "peers.a.default"}},
    {"pager_as_chat", {R"({"pager_as_chat":false})", R"({"pager_as_chat":0})", "pager_as_chat"}},
    {"message_accept_code", {R"({"message_accept_code":200})", R"({"message_accept_code":204})", "message_accept_code"}},
    {"from_gr", {R"({"from_gr":true})", R"({"from_gr":"on"})", "from_gr"}},
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
        const auto path = option.at("path").get<std::string>();
        SCOPED_TRACE(path);
        ASSERT_TRUE(kTried.contains(path)) << "no value of it is tried here";
        const auto& tried = kTried.at(path);
        const auto none = problems_of(option, tried.good);
        EXPECT_TRUE(none.empty()) << none.front().path << ": " << none.front().text;
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
    EXPECT_EQ(std::get<DomainOptions>(load_domain("sip.example", {"example.com"}, "[]")), plain);
    json engine, domain;
    for (const auto& option : options()) {
        const auto path = option.at("path").get<std::string>();
        if (path.find('.') == path.npos && option.at("default") != "")
            (option.at("scope") == "engine" ? engine : domain)[path] = option.at("default");
    }
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
