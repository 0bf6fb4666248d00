#include "net/address_selection.h"

#include "net/selection_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

namespace stox::net::test {
namespace {

constexpr int kOut = 2, kElsewhere = 3;

Address address(const std::string& text) { return Address::parse(text).value(); }

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, separator);)
        if (!part.empty()) parts.push_back(part);
    return parts;
}

/// "2001:db8:1::2 deprecated home": on the outgoing interface, of a /64, or of a /24 for IPv4.
SourceAddress source(const std::string& text) {
    const auto words = split(text, ' ');
    SourceAddress made;
    made.address = address(words.at(0));
    made.prefix_length = made.address.is_v4() ? 24 : 64;
    made.interface = kOut;
    for (const auto& word : words) {
        made.deprecated |= word == "deprecated";
        made.temporary |= word == "temporary";
        made.tentative |= word == "tentative";
        made.home |= word == "home";
        made.care_of |= word == "care-of";
        if (word == "elsewhere") made.interface = kElsewhere;
        if (word.starts_with('/')) made.prefix_length = static_cast<unsigned>(std::stoul(word.substr(1)));
        if (word.starts_with("via=")) made.routers.push_back(address(word.substr(4)));
    }
    return made;
}

/// Separated by commas.
std::vector<SourceAddress> sources(const std::string& text) {
    std::vector<SourceAddress> made;
    for (const auto& part : split(text, ',')) made.push_back(source(part));
    return made;
}

struct Row {
    std::string prefix;
    std::uint8_t precedence, label;
};

/// The default table with rows changed or added.
PolicyTable policy(const std::vector<Row>& changed = {}) {
    auto rows = PolicyTable::standard().rows();
    for (const auto& row : changed) {
        const auto prefix = Prefix::parse(row.prefix).value();
        std::erase_if(rows, [&](const PolicyRow& old) { return old.prefix == prefix; });
        rows.push_back({prefix, row.precedence, row.label});
    }
    return PolicyTable(rows);
}

std::string selected(const std::string& destination, const std::string& from, const Outgoing& outgoing = {kOut, {}, false},
                     const SourcePreferences& preferences = {}, const PolicyTable& table = policy()) {
    const auto chosen = select_source(address(destination), sources(from), outgoing, table, preferences);
    return chosen ? chosen->address.to_string() : "none";
}

Destination destination(const std::string& text, const std::string& from, const PolicyTable& table = policy()) {
    Destination made;
    made.address = address(text);
    made.source = select_source(made.address, sources(from), {kOut, {}, false}, table);
    return made;
}

std::string text(const std::vector<Destination>& list) {
    std::string all;
    for (const auto& d : list)
        all += (all.empty() ? "" : ", ") + d.address.to_string() + "<" + (d.source ? d.source->address.to_string() : "none");
    return all;
}

/// "destination<source, destination<source", the first to be tried first.
std::string ordered(const std::string& destinations, const std::string& from, const PolicyTable& table = policy()) {
    std::vector<Destination> list;
    for (const auto& part : split(destinations, ',')) list.push_back(destination(split(part, ' ').at(0), from, table));
    return text(in_order(list, table));
}

// ---- RFC 6724 §10, as data ----

struct SourceExample {
    std::string destination, candidates, result;
};

TEST(AddressSelection, SEL_01_SourceExamplesOfTheStandard) {  // §10.1, and the last of §10.6
    const std::vector<SourceExample> examples{
        {"2001:db8:1::1", "2001:db8:3::1,fe80::1", "2001:db8:3::1"},
        {"ff05::1", "2001:db8:3::1,fe80::1", "2001:db8:3::1"},
        {"2001:db8:1::1", "2001:db8:1::1 deprecated,2001:db8:2::1", "2001:db8:1::1"},
        {"fe80::1", "fe80::2 deprecated,2001:db8:1::1", "fe80::2"},
        {"2001:db8:1::1", "2001:db8:1::2,2001:db8:3::2", "2001:db8:1::2"},
        {"2001:db8:1::1", "2001:db8:1::2 care-of,2001:db8:3::2 home", "2001:db8:3::2"},
        {"2002:c633:6401::1", "2002:c633:6401::d5e3:7953:13eb:22e8 temporary,2001:db8:1::2",
         "2002:c633:6401:0:d5e3:7953:13eb:22e8"},
        {"2001:db8:1::d5e3:0:0:1", "2001:db8:1::2,2001:db8:1::d5e3:7953:13eb:22e8 temporary", "2001:db8:1:0:d5e3:7953:13eb:22e8"},
        {"ff00::1", "fd11:1111:1111:1::1,2001:db8:1::1", "2001:db8:1::1"},
    };
    for (const auto& example : examples) {
        const std::string shown = example.destination + " from " + example.candidates;
        EXPECT_EQ(selected(example.destination, example.candidates, {kOut, {}, false}, {.temporary = true}),
                  address(example.result).to_string())
            << shown;
        // The order in which candidates are listed decides nothing.
        auto turned = split(example.candidates, ',');
        std::ranges::reverse(turned);
        std::string reversed;
        for (const auto& part : turned) reversed += part + ",";
        EXPECT_EQ(selected(example.destination, reversed, {kOut, {}, false}, {.temporary = true}),
                  address(example.result).to_string())
            << shown;
    }
}

