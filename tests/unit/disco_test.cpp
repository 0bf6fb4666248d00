#include "mapping/xmpp/disco.h"

#include "mapping/xml/writer.h"

#include <gtest/gtest.h>

namespace stox::xmpp {

TEST(Disco, IdentitiesAndFeaturesInTheOrderGiven) {
    const DiscoInfo info{{{"gateway", "simple", "SIP & more", "en"}, {"client", "phone", "", ""}},
                         {"urn:xmpp:ping", "jabber:iq:version"}};
    EXPECT_EQ(xml::write(encode(info)),
              "<query xmlns='http://jabber.org/protocol/disco#info'>"
              "<identity category='gateway' type='simple' name='SIP &amp; more' xml:lang='en'/>"
              "<identity category='client' type='phone'/>"
              "<feature var='urn:xmpp:ping'/><feature var='jabber:iq:version'/></query>");
}

TEST(Disco, ItemsOfANode) {
    EXPECT_EQ(xml::write(encode(DiscoItems{"n", {{"capulet.test", "n#a", "A"}, {"capulet.test", "", ""}}})),
              "<query xmlns='http://jabber.org/protocol/disco#items' node='n'>"
              "<item jid='capulet.test' node='n#a' name='A'/><item jid='capulet.test'/></query>");
    EXPECT_EQ(xml::write(encode(DiscoItems{})), "<query xmlns='http://jabber.org/protocol/disco#items'/>");
}

}  // namespace stox::xmpp
