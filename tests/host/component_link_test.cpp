// The socket under a component stream: to whom it says anything at all, and how much waits for who does not read.

#include "plugin/host/component_link.h"

#include "tests/support/directory.h"

#include <gtest/gtest.h>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace stox;
using namespace stox::host;
namespace asio = boost::asio;

/// A server of this process's user, to which one link connects.
class ComponentLinkTest : public testing::Test {
protected:
    void connect(std::optional<unsigned> owner) {
        config::Attachment attachment;
        attachment.unix_path = path_;
        attachment.secret = "secret";
        attachment.owner = owner;
        ComponentLink::Events events;
        events.up = [this](const std::string&) { up_ = true; };
        events.stanza = [this](xmpp::Stanza&&) { ++heard_stanzas_; };
        events.down = [this](std::string reason) { why_ = std::move(reason); };
        link_.emplace(loop_, "capulet.test", attachment, events);
        listener_.async_accept(server_, [this](auto error) {
            ASSERT_FALSE(error);
            // Until something came, or the link has gone.
            asio::async_read(server_, asio::buffer(input_), asio::transfer_at_least(1),
                             [this](auto, std::size_t octets) { heard_ = std::string(input_.data(), octets); });
        });
        while (!heard_) ASSERT_NE(loop_.run_one_for(std::chrono::seconds(60)), 0u);
    }

    test::PrivateDirectory directory_;
    std::string path_ = directory_.file("component");
    asio::io_context loop_;
    asio::local::stream_protocol::acceptor listener_{loop_, path_};
    asio::local::stream_protocol::socket server_{loop_};
    std::array<char, 4'096> input_{};
    std::optional<ComponentLink> link_;
    std::optional<std::string> heard_;
    std::string why_;
    bool up_ = false;
    std::size_t heard_stanzas_ = 0;
};

TEST_F(ComponentLinkTest, CORE_03_TheServersUserIsGreeted) {
    connect(::geteuid());
    EXPECT_NE(heard_->find("capulet.test"), std::string::npos);
    EXPECT_TRUE(why_.empty()) << why_;
}

TEST_F(ComponentLinkTest, WhereAnotherUserListensNothingIsSaid) {
    connect(::geteuid() + 1);
    EXPECT_EQ(*heard_, "");
    while (why_.empty()) ASSERT_NE(loop_.run_one_for(std::chrono::seconds(60)), 0u);
    EXPECT_NE(why_.find("another user than the server's listens on " + path_), std::string::npos) << why_;
}

TEST_F(ComponentLinkTest, WhoseSocketNobodyElseCanMakeIsNotAskedFor) {
    connect(std::nullopt);
    EXPECT_NE(heard_->find("capulet.test"), std::string::npos);
}

/// A server that took the handshake and then reads only when it is told to.
class SlowServerTest : public ComponentLinkTest {
protected:
    void SetUp() override {
        connect(std::nullopt);
        say("<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='s1' "
            "from='capulet.test'>");
        read_until("</handshake>");
        say("<handshake/>");
        run_until([this] { return up_; });
        // How long one stanza is on the wire; all of the tests have the same length.
        link_->send(message(0));
        read_until("</message>");
        stanza_octets_ = taken_;
        settle();
    }
    void say(const std::string& octets) { asio::write(server_, asio::buffer(octets)); }
    /// Nothing is ready any more: what the socket takes it has taken.
    void settle() {
        for (loop_.restart(); loop_.poll() != 0;) loop_.restart();
    }
    template <class Done>
    void run_until(Done done) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!done()) {
            ASSERT_LT(std::chrono::steady_clock::now(), end);
            loop_.run_one_for(std::chrono::seconds(1));
            loop_.restart();
        }
    }
    /// taken_: how many octets that were.
    void read_until(const std::string& end) {
        std::string all;
        run_until([&] {
            read_some(all);
            return all.find(end) != all.npos;
        });
        taken_ = all.size();
    }
    void read_some(std::string& all) {
        server_.non_blocking(true);
        std::vector<char> buffer(1u << 20);
        boost::system::error_code nothing;
        all.append(buffer.data(), server_.read_some(asio::buffer(buffer), nothing));
        server_.non_blocking(false);
    }
    xmpp::Stanza message(std::size_t body) const {
        xmpp::Message message;
        message.from = {"juliet", "capulet.test", {}};
        message.to = {"romeo", "montague.test", {}};
        message.id = "m";
        message.bodies = {{std::string(body + 1, 'x'), {}}};
        return message;
    }
    void send(std::size_t count, std::size_t body = 0) {
        for (std::size_t i = 0; i < count; ++i) link_->send(message(body));
    }
    /// The server reads all of it; it is told again that there is room, and the stream is read on.
    void expect_release(std::size_t stanzas) {
        const std::string late = "<message from='romeo@montague.test' to='juliet@capulet.test' id='late'><body>x</body></message>";
        say(late);
        settle();
        EXPECT_EQ(heard_stanzas_, 1u) << "by what was being read already";
        say(late);
        settle();
        EXPECT_EQ(heard_stanzas_, 1u) << "nothing is read while too much waits";
        std::string all;
        std::size_t whole = 0;
        run_until([&] {
            read_some(all);
            for (std::size_t at; (at = all.find("</message>")) != all.npos; ++whole) all.erase(0, at + 10);
            return whole == stanzas;
        });
        EXPECT_TRUE(all.empty());
        run_until([this] { return heard_stanzas_ == 2; });
        EXPECT_FALSE(link_->congested());
    }

    std::size_t stanza_octets_ = 0, taken_ = 0;
};

TEST_F(SlowServerTest, Of4096StanzasThoseThatAreBeingWrittenCount) {
    constexpr std::size_t kMost = 4'096;
    // Together they are longer than what the kernel takes for a reader that is away.
    send(kMost - 1);
    EXPECT_FALSE(link_->congested());
    settle();  // the first is with the kernel; the others are on their way and not all of them taken
    EXPECT_FALSE(link_->congested());
    send(1);
    EXPECT_FALSE(link_->congested()) << "one less than the bound";
    send(1);
    EXPECT_TRUE(link_->congested());
    settle();
    EXPECT_TRUE(link_->congested()) << "as long as nobody reads";
    expect_release(kMost + 1);
}

TEST_F(SlowServerTest, Of8MiBThoseThatAreBeingWrittenCount) {
    constexpr std::size_t kMost = 8u << 20, kBody = 100'000;
    const auto octets = stanza_octets_ + kBody;
    const auto most = (kMost + octets - 1) / octets;
    send(most - 1, kBody);
    EXPECT_FALSE(link_->congested());
    settle();  // the first is with the kernel
    send(1, kBody);
    EXPECT_FALSE(link_->congested()) << "one less than the bound";
    send(1, kBody);
    EXPECT_TRUE(link_->congested());
    settle();
    EXPECT_TRUE(link_->congested()) << "as long as nobody reads";
    expect_release(most + 1);
}

}  // namespace