struct OrderExample {
    std::string candidates, destinations, result;
    std::vector<Row> rows;
};

void expect_order(const std::vector<OrderExample>& examples) {
    for (const auto& e : examples) {
        EXPECT_EQ(ordered(e.destinations, e.candidates, policy(e.rows)), e.result) << e.destinations << " from " << e.candidates;
        auto turned = split(e.destinations, ',');
        EXPECT_EQ(ordered(turned.at(1) + "," + turned.at(0), e.candidates, policy(e.rows)), e.result)
            << "turned: " << e.destinations << " from " << e.candidates;
    }
}

TEST(AddressSelection, SEL_02_DestinationExamplesOfTheStandard) {  // §10.2
    expect_order({
        {"2001:db8:1::2,fe80::1,169.254.13.78",
         "2001:db8:1::1,198.51.100.121",
         "2001:db8:1::1<2001:db8:1::2, 198.51.100.121<169.254.13.78",
         {}},
        {"fe80::1,198.51.100.117", "2001:db8:1::1,198.51.100.121", "198.51.100.121<198.51.100.117, 2001:db8:1::1<fe80::1", {}},
        {"2001:db8:1::2,fe80::1,10.1.2.4", "2001:db8:1::1,10.1.2.3", "2001:db8:1::1<2001:db8:1::2, 10.1.2.3<10.1.2.4", {}},
        {"2001:db8:1::2,fe80::2", "2001:db8:1::1,fe80::1", "fe80::1<fe80::2, 2001:db8:1::1<2001:db8:1::2", {}},
        {"2001:db8:1::2 care-of,2001:db8:3::1 home,fe80::2 care-of",
         "2001:db8:1::1,fe80::1",
         "2001:db8:1::1<2001:db8:3::1, fe80::1<fe80::2",
         {}},
        {"2001:db8:1::2,fe80::2 deprecated", "2001:db8:1::1,fe80::1", "2001:db8:1::1<2001:db8:1::2, fe80::1<fe80::2", {}},
        {"2001:db8:1::2,2001:db8:3f44::2,fe80::2",
         "2001:db8:1::1,2001:db8:3ffe::1",
         "2001:db8:1::1<2001:db8:1::2, 2001:db8:3ffe::1<2001:db8:3f44::2",
         {}},
        {"2002:c633:6401::2,fe80::2",
         "2002:c633:6401::1,2001:db8:1::1",
         "2002:c633:6401::1<2002:c633:6401::2, 2001:db8:1::1<2002:c633:6401::2",
         {}},
        {"2002:c633:6401::2,2001:db8:1::2,fe80::2",
         "2002:c633:6401::1,2001:db8:1::1",
         "2001:db8:1::1<2001:db8:1::2, 2002:c633:6401::1<2002:c633:6401::2",
         {}},
    });
}

