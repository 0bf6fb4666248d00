// Certificate, key and trust files as they may be found: each fault is told with the option's path and the file's.

#include "plugin/host/tls_files.h"
#include "tests/sip/certificates.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <optional>

namespace {

using namespace stox;
using namespace stox::host;
using Certificates = sip::test::Certificates;

class TlsFilesTest : public ::testing::Test {
protected:
    TlsFilesTest() {
        options_.domain = "capulet.test";
        options_.tls.files = {good_.chain, good_.key};
        options_.tls.trust = made_.root();
    }

    /// The only problem of these options.
    std::string problem(const config::CertificateFiles& of_server = {}) const {
        const auto read = read_tls(options_, of_server);
        EXPECT_EQ(read.credentials, nullptr);
        EXPECT_EQ(read.problems.size(), 1u);
        return read.problems.empty() ? std::string() : read.problems.front().path + ": " + read.problems.front().text;
    }

    Certificates made_;
    Certificates::Files good_ = made_.issue("capulet.test", "DNS:capulet.test");
    config::DomainOptions options_;
};

TEST_F(TlsFilesTest, GoodFilesAreRead) {
    const auto read = read_tls(options_, {});
    EXPECT_TRUE(read.problems.empty());
    EXPECT_NE(read.credentials, nullptr);
    options_.tls = {};
    EXPECT_NE(read_tls(options_, {}).credentials, nullptr) << "without a certificate it can still dial";
    config::EngineOptions server;
    EXPECT_EQ(read_tls(server).credentials, nullptr);
    server.tls = {good_.chain, good_.key};
    EXPECT_NE(read_tls(server).credentials, nullptr);
}

TEST_F(TlsFilesTest, EachFaultIsToldAtItsOption) {
    const auto other = made_.issue("other.test", "DNS:other.test");
    const auto missing = good_.chain + ".none", pipe = good_.chain + ".pipe", empty = made_.file("empty.pem", ""),
               rubbish = made_.file("rubbish.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    struct Row {
        std::string certificate, key, trust, problem;
    };
    const auto& root = made_.root();
    for (const auto& [certificate, key, trust, told] : {
             Row{missing, good_.key, root, "tls.certificate: " + missing + ": No such file or directory"},
             Row{pipe, good_.key, root, "tls.certificate: " + pipe + ": this is no file"},
             Row{empty, good_.key, root, "tls.certificate: " + empty + ": "},
             Row{rubbish, good_.key, root, "tls.certificate: " + rubbish + ": "},
             Row{good_.chain, missing, root, "tls.key: " + missing + ": No such file or directory"},
             Row{good_.chain, pipe, root, "tls.key: " + pipe + ": this is no file"},
             Row{good_.chain, rubbish, root, "tls.key: " + rubbish + ": "},
             Row{good_.chain, other.key, root, "tls.key: " + other.key + " does not belong to " + good_.chain},
             Row{good_.chain, good_.key, missing, "tls.trust: " + missing + ": No such file or directory"},
             Row{good_.chain, good_.key, empty, "tls.trust: " + empty + ": "},
         }) {
        options_.tls.files = {certificate, key};
        options_.tls.trust = trust;
        EXPECT_TRUE(problem().starts_with(told)) << problem() << "\nexpected " << told;
    }
}

TEST_F(TlsFilesTest, TheServersCertificateIsCalledThat) {
    options_.tls.files = {};
    const auto missing = good_.chain + ".none";
    EXPECT_EQ(problem({missing, good_.key}),
              "tls.certificate: the one of the whole server: " + missing + ": No such file or directory");
    config::EngineOptions server;
    server.tls = {good_.chain, missing};
    ASSERT_EQ(read_tls(server).problems.size(), 1u);
    EXPECT_EQ(read_tls(server).problems.front().path, "tls.key");
}

}  // namespace
