// Which documents a subscriber takes.

#include "mapping/presence/accept.h"

#include <gtest/gtest.h>

namespace stox::presence {

TEST(PresenceAccept, TheNearestRangeCounts) {
    const std::pair<bool, std::vector<std::string>> rows[] = {
        {true, {}},
        {true, {"application/pidf+xml"}},
        {true, {"application/rlmi+xml, multipart/related;type=\"application/rlmi+xml, x\", Application/PIDF+XML"}},
        {true, {"text/plain", "application/*"}},
        {true, {"*/*;q=0.1"}},
        {true, {"application/pidf+xml;q=0.5, */*;q=0"}},
        {true, {"application/pidf+xml;charset=\"x\""}},
        {false, {""}},
        {false, {"text/plain"}},
        {false, {"application/pidf-diff+xml", "text/*"}},
        {false, {"multipart/related;type=\"a, application/pidf+xml, b\""}},
        {false, {"multipart/related;type=\"a\\\", application/pidf+xml, b\""}},
        {true, {"multipart/related;type=\"a\\\\\", application/pidf+xml"}},
        {false, {"text/plain;x=\"\\"}},
        {false, {"application/pidf+xml;q=0, */*"}},
        {false, {"*/*, application/*;q=0.000"}},
        {false, {";q=1, ,"}},
    };
    for (const auto& [taken, values] : rows) {
        sip::Request subscribe;
        subscribe.headers.push_back({"Event", "presence"});
        for (const auto& value : values) subscribe.headers.push_back({"Accept", value});
        EXPECT_EQ(accepts_pidf(subscribe), taken) << (values.empty() ? "none" : values.front());
    }
}

}  // namespace stox::presence
