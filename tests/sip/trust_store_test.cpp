#include "sip/edge/trust_store.h"

#include "tests/sip/certificates.h"

#include <gtest/gtest.h>

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace {

using namespace stox::sip;
using namespace stox::sip::test;

/// OpenSSL's default paths lead to files of the test.
struct DefaultPaths {
    explicit DefaultPaths(const std::string& file) {
        setenv("SSL_CERT_FILE", file.c_str(), 1);
        setenv("SSL_CERT_DIR", "/nonexistent", 1);
    }
    ~DefaultPaths() {
        unsetenv("SSL_CERT_FILE");
        unsetenv("SSL_CERT_DIR");
    }
};

std::string content(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

int certificates_in(X509_STORE* store) {
    const auto objects = X509_STORE_get0_objects(store);
    return sk_X509_OBJECT_num(objects);
}

}  // namespace

TEST(TrustStore, IsReadOnceForAllAndAnewWhenItsFileChanged) {
    Certificates made, other;
    const auto file = made.file("system.pem", content(made.root()));
    const DefaultPaths paths(file);
    auto* first = system_trust();
    ASSERT_TRUE(first);
    EXPECT_EQ(certificates_in(first), 1);
    X509_STORE_up_ref(first);  // as a context does
    const std::unique_ptr<X509_STORE, void (*)(X509_STORE*)> held(first, &X509_STORE_free);
    EXPECT_EQ(system_trust(), first);

    made.file("system.pem", content(made.root()) + content(other.root()));
    auto* second = system_trust();
    EXPECT_NE(second, first);
    EXPECT_EQ(certificates_in(second), 2);
    EXPECT_EQ(certificates_in(first), 1) << "who holds it goes on with it";
}

TEST(TrustStore, AMissingFileIsAnEmptyStore) {
    const DefaultPaths paths("/nonexistent.pem");
    ASSERT_TRUE(system_trust());
    EXPECT_EQ(certificates_in(system_trust()), 0);
}
