// How many Vias and routes a message may have: one number for all who look at it, that of the options.

#include "tests/sip/edge_testing.h"

#include <ostream>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;

struct Hops {
    std::string header;
    std::size_t allowed;
    bool in_one_field;

    // Or their octets are printed, those between the fields as well, which nothing has set.
    friend std::ostream& operator<<(std::ostream& out, const Hops& hops) { return out << hops.allowed << ' ' << hops.header; }
};

std::string value(const Hops& hops, std::size_t number) {
    const auto host = "h" + std::to_string(number) + ".test";
    return hops.header == "Via" ? "SIP/2.0/UDP " + host + ";branch=z9hG4bKx" : "<sip:" + host + ";lr>";
}

/// With so many of them in all; a Via is there already.
std::string with_hops(const Hops& hops, std::size_t count, const std::string& transport, const std::string& branch) {
    std::string fields;
    for (std::size_t i = hops.header == "Via" ? 1 : 0; i < count; ++i)
        fields += (fields.empty() ? hops.header + ": " : hops.in_one_field ? ", " : "\r\n" + hops.header + ": ") + value(hops, i);
    auto text = options_text(transport, branch);
    return text.insert(text.find("From: "), fields + "\r\n");
}

/// Of those that become values: Via does not.
std::size_t count(const Hops& hops, const Request& request) {
    return hops.header == "Route" ? request.routes.size() : request.record_routes.size();
}

class SipHops : public testing::TestWithParam<Hops> {};

TEST_P(SipHops, AsManyAsTheOptionSaysAreTakenAndNotOneMore) {
    const auto& hops = GetParam();
    auto settings = on_loopback({Transport::udp, Transport::tcp});
    (hops.header == "Via" ? settings.limits.via_values : settings.limits.route_values) = hops.allowed;
    settings.limits.headers = 1'000;
    EdgeRig rig(settings);

    Wire datagrams = udp_to(rig.port(Transport::udp));
    datagrams.send(with_hops(hops, hops.allowed, "UDP", "n"));
    EXPECT_EQ(datagrams.read_until("\r\n\r\n").rfind("SIP/2.0 200", 0), 0u);
    if (hops.header != "Via") {
        EXPECT_EQ(count(hops, rig.request("n").request), hops.allowed);
    }
    datagrams.send(with_hops(hops, hops.allowed + 1, "UDP", "more"));
    EXPECT_TRUE(rig.counted([](const Counters& counters) { return counters.dropped_limits == 1; }));

    Wire stream = tcp_to(rig.port(Transport::tcp));
    stream.send(with_hops(hops, hops.allowed, "TCP", "n2"));
    EXPECT_EQ(stream.read_until("\r\n\r\n").rfind("SIP/2.0 200", 0), 0u);
    stream.send(with_hops(hops, hops.allowed + 1, "TCP", "more2"));
    EXPECT_TRUE(stream.closed());
    EXPECT_EQ(rig.requests().size(), 2u);
}

INSTANTIATE_TEST_SUITE_P(All, SipHops,
                         testing::Values(Hops{"Via", 2, false}, Hops{"Via", 70, false}, Hops{"Via", 70, true},
                                         Hops{"Via", 500, true}, Hops{"Route", 1, false}, Hops{"Route", 70, false},
                                         Hops{"Route", 500, true}, Hops{"Record-Route", 70, false},
                                         Hops{"Record-Route", 500, true}),
                         [](const auto& one) {
                             auto name =
                                 one.param.header + std::to_string(one.param.allowed) + (one.param.in_one_field ? "List" : "");
                             std::erase(name, '-');
                             return name;
                         });

}  // namespace