TEST(AddressSelection, SEL_02_PolicyExamplesOfTheStandard) {  // §10.3 to §10.7
    const std::vector<Row> ipv4{{"::ffff:0:0/96", 100, 4}}, link_local{{"fe80::/10", 33, 1}};
    const std::vector<Row> sites{{"2001:db8:1aaa::/48", 43, 6}, {"2001:db8:1bbb::/48", 43, 6}};
    const std::vector<Row> ula{{"fd11:1111:1111::/48", 45, 14}}, six_to_four{{"2002:c633:6401::/48", 45, 14}};
    const std::string site_a = "2001:db8:1aaa::a,2001:db8:70aa::a,fe80::a";
    expect_order({
        {"2001:db8::2,fe80::1,169.254.13.78", "2001:db8::1,198.51.100.121",
         "2001:db8::1<2001:db8::2, 198.51.100.121<169.254.13.78", ipv4},
        {"fe80::1,198.51.100.117", "2001:db8::1,198.51.100.121", "198.51.100.121<198.51.100.117, 2001:db8::1<fe80::1", ipv4},
        {"2001:db8::2,fe80::1,10.1.2.4", "2001:db8::1,10.1.2.3", "10.1.2.3<10.1.2.4, 2001:db8::1<2001:db8::2", ipv4},
        {"2001:db8::2,fe80::2", "2001:db8::1,fe80::1", "2001:db8::1<2001:db8::2, fe80::1<fe80::2", link_local},
        {"2001:db8::2 deprecated,fe80::2", "2001:db8::1,fe80::1", "fe80::1<fe80::2, 2001:db8::1<2001:db8::2", link_local},
        {site_a, "2001:db8:1bbb::b,2001:db8:70bb::b", "2001:db8:70bb::b<2001:db8:70aa::a, 2001:db8:1bbb::b<2001:db8:1aaa::a", {}},
        {site_a, "2001:db8:1ccc::c,2001:db8:6ccc::c", "2001:db8:1ccc::c<2001:db8:1aaa::a, 2001:db8:6ccc::c<2001:db8:70aa::a", {}},
        {site_a, "2001:db8:1bbb::b,2001:db8:70bb::b", "2001:db8:1bbb::b<2001:db8:1aaa::a, 2001:db8:70bb::b<2001:db8:70aa::a",
         sites},
        {site_a, "2001:db8:1ccc::c,2001:db8:6ccc::c", "2001:db8:6ccc::c<2001:db8:70aa::a, 2001:db8:1ccc::c<2001:db8:70aa::a",
         sites},
        {"2001:db8:1::1,fd11:1111:1111:1::1",
         "2001:db8:2::2,fd22:2222:2222:2::2",
         "2001:db8:2::2<2001:db8:1::1, fd22:2222:2222:2::2<fd11:1111:1111:1::1",
         {}},
        {"2001:db8:1::1,fd11:1111:1111:1::1", "2001:db8:2::2,fd22:2222:2222:2::2",
         "2001:db8:2::2<2001:db8:1::1, fd22:2222:2222:2::2<fd11:1111:1111:1::1", ula},
        {"2001:db8:1::1,fd11:1111:1111:1::1", "2001:db8:2::2,fd11:1111:1111:2::2",
         "fd11:1111:1111:2::2<fd11:1111:1111:1::1, 2001:db8:2::2<2001:db8:1::1", ula},
        {"2002:c633:6401::2,10.1.2.3", "2001:db8:1::1,203.0.113.1", "203.0.113.1<10.1.2.3, 2001:db8:1::1<2002:c633:6401::2", {}},
        {"2002:c633:6401:1::1,10.1.2.3", "2002:c633:6401:2::2,203.0.113.1",
         "2002:c633:6401:2::2<2002:c633:6401:1::1, 203.0.113.1<10.1.2.3", six_to_four},
    });
}

// ---- Rules that the examples leave out ----

