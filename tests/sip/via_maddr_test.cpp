#include "sip/via_maddr.h"

#include <gtest/gtest.h>

#include <string>

namespace {

std::string disarmed(std::string text) {
    stox::sip::disarm_via_maddr({text.data(), text.size()});
    return text;
}

TEST(ViaMaddr, IsRenamedHoweverItIsWritten) {
    const std::string line = "MESSAGE sip:a@b SIP/2.0\r\n";
    EXPECT_EQ(disarmed(line + "Via: SIP/2.0/UDP h;maddr=x;branch=y\r\n\r\n"),
              line + "Via: SIP/2.0/UDP h;x-mad=x;branch=y\r\n\r\n");
    EXPECT_EQ(disarmed(line + "v:SIP/2.0/UDP h;MaDdr=x"), line + "v:SIP/2.0/UDP h;x-mad=x");
    EXPECT_EQ(disarmed(line + "VIA \t: SIP/2.0/UDP h; \r\n maddr = x;maddr\r\n"),
              line + "VIA \t: SIP/2.0/UDP h; \r\n x-mad = x;x-mad\r\n");
    EXPECT_EQ(disarmed(line + "Via: SIP/2.0/UDP h, SIP/2.0/UDP i;maddr=x\nTo: x\nv: j;maddr"),
              line + "Via: SIP/2.0/UDP h, SIP/2.0/UDP i;x-mad=x\nTo: x\nv: j;x-mad");
}

TEST(ViaMaddr, NothingElseIsTouched) {
    for (const std::string text :
         {"", "\r\n", "v", "Via", "Via:", "Via: h;madd", "Via: maddr=x\r\n", "Via: h;xmaddr=x\r\n",
          "Contact: <sip:a@b;maddr=x>\r\n", "INVITE sip:a;maddr=x SIP/2.0\r\n\r\nVia: h;maddr=x\r\n", "Viaduct: h;maddr=x\r\n"})
        EXPECT_EQ(disarmed(text), text);
}

}  // namespace
