// Whom a certificate proves.   (RFC 5922 §7)

#include "sip/edge/certificate_names.h"
#include "tests/sip/certificates.h"

#include <gtest/gtest.h>

#include <openssl/pem.h>

#include <cstdio>

namespace {

using namespace stox;
using namespace stox::sip;

using Names = std::vector<std::string>;

CertificateNames names(Names uris, Names dns, std::vector<Address> addresses = {}, Names common = {"cn.test"}) {
    return {!uris.empty() || !dns.empty() || !addresses.empty(), std::move(uris), std::move(dns), std::move(addresses),
            std::move(common)};
}

TEST(CertificateNames, SipUrisComeFirstThenDnsThenTheCommonName) {
    EXPECT_EQ(sip_identities(names({"sip:A.test", "SIP:b.test;transport=tls"}, {"c.test"})), (Names{"a.test", "b.test"}));
    EXPECT_EQ(sip_identities(names({"sip:a.test:5061"}, {})), Names{"a.test"});
    // No identity of a domain: a user's, another scheme, sips. Then the DNS names count.
    EXPECT_EQ(sip_identities(names({"sip:juliet@a.test", "sips:a.test", "https://a.test"}, {"C.test"})), Names{"c.test"});
    EXPECT_EQ(sip_identities(names({"https://a.test"}, {})), Names{}) << "alternative names are there: no common name";
    EXPECT_EQ(sip_identities(names({}, {})), Names{"cn.test"});
}

TEST(CertificateNames, WholeNamesAndNoWildcards) {
    const auto some = names({}, {"a.test", "*.b.test", ".c.test"});
    EXPECT_TRUE(proves(some, "a.test"));
    EXPECT_TRUE(proves(some, "A.TEST"));
    EXPECT_TRUE(proves(some, "a.test."));
    for (const char* wrong : {"x.a.test", "test", "x.b.test", "b.test", "*.b.test", "x.c.test", "", "a.testx", "cn.test"})
        EXPECT_FALSE(proves(some, wrong)) << wrong;
}

TEST(CertificateNames, ANumericHostWantsAnAddress) {
    const auto some =
        names({}, {"192.0.2.1", "a.test"}, {Address::parse("192.0.2.2").value(), Address::parse("2001:db8::1").value()});
    EXPECT_TRUE(proves(some, "192.0.2.2"));
    EXPECT_TRUE(proves(some, "2001:db8:0::1"));
    EXPECT_FALSE(proves(some, "192.0.2.1"));
    EXPECT_FALSE(proves(some, "192.0.2.3"));
}

TEST(CertificateNames, AreReadFromACertificate) {
    sip::test::Certificates made;
    const auto files = made.issue("common.test", "DNS:a.test,DNS:*.b.test,IP:127.0.0.1,IP:::1,URI:sip:c.test,email:x@d.test");
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(files.chain.c_str(), "r"), &std::fclose);
    const std::unique_ptr<X509, void (*)(X509*)> certificate(PEM_read_X509(file.get(), nullptr, nullptr, nullptr), &X509_free);
    ASSERT_TRUE(certificate);
    const auto read = read_names(*certificate);
    EXPECT_TRUE(read.has_alternative_names);
    EXPECT_EQ(read.dns, (Names{"a.test", "*.b.test"}));
    EXPECT_EQ(read.uris, Names{"sip:c.test"});
    EXPECT_EQ(read.addresses, (std::vector{Address::parse("127.0.0.1").value(), Address::parse("::1").value()}));
    EXPECT_EQ(read.common_names, Names{"common.test"});
}

}  // namespace