TEST(AddressSelection, SEL_01_SourceRulesInTheirOrder) {
    const Address router = address("fe80::ff"), another = address("fe80::fe");
    const Outgoing any{kOut, {}, true}, hop{kOut, router, false};
    // Rule 2: of scopes that are both too small the larger one.
    EXPECT_EQ(selected("2001:db8::1", "fe80::1,fec0::1"), "fec0::1");
    // Rule 3 before 4: a deprecated home address is not preferred.
    EXPECT_EQ(selected("2001:db8::1", "2001:db8::2 deprecated home,2001:db8:9::2 care-of"), "2001:db8:9::2");
    // Rule 4: at home before a home address; reversed when the caller says so.
    EXPECT_EQ(selected("2001:db8::1", "2001:db8::2 home,2001:db8:9::2 home care-of"), "2001:db8:9::2");
    EXPECT_EQ(selected("2001:db8::1", "2001:db8::2 home,2001:db8:9::2 care-of", {kOut, {}, false}, {.care_of = true}),
              "2001:db8:9::2");
    // Rule 5: the outgoing interface before a longer prefix.
    EXPECT_EQ(selected("2001:db8::1", "2001:db8::2 elsewhere,2001:db8:9::2", any), "2001:db8:9::2");
    // Rule 5.5: the prefix of the router by which it leaves, before a longer one and before a matching label.
    EXPECT_EQ(selected("2001:db8::1", "2001:db8::2 via=fe80::fe,2001:db8:9::2 via=fe80::ff", hop), "2001:db8:9::2");
    EXPECT_EQ(selected("2001:db8::1", "2001:db8::2 via=fe80::fe,2002:db8:9::2 via=fe80::ff", hop), "2002:db8:9::2");
    EXPECT_EQ(selected("2001:db8::1", "2001:db8::2 via=fe80::fe via=fe80::ff,2001:db8:9::2 via=fe80::ff", hop), "2001:db8::2");
    // The same link-local address on another link is another router.
    EXPECT_EQ(selected("2001:db8::1", "2001:db8::2 via=fe80::fe,2001:db8:9::2 via=fe80::ff", {kOut, another, false}),
              "2001:db8::2");
    // It says nothing about an address that no router is known for.
    EXPECT_EQ(selected("2001:db8::1", "2001:db8::2,2001:db8:9::2 via=fe80::ff", hop), "2001:db8::2");
    // Rule 6 before 8.
    EXPECT_EQ(selected("2001:0db8:1::1", "2001:0:1::1,3ffe::1,2001:db8:8000::1"), "2001:db8:8000::1");
    // Rule 8 compares the bits of the subnet only: then the first of equals.
    EXPECT_EQ(selected("2001:db8::1:1", "2001:db8::2:2,2001:db8::1:3"), "2001:db8::2:2");
    EXPECT_EQ(selected("2001:db8::1:1", "2001:db8::2:2 /128,2001:db8::1:3 /128"), "2001:db8::1:3");
}

struct Ipv4Row {
    std::string destination, next_hop, candidates, result;
};

TEST(AddressSelection, SEL_01_SourcesOfIpv4) {
    const std::vector<Ipv4Row> rows{
        {"203.0.113.9", "", "", "none"},
        {"203.0.113.9", "", "2001:db8::1", "none"},
        {"203.0.113.9", "192.0.2.1", "10.0.0.2,192.0.2.7", "192.0.2.7"},          // subnet of the next hop
        {"10.0.0.9", "192.0.2.1", "10.0.0.2,192.0.2.7", "192.0.2.7"},             // not that of the destination
        {"10.0.0.9", "", "192.0.2.7,10.0.0.2", "10.0.0.2"},                       // on the link: that of the destination
        {"10.0.0.9", "", "10.0.0.2 /8,10.0.0.3 /24", "10.0.0.3"},                 // the longer of two
        {"10.0.0.2", "", "10.0.0.3 /24,10.0.0.2 /8", "10.0.0.2"},                 // to ourselves
        {"203.0.113.9", "198.51.100.1", "169.254.1.1,10.0.0.2 /32", "10.0.0.2"},  // a scope that reaches it
        {"169.254.1.9", "", "10.0.0.2,169.254.1.1 /16", "169.254.1.1"},
        {"203.0.113.9", "198.51.100.1", "10.0.0.2 /32,10.0.0.3 /32", "10.0.0.2"},    // else the first
        {"203.0.113.9", "192.0.2.1", "192.0.2.7 deprecated,10.0.0.2", "192.0.2.7"},  // IPv4 knows no deprecated ones
        {"203.0.113.9", "192.0.2.1", "192.0.2.7 tentative,10.0.0.2", "10.0.0.2"},
        {"203.0.113.9", "192.0.2.1", "192.0.2.7 elsewhere,10.0.0.2", "10.0.0.2"},
    };
    for (const auto& row : rows) {
        Outgoing outgoing{kOut, {}, false};
        if (!row.next_hop.empty()) outgoing.next_hop = address(row.next_hop);
        EXPECT_EQ(selected(row.destination, row.candidates, outgoing), row.result)
            << row.destination << " from " << row.candidates;
    }
}

