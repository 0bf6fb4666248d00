// Whose a domain of the service is, and who comes next.

#include "tests/host/service_rig.h"

#include <memory>
#include <optional>

namespace {

using namespace stox::host::test;

TEST_F(ServiceTest, ADomainBelongsToTheServerThatIsHereWithIt) {
    Wire first = module();
    set_engine(first);
    set_domain(first, "one.test");
    status(first);
    {
        Wire other = module("other");
        set_domain(other, "one.test");
        EXPECT_EQ(all_until_done(other).find("config-error"), std::string::npos) << "it may come yet";
        EXPECT_NE(other.line_with("config-error").find("another chat server"), std::string::npos);
        remove_domain(other, "one.test");
        other.line_with("\"removed\"");
        EXPECT_NE(status(other).find("one.test"), std::string::npos);
    }
    first.send("{\"t\":\"stop\"}\n");
    EXPECT_TRUE(first.closed());
    Wire other = module("other");
    UnixListener elsewhere;
    Wire stream = have_domain(other, "one.test", 5999, &elsewhere);
}

// Two nodes of a cluster on one machine: the new one sets the domain before the old one takes it out.
TEST_F(ServiceTest, ADomainComesToTheOtherServerAsSoonAsTheFirstLetsGoOfIt) {
    Wire first = module();
    set_engine(first);
    Wire old = have_domain(first, "one.test");
    Wire other = module("other");
    UnixListener elsewhere;
    set_domain(other, "one.test", 5999, "s", &elsewhere);
    EXPECT_EQ(all_until_done(other).find("config-error"), std::string::npos);
    remove_domain(first, "one.test");
    first.line_with("\"removed\"");
    Wire stream = attach(elsewhere, "one.test");
    other.line_with("\"up\"");
}

TEST_F(ServiceTest, ServersThatGiveDifferentOptionsOfTheWorkerAreNamed) {
    Wire first = module();
    set_engine(first);
    Wire other = module("other");
    set_engine(other);
    EXPECT_EQ(all_until_done(first).find("replaced"), std::string::npos) << "the same ones";
    other.send(R"({"t":"engine-set","config":{"bind":["udp:127.0.0.1:0"],"log_level":"warn"}})"
               "\n");
    EXPECT_NE(first.line_with("are replaced by other ones of").find("other"), std::string::npos);
}

TEST_F(ServiceTest, ADomainComesToTheOtherServerWhenTheFirstLeaves) {
    std::optional<Wire> first = module();
    set_engine(*first);
    Wire old = have_domain(*first, "one.test");
    Wire other = module("other");
    UnixListener elsewhere;
    set_domain(other, "one.test", 5999, "s", &elsewhere);
    EXPECT_EQ(all_until_done(other).find("config-error"), std::string::npos);
    first.reset();
    Wire stream = attach(elsewhere, "one.test");
    other.line_with("\"up\"");
}

TEST_F(ServiceTest, WhoTookItsWordBackOrLeftHasNoDomainLater) {
    Wire first = module();
    set_engine(first);
    set_domain(first, "one.test");
    status(first);
    Wire third = module("third");
    {
        Wire other = module("other");
        set_domain(other, "one.test");
        set_domain(third, "one.test");
        remove_domain(third, "one.test");
        third.line_with("\"removed\"");
        set_domain(other, "one.test");
        status(other);
        other.send("{\"t\":\"stop\"}\n");
        EXPECT_TRUE(other.closed());
    }
    remove_domain(first, "one.test");
    first.line_with("\"removed\"");
    EXPECT_EQ(status(third).find("one.test"), std::string::npos);
}

TEST_F(ServiceTest, ADomainThatIsNotHereStaysItsUsers) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be two users";
    Wire first = module();
    set_engine(first);
    set_domain(first, "one.test");
    {
        Wire stream = attach(listener, "one.test");
        first.line_with("\"up\"");
        remove_domain(first, "one.test");
        first.line_with("\"removed\"");
    }
    Wire other = module_of_other_user();
    UnixListener elsewhere;
    set_domain(other, "one.test", 5999, "s", &elsewhere);
    EXPECT_EQ(status(other).find("one.test"), std::string::npos);
    EXPECT_NE(other.line_with("config-error").find("another user"), std::string::npos);
    Wire stream = have_domain(first, "one.test");
    // Now it goes for good; who waited has it, if it is that user who listens.
    first.send(R"({"t":"domain-remove","domain":"one.test","for_good":true})"
               "\n");
    EXPECT_NE(other.line_with("\"down\"").find("another user than the server's"), std::string::npos);
}

TEST_F(ServiceTest, WhoMustListenIsKnownWhenTheModuleThatWaitedHasLeft) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be two users";
    const auto own = as_other_user([] { return std::make_unique<UnixListener>(); });
    UnixListener roots;
    std::optional<Wire> other = module_of_other_user();
    Wire phone = udp_to(set_engine(*other));
    Wire stream = have_domain(*other, "one.test", local_port(phone), own.get());
    keep_busy(stream, phone);
    remove_domain(*other, "one.test");
    set_domain(*other, "one.test", local_port(phone), "s3cr3t", &roots);
    EXPECT_EQ(status(*other).find("one.test"), std::string::npos) << "it is leaving";
    other.reset();
    EXPECT_TRUE(roots.accept().closed()) << "before a word was said";
}

TEST_F(ServiceTest, AnotherUserTakesNoPlaceInTheQueueOfADomain) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be two users";
    Wire first = module();
    Wire phone = udp_to(set_engine(first));
    set_domain(first, "one.test", local_port(phone));
    Wire other = module_of_other_user();
    {
        Wire stream = attach(listener, "one.test");
        first.line_with("\"up\"");
        keep_busy(stream, phone);
        remove_domain(first, "one.test");
        set_domain(first, "one.test", local_port(phone));
        EXPECT_EQ(status(first).find("one.test"), std::string::npos) << "it is leaving";
        set_domain(other, "one.test");
        EXPECT_NE(all_until_done(other).find("another user"), std::string::npos);
        first.line_with("\"removed\"");
    }
    Wire again = attach(listener, "one.test");
    first.line_with("\"up\"");
}

}  // namespace
