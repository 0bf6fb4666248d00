// The socket under a component stream: to whom it says anything at all.

#include "plugin/host/component_link.h"

#include "tests/support/directory.h"

#include <gtest/gtest.h>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>

#include <unistd.h>

#include <array>
#include <optional>

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
        events.up = [] {};
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

}  // namespace