TEST(AddressSelection, SEL_02_DestinationRulesInTheirOrder) {
    const std::string both = "2001:db8:1::2,fe80::2,10.1.2.4";
    auto a = destination("2001:db8:1::1", both), b = destination("2001:db8:9::1", both), c = destination("10.1.2.3", both);
    const auto first = [](const std::vector<Destination>& list) { return in_order(list, policy()).front().address.to_string(); };

    EXPECT_EQ(first({b, a}), "2001:db8:1::1");  // rule 9
    a.reachable = false;                        // rule 1
    EXPECT_EQ(first({a, c}), "10.1.2.3");
    a.reachable = true;
    a.source.reset();
    EXPECT_EQ(first({a, c}), "10.1.2.3");
    a = destination("2001:db8:1::1", both);

    a.encapsulated = true;  // rule 7, after 6 and before 8
    EXPECT_EQ(first({a, b}), "2001:db8:9::1");
    EXPECT_EQ(first({c, a}), "2001:db8:1::1");
    auto near = destination("fe80::1", both);
    near.encapsulated = true;
    EXPECT_EQ(first({near, b}), "2001:db8:9::1");

    // Rule 10, and that whatever has no source stays last in its own order.
    auto d = destination("2001:db8:9::2", both);
    EXPECT_EQ(text(in_order(std::vector{d, b}, policy())), "2001:db8:9::2<2001:db8:1::2, 2001:db8:9::1<2001:db8:1::2");
    EXPECT_EQ(text(in_order(std::vector{destination("2001:db8::7", ""), destination("2001:db8::6", ""), c}, policy())),
              "10.1.2.3<10.1.2.4, 2001:db8::7<none, 2001:db8::6<none");
}

/// Where both families have one precedence, rule 9 orders some pairs only: the result obeys it and is the same for the same
/// input.
TEST(AddressSelection, SEL_02_RulesThatOrderSomePairsOnly) {
    const PolicyTable level({{Prefix::parse("::/0").value(), 40, 1}});
    const std::string from = "2001:db8:1::2,10.1.2.4";
    EXPECT_EQ(ordered("2001:db8:9::1,10.1.2.3,2001:db8:1::1", from, level),
              "10.1.2.3<10.1.2.4, 2001:db8:1::1<2001:db8:1::2, 2001:db8:9::1<2001:db8:1::2");
}

TEST(AddressSelection, SEL_03_DeprecatedOnlyWhenNothingElseAndTentativeNever) {
    EXPECT_EQ(selected("2001:db8:1::1", "2001:db8:1::2 deprecated,2001:db8:9::2"), "2001:db8:9::2");
    EXPECT_EQ(selected("2001:db8:1::1", "2001:db8:1::2 deprecated"), "2001:db8:1::2");
    EXPECT_EQ(selected("2001:db8:1::1", "2001:db8:1::2 tentative,2001:db8:9::2"), "2001:db8:9::2");
    EXPECT_EQ(selected("2001:db8:1::1", "2001:db8:1::1 tentative"), "none");
    // A destination with such a source waits for those with a better one.
    EXPECT_EQ(ordered("2001:db8:1::1,10.1.2.3", "2001:db8:1::2 deprecated,10.1.2.4"),
              "10.1.2.3<10.1.2.4, 2001:db8:1::1<2001:db8:1::2");
    EXPECT_EQ(ordered("2001:db8:1::1,10.1.2.3", "2001:db8:1::2 tentative,10.1.2.4"), "10.1.2.3<10.1.2.4, 2001:db8:1::1<none");
}

TEST(AddressSelection, SEL_06_StableAddressesUnlessAskedFor) {
    const std::string both = "2001:db8:1::7953:13eb:22e8 temporary,2001:db8:1::2";
    EXPECT_EQ(selected("2001:db8:9::1", both), "2001:db8:1::2");
    EXPECT_EQ(selected("2001:db8:9::1", both, {kOut, {}, false}, {.temporary = true}), "2001:db8:1::7953:13eb:22e8");
    EXPECT_EQ(selected("2001:db8:9::1", "2001:db8:1::2 temporary"), "2001:db8:1::2");
}

