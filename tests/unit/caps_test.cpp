#include "mapping/xmpp/caps.h"

#include "mapping/xml/writer.h"

#include <gtest/gtest.h>

namespace stox::xmpp {

// The generated example of XEP-0115 §5.2.
const DiscoInfo kExample{{{"client", "pc", "Exodus 0.9.1", ""}},
                         {"http://jabber.org/protocol/muc", "http://jabber.org/protocol/disco#items",
                          "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/caps"}};

TEST(Caps, VersionOfTheExample) { EXPECT_EQ(caps_version(kExample), "QgayPKawpkPSDYmwT/WM94uAlu0="); }

TEST(Caps, OrderIsOfNoAccount) {
    auto other = kExample;
    std::swap(other.features[0], other.features[3]);
    EXPECT_EQ(caps_version(other), caps_version(kExample));
    other.features.pop_back();
    EXPECT_NE(caps_version(other), caps_version(kExample));
}

TEST(Caps, Element) {
    EXPECT_EQ(xml::write(caps("https://example.org/p", kExample)),
              "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.org/p' "
              "ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>");
}

}  // namespace stox::xmpp
