// The worker as a service: modules come to its control socket and go, their domains stay.

#include "tests/host/service_rig.h"

#include <chrono>
#include <string>

namespace {

using namespace stox::host::test;

TEST_F(ServiceTest, ADomainStaysWhenItsModuleLeavesAndTakesMessagesMeanwhile) {
    Wire phone = [&] {
        Wire first = module();
        Wire end = udp_to(set_engine(first));
        Wire stream = have_domain(first, "capulet.test", local_port(end));
        return end;
    }();
    auto text = message_from_phone(local_port(phone));
    text.replace(text.find("romeo@montague.test SIP"), 19, "romeo@users.capulet.test");
    // The stream is seen to be lost, then accepted is what is committed.
    Wire asks = to_unix(path);
    asks.line_with(R"("stox":1)");
    while (status(asks).find(R"("up":false)") == std::string::npos) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    phone.send(text);
    EXPECT_NE(phone.read_until("\r\n\r\n").find("SIP/2.0 202"), std::string::npos);

    UnixListener elsewhere;
    Wire again = module();
    again.line_with("\"listening\"");
    set_domain(again, "capulet.test", local_port(phone), "another", &elsewhere);
    Wire stream = attach(elsewhere, "capulet.test");
    EXPECT_NE(stream.read_until("</message>").find("<body>hello</body>"), std::string::npos);
}

TEST_F(ServiceTest, WhatIsNotHandedOverAgainIsRemovedAndOthersKeepTheirs) {
    Wire other = module("other");
    set_engine(other);
    set_domain(other, "other.test");
    {
        Wire first = module();
        set_domain(first, "one.test");
        set_domain(first, "two.test");
        EXPECT_NE(status(first).find("two.test"), std::string::npos);
    }
    Wire again = module();
    set_domain(again, "one.test");
    EXPECT_NE(status(again).find("two.test"), std::string::npos);
    again.line_with(R"("removed")");
    const auto left = status(again);
    EXPECT_EQ(left.find("two.test"), std::string::npos) << left;
    EXPECT_NE(left.find("one.test"), std::string::npos) << left;
    EXPECT_NE(left.find("other.test"), std::string::npos) << left;
}

TEST_F(ServiceTest, TheSecondModuleOfAServerTakesThePlaceOfTheFirst) {
    Wire first = module();
    set_engine(first);
    Wire stream = have_domain(first, "one.test");
    Wire second = module();
    EXPECT_TRUE(first.closed());
    set_domain(second, "one.test");
    second.line_with("\"up\"");  // it never was down
    stream.send("<iq type='get' from='romeo@users.one.test/a' to='one.test' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>");
    stream.read_until("id='p1'");
}

TEST_F(ServiceTest, WhatWasTakenToTheLastIsToldToTheModuleThatTakesItsDomainOut) {
    Wire first = module();
    Wire phone = udp_to(set_engine(first));
    Wire stream = have_domain(first, "one.test", local_port(phone));
    keep_busy(stream, phone);
    remove_domain(first, "one.test");
    while (status(first).find("one.test") != std::string::npos) continue;
    stream.send("<iq type='get' from='romeo@users.one.test/a' to='one.test' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>");
    const auto line = first.line_with(R"("count":2)");
    EXPECT_NE(line.find(R"("t":"taken")"), std::string::npos) << line;
    first.line_with("\"removed\"");
}

TEST_F(ServiceTest, ForADomainThatMayBeBackSendersAreAskedToWait) {
    Wire first = module();
    const auto port = set_engine(first);
    Wire phone = udp_to(port), silent = udp_to(port);
    const auto answer = [&](unsigned number) {
        phone.send(message_from_phone(local_port(phone), number));
        return phone.read_until("\r\n\r\n");
    };
    const auto young = answer(1);
    EXPECT_EQ(young.rfind("SIP/2.0 503", 0), 0u) << young;
    EXPECT_NE(young.find("\r\nRetry-After: "), std::string::npos) << young;
    EXPECT_NE(status(first).find(R"("refused":0)"), std::string::npos);
    // Until the service is older than a second.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    unsigned number = 2;
    auto old = answer(number);
    while (old.rfind("SIP/2.0 503", 0) == 0 && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));  // well below the rate of one source
        old = answer(++number);
    }
    EXPECT_EQ(old.rfind("SIP/2.0 403", 0), 0u) << old;
    Wire stream = have_domain(first, "one.test", local_port(silent));
    keep_busy(stream, silent);
    remove_domain(first, "one.test");
    EXPECT_EQ(status(first).find("one.test"), std::string::npos) << "it is leaving";
    const auto leaving = answer(++number);
    EXPECT_EQ(leaving.rfind("SIP/2.0 503", 0), 0u) << leaving;
}

TEST_F(ServiceTest, ARefusedConfigurationStillTellsWhereTheServerListensNow) {
    {
        Wire first = module();
        set_engine(first);
        set_domain(first, "one.test");
        attach(listener, "one.test");
    }
    UnixListener elsewhere;
    Wire again = module();
    again.send(R"({"t":"domain-set","domain":"one.test","xmpp_domains":["users.one.test"],"xmpp":{"unix":)" +
               quoted(elsewhere.path()) +
               R"(,"secret":"s"},"config":{"peerz":{}}})"
               "\n");
    again.line_with("config-error");
    Wire stream = attach(elsewhere, "one.test");
    again.line_with("\"up\"");
}

TEST_F(ServiceTest, ItsEndClosesTheStreamsAndReturnsZero) {
    Wire first = module();
    set_engine(first);
    Wire stream = have_domain(first, "one.test");
    stop();
    EXPECT_EQ(exit_status, 0);
    EXPECT_TRUE(first.closed());
    EXPECT_TRUE(stream.closed());
}

}  // namespace