TEST(AddressSelection, SEL_07_SourceOfTheCaller) {
    const auto ours =
        sources("2001:db8:1::2 deprecated,2001:db8:9::2,10.0.0.2,fe80::2,2001:db8:8::2 elsewhere,2001:db8:7::2 tentative");
    const Outgoing outgoing{kOut, {}, false};
    const auto named = [&](const std::string& from, const std::string& to) {
        return named_source(address(from), address(to), ours, outgoing);
    };
    // Respected, though selection would take another one.
    const auto chosen = named("2001:db8:1::2", "2001:db8:9::1");
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen.value(), ours[0]);
    for (const auto* from : {"2001:db8:ffff::2", "2001:db8:8::2", "2001:db8:7::2", "10.0.0.2", "::", "203.0.113.7"}) {
        const auto refused = named(from, "2001:db8:9::1");
        ASSERT_FALSE(refused) << from;
        EXPECT_EQ(refused.error().code, Code::unavailable);
        EXPECT_NE(refused.error().detail.find(address(from).to_string()), std::string::npos);
    }
}

TEST(AddressSelection, SEL_08_CandidateSources) {
    const auto ours = sources(
        "::,ff02::1,fe80::2,2001:db8:1::2,10.0.0.2,224.0.0.1,0.0.0.0,"
        "fe80::3 elsewhere,2001:db8:3::2 elsewhere,10.0.3.2 elsewhere,::1 elsewhere,169.254.3.3 elsewhere");
    const auto candidates = [&](const std::string& to, bool any_interface) {
        std::string all;
        for (const auto& s : candidate_sources(address(to), ours, {kOut, {}, any_interface}))
            all += (all.empty() ? "" : " ") + s.address.to_string();
        return all;
    };
    EXPECT_EQ(candidates("2001:db8::1", false), "fe80::2 2001:db8:1::2");
    EXPECT_EQ(candidates("203.0.113.1", false), "10.0.0.2");
    EXPECT_EQ(candidates("2001:db8::1", true), "fe80::2 2001:db8:1::2 2001:db8:3::2");
    EXPECT_EQ(candidates("203.0.113.1", true), "10.0.0.2 10.0.3.2");
    for (const auto* one_link : {"fe80::1", "ff02::1", "ff0e::1"}) EXPECT_EQ(candidates(one_link, true), "fe80::2 2001:db8:1::2");
}

TEST(AddressSelection, SEL_10_AutomaticRowsNeverChangeOthers) {
    const std::vector<Address> own{address("fd11:1111:1111:1::1"), address("2002:c633:6401:1::1"), address("2001:db8::1"),
                                   address("10.1.2.3")};
    const auto row = [](const SelectionPolicy& p, const std::string& of) {
        const auto found = p.table.find(address(of));
        return std::to_string(found.precedence) + "/" + std::to_string(found.label);
    };
    const auto automatic = selection_policy({}, std::nullopt, own);
    EXPECT_EQ(row(automatic, "fd11:1111:1111:2::2"), "45/14");
    EXPECT_EQ(row(automatic, "2002:c633:6401:2::2"), "45/14");
    EXPECT_EQ(row(automatic, "fd11:1111:1112::2"), "3/13");
    EXPECT_EQ(row(automatic, "2001:db8::2"), "40/1");
    EXPECT_EQ(automatic.table.rows().size(), PolicyTable::standard().rows().size() + 2);

    ConfiguredPolicy configured;
    configured.table = policy({{"fd11:1111:1111::/48", 7, 7}});
    EXPECT_EQ(row(selection_policy(configured, std::nullopt, own), "fd11:1111:1111:2::2"), "7/7");
    EXPECT_EQ(row(selection_policy(configured, std::nullopt, own), "2002:c633:6401:2::2"), "45/14");
    configured.automatic_rows = false;
    EXPECT_EQ(selection_policy(configured, std::nullopt, own).table, *configured.table);

    // The option without a table carries flags; with one its A flag means nothing and its table stays as it is.
    const AddressSelectionOption forbids{std::nullopt, false, true};
    EXPECT_EQ(selection_policy({}, forbids, own).table, PolicyTable::standard());
    for (const bool flag : {false, true}) {
        const AddressSelectionOption table{policy({{"2001:db8::/32", 60, 6}}), flag, true};
        EXPECT_EQ(selection_policy({}, table, own).table, *table.table);
        configured.automatic_rows = true;  // the received table is not in use: its flag says nothing about ours
        EXPECT_EQ(row(selection_policy(configured, table, own), "2002:c633:6401:2::2"), "45/14");
    }
    // P turns the preference off and never on.
    ConfiguredPolicy privacy;
    privacy.prefer_temporary = true;
    EXPECT_TRUE(selection_policy(privacy, std::nullopt, own).prefer_temporary);
    EXPECT_TRUE(selection_policy(privacy, AddressSelectionOption{std::nullopt, true, true}, own).prefer_temporary);
    EXPECT_FALSE(selection_policy(privacy, AddressSelectionOption{std::nullopt, true, false}, own).prefer_temporary);
    EXPECT_FALSE(selection_policy({}, AddressSelectionOption{std::nullopt, true, true}, own).prefer_temporary);
}

