#include "mapping/xmpp/hop_headers.h"

#include "mapping/xmpp/namespaces.h"

#include <gtest/gtest.h>

namespace stox::xmpp {

namespace {

HopHeaders read(const std::vector<std::pair<std::string, std::string>>& headers) {
    xml::Element element(std::string(ns::kShim), "headers");
    for (const auto& [name, value] : headers) element.add({element.ns, "header"}).set("name", name).add_text(value);
    return read_hop_headers({element});
}

}  // namespace

TEST(HopHeaders, CORE_70_AreReadAsTheyAreWritten) {
    for (const auto& headers : {HopHeaders{}, HopHeaders{0, {}}, HopHeaders{69, {}}, HopHeaders{{}, 60}, HopHeaders{255, 1}})
        EXPECT_EQ(read_hop_headers({encode(headers)}), headers);
}

TEST(HopHeaders, CORE_70_OnlyNumbersCountAndTheLeastOfThem) {
    EXPECT_EQ(read({{"Max-Forwards", "7"}, {"Max-Forwards", "3"}, {"Max-Forwards", "9"}}), (HopHeaders{3, {}}));
    for (const auto* text : {"", "x", "-1", "256", "4294967296", "7 hops", "0x7"})
        EXPECT_EQ(read({{"Max-Forwards", text}}), HopHeaders{}) << text;
    EXPECT_EQ(read({{"Urgency", "7"}, {"max-forwards", "7"}}), HopHeaders{});
    xml::Element foreign("urn:x", "headers");
    foreign.add({"urn:x", "header"}).set("name", "Max-Forwards").add_text("7");
    EXPECT_EQ(read_hop_headers({foreign}), HopHeaders{});
}

}  // namespace stox::xmpp
