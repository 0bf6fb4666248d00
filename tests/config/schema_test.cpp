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

/// By path; options of the whole server have a word before it. The same are tried on what ejabberd says (econf_test.py).
std::map<std::string, Tried> read_tried() {
    std::ifstream file(STOX_TRIED);
    std::map<std::string, Tried> tried;
    const auto given = json::parse(file);
    for (const auto& [path, row] : given.items()) tried[path] = {row.at("good").dump(), row.at("bad").dump(), row.at("at")};
    return tried;
}

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
    const auto all = read_tried();
    EXPECT_EQ(all.size(), options().size()) << "a value of no option is tried";
    for (const auto& option : options()) {
        const auto path = (option.at("scope") == "engine" ? "engine " : "") + option.at("path").get<std::string>();
        SCOPED_TRACE(path);
        ASSERT_TRUE(all.contains(path)) << "no value of it is tried here";
        const auto& tried = all.at(path);
        const auto none = problems_of(option, tried.good);
        ASSERT_TRUE(none.empty()) << none.front().path << ": " << none.front().text;
        const auto problems = problems_of(option, tried.bad);
        ASSERT_EQ(problems.size(), 1u);
        EXPECT_EQ(problems.front().path, tried.at);
        EXPECT_FALSE(problems.front().text.empty());
    }
}

TEST(Schema, EveryRowIsWhole) {
    std::set<std::string> effects;
    for (const auto& option : options()) {
        SCOPED_TRACE(option.dump());
        for (const auto* member : {"path", "scope", "type", "default", "reload", "secret", "help"})
            EXPECT_TRUE(option.contains(member)) << member;
        EXPECT_TRUE(option.at("scope") == "engine" || option.at("scope") == "domain" || option.at("scope") == "peer");
        effects.insert(option.at("reload").get<std::string>());
    }
    EXPECT_EQ(effects, (std::set<std::string>{"live", "new-sessions", "restart"}));
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