TEST(AddressSelection, SEL_11_DomainWithoutReceivedPolicyHasTheDefault) {
    const AddressSelectionOption trunk{policy({{"::ffff:0:0/96", 100, 4}}), true, true};
    EXPECT_EQ(selection_policy({}, trunk, {}).table, *trunk.table);
    EXPECT_EQ(selection_policy({}, std::nullopt, {}).table, PolicyTable::standard());
    // What the operator set stays, unless he lets the network decide.
    ConfiguredPolicy configured;
    configured.table = policy({{"2001:db8::/32", 60, 6}});
    EXPECT_EQ(selection_policy(configured, trunk, {}).table, *configured.table);
    configured.received_overrides = true;
    EXPECT_EQ(selection_policy(configured, trunk, {}).table, *trunk.table);
}

// ---- RFC 8305 §4 ----

TEST(AddressSelection, HE_10_HistoryBetweenRulesEightAndNine) {
    const std::string from = "2001:db8:1::2,fe80::2,10.1.2.4";
    auto near = destination("2001:db8:1::1", from), far = destination("2001:db8:9::1", from),
         ipv4 = destination("10.1.2.3", from);
    auto link = destination("fe80::1", from);
    using std::chrono::milliseconds;
    near.round_trip = milliseconds(80);
    far.round_trip = milliseconds(20);
    ipv4.round_trip = milliseconds(1);
    link.round_trip = milliseconds(900);
    // After 6 (precedence) and 8 (scope), before 9 (prefix).
    EXPECT_EQ(text(in_order(std::vector{ipv4, near, far, link}, policy())),
              "fe80::1<fe80::2, 2001:db8:9::1<2001:db8:1::2, 2001:db8:1::1<2001:db8:1::2, 10.1.2.3<10.1.2.4");
    // An unknown time is neither short nor long; then used before unused, then the prefix.
    far.round_trip.reset();
    EXPECT_EQ(in_order(std::vector{far, near}, policy()).front(), near);
    far.used = true;
    EXPECT_EQ(in_order(std::vector{near, far}, policy()).front(), far);
    near.used = true;
    EXPECT_EQ(in_order(std::vector{far, near}, policy()).front(), near);
    // The time goes before having been used.
    near.used = false;
    far.round_trip = milliseconds(90);
    EXPECT_EQ(in_order(std::vector{far, near}, policy()).front(), near);
}

TEST(AddressSelection, HE_14_WeightOfHostsBeforeRuleNine) {
    const std::string from = "2001:db8:1::2";
    auto near = destination("2001:db8:1::1", from), far = destination("2001:db8:9::1", from);
    near.rank = 1;
    EXPECT_EQ(in_order(std::vector{near, far}, policy()).front(), far);
    near.used = true;
    EXPECT_EQ(in_order(std::vector{far, near}, policy()).front(), near);
}

std::string families(const std::vector<Destination>& list) {
    std::string all;
    for (const auto& d : list) all += d.address.to_string().back();
    return all;
}

TEST(AddressSelection, HE_10_FamiliesInterleaved) {
    const auto list = [](const std::string& texts) {
        std::vector<Destination> made;
        for (const auto& part : split(texts, ' ')) made.push_back(destination(part, ""));
        return made;
    };
    EXPECT_EQ(families(interleaved(list("::1 ::2 ::3 10.0.0.7 10.0.0.8"))), "17283");
    EXPECT_EQ(families(interleaved(list("10.0.0.7 10.0.0.8 ::1"))), "718");
    EXPECT_EQ(families(interleaved(list("::1 ::2 ::3 10.0.0.7 10.0.0.8"), 2)), "12738");
    EXPECT_EQ(families(interleaved(list("::1 10.0.0.7 10.0.0.8 10.0.0.9"), 2)), "1789");
    EXPECT_EQ(families(interleaved(list("::1 ::2"), 0)), "12");
    EXPECT_EQ(families(interleaved({})), "");
}

}  // namespace
}  // namespace stox::net::test
