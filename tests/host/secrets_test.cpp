// Secret files as they may be found: right, wrong, missing, open to all. What stands in them is never told.

#include "plugin/host/secrets.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace {

using namespace stox;
using namespace stox::host;

class SecretsTest : public ::testing::Test {
protected:
    SecretsTest() {
        char name[] = "/tmp/stox-secrets-XXXXXX";
        folder_ = ::mkdtemp(name);
        options_.domain = options_.digest.realm = "sip.example";
    }
    ~SecretsTest() override { std::filesystem::remove_all(folder_); }

    std::string file(const std::string& name, const std::string& text, mode_t mode = 0600) {
        const auto path = folder_ + '/' + name;
        std::ofstream(path) << text;
        ::chmod(path.c_str(), mode);
        return path;
    }
    /// A peer that answers challenges with what those files hold.
    void add_login(const std::string& password_file, const std::string& ha1_file = {}) {
        config::Peer peer;
        peer.name = "carrier";
        peer.auth = config::PeerAuth{"gateway", password_file, ha1_file, {"carrier.example"}};
        options_.peers = {peer};
    }
    void add_users(std::vector<std::string> users) {
        config::Peer peer;
        peer.name = "phones";
        peer.users = std::move(users);
        options_.peers = {peer};
    }
    /// The only problem.
    std::string problem() const {
        const auto read = read_secrets(options_);
        EXPECT_EQ(read.problems.size(), 1u);
        return read.problems.empty() ? std::string() : read.problems.front().path + ": " + read.problems.front().text;
    }

    std::string folder_;
    config::DomainOptions options_;
};

const std::string kMd5(32, 'a'), kSha256(64, 'b');

TEST_F(SecretsTest, APasswordIsTheFirstLineOfItsFile) {
    add_login(file("password", "pass word\nsecond line\n"));
    const auto read = read_secrets(options_);
    EXPECT_TRUE(read.problems.empty() && read.warnings.empty());
    const auto& login = read.secrets.logins.at("carrier");
    EXPECT_EQ(login.user, "gateway");
    EXPECT_EQ(login.realms, std::vector<std::string>{"carrier.example"});
    EXPECT_EQ(std::get<sip::digest::Password>(login.secret).text, "pass word");
}

TEST_F(SecretsTest, LinesOfHa1StandForAPassword) {
    add_login("", file("ha1", "gateway:carrier.example:MD5:" + kMd5 + "\nother:carrier.example:MD5:" + kMd5 + "\n"));
    const auto read = read_secrets(options_);
    EXPECT_TRUE(read.problems.empty());
    EXPECT_EQ(std::get<std::vector<sip::digest::Ha1>>(read.secrets.logins.at("carrier").secret).size(), 1u);
    options_.peers.front().auth->user = "someone";
    EXPECT_NE(problem().find("no line of someone"), std::string::npos);
}

TEST_F(SecretsTest, WhatCannotBeReadIsToldWithItsPath) {
    add_login(folder_ + "/missing");
    EXPECT_EQ(problem(), "peers.carrier.auth.password_file: " + folder_ + "/missing: No such file or directory");
    add_login(folder_);
    EXPECT_NE(problem().find("this is no file"), std::string::npos);
    ::mkfifo((folder_ + "/pipe").c_str(), 0600);
    add_login(folder_ + "/pipe");
    EXPECT_NE(problem().find("this is no file"), std::string::npos) << "and nobody waits for a writer";
    add_login(file("empty", "\nsecret\n"));
    EXPECT_NE(problem().find("first line is empty"), std::string::npos);
    add_login(file("large", std::string((16u << 20) + 1, 'x')));
    EXPECT_NE(problem().find("larger than 16 MiB"), std::string::npos);
}

TEST_F(SecretsTest, AFaultInALineIsToldWithoutTheLine) {
    options_.digest.ha1_file = file("users", "# users\nalice:sip.example:MD5:" + kMd5 + "\nbob:sip.example:MD5:t0psecret\n");
    const auto told = problem();
    EXPECT_NE(told.find("digest.ha1_file"), std::string::npos);
    EXPECT_NE(told.find('3'), std::string::npos) << told;
    EXPECT_EQ(told.find("t0psecret"), std::string::npos) << told;
}

TEST_F(SecretsTest, EveryUserOfAPeerNeedsALineOfTheRealm) {
    options_.digest.ha1_file = file("users", "alice:sip.example:MD5:" + kMd5 + "\nbob:elsewhere.example:MD5:" + kMd5 + "\n");
    add_users({"alice"});
    EXPECT_TRUE(read_secrets(options_).problems.empty());
    add_users({"alice", "bob"});
    EXPECT_NE(problem().find("bob has no line with realm sip.example"), std::string::npos);
}

TEST_F(SecretsTest, OnlyWhatEveryUserCanAnswerIsOffered) {
    using sip::digest::Algorithm;
    options_.digest.ha1_file =
        file("users", "alice:sip.example:MD5:" + kMd5 + "\nalice:sip.example:SHA-256:" + kSha256 +
                          "\nbob:sip.example:MD5:" + kMd5 + "\ncarol:sip.example:SHA-256:" + kSha256 + "\n");
    add_users({"alice", "bob"});
    const auto read = read_secrets(options_);
    EXPECT_TRUE(read.problems.empty());
    EXPECT_EQ(engine::usable_algorithms(options_, read.secrets.users), std::vector{Algorithm::md5});
    add_users({"bob", "carol"});
    EXPECT_NE(problem().find("digest.algorithms: there is none"), std::string::npos);
}

TEST_F(SecretsTest, AFileOpenToAllIsWarnedOf) {
    add_login(file("password", "secret\n", 0644));
    const auto read = read_secrets(options_);
    EXPECT_TRUE(read.problems.empty());
    ASSERT_EQ(read.warnings.size(), 1u);
    EXPECT_NE(read.warnings.front().find("chmod o-r"), std::string::npos);
    EXPECT_EQ(read.warnings.front().find("secret\n"), std::string::npos);
    add_login(file("group", "secret\n", 0640));
    EXPECT_TRUE(read_secrets(options_).warnings.empty());
}

}  // namespace
