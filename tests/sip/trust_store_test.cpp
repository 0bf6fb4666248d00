#include "sip/edge/trust_store.h"

#include "tests/sip/certificates.h"

#include <gtest/gtest.h>

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace {

using namespace stox::sip;
using namespace stox::sip::test;

/// OpenSSL's default paths lead to files of the test.
struct DefaultPaths {
    explicit DefaultPaths(const std::string& file, const std::string& directories = "/nonexistent") {
        setenv("SSL_CERT_FILE", file.c_str(), 1);
        setenv("SSL_CERT_DIR", directories.c_str(), 1);
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

using X509Pointer = std::unique_ptr<X509, void (*)(X509*)>;

X509Pointer read_certificate(const std::string& file) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> input(std::fopen(file.c_str(), "r"), &std::fclose);
    return {PEM_read_X509(input.get(), nullptr, nullptr, nullptr), &X509_free};
}

/// Whether the store knows somebody of that name, as it looks while it verifies a chain.
bool finds(X509_STORE* store, const X509* authority) {
    const std::unique_ptr<X509_STORE_CTX, void (*)(X509_STORE_CTX*)> context(X509_STORE_CTX_new(), &X509_STORE_CTX_free);
    X509_STORE_CTX_init(context.get(), store, nullptr, nullptr);
    const std::unique_ptr<X509_OBJECT, void (*)(X509_OBJECT*)> found(
        X509_STORE_CTX_get_obj_by_subject(context.get(), X509_LU_X509, X509_get_subject_name(authority)), &X509_OBJECT_free);
    return found != nullptr;
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

TEST(TrustStore, ADirectoryThatLostAnAuthorityIsReadAnew) {
    namespace fs = std::filesystem;
    Certificates made;
    const auto authority = read_certificate(made.root());
    ASSERT_TRUE(authority);
    const auto directory = fs::path(made.root()).parent_path() / "authorities";
    fs::create_directory(directory);
    char name[16];
    std::snprintf(name, sizeof name, "%08lx.0",
                  X509_NAME_hash_ex(X509_get_subject_name(authority.get()), nullptr, nullptr, nullptr));
    fs::copy_file(made.root(), directory / name);
    fs::last_write_time(directory, fs::file_time_type::clock::now() - std::chrono::hours(1));  // clocks of files are coarse
    const DefaultPaths paths("/nonexistent.pem", "/nonexistent:" + directory.string());

    auto* first = system_trust();
    EXPECT_TRUE(finds(first, authority.get()));
    EXPECT_EQ(system_trust(), first) << "shared as long as nothing changed";
    fs::remove(directory / name);
    EXPECT_TRUE(finds(first, authority.get())) << "who holds it goes on with it";
    EXPECT_FALSE(finds(system_trust(), authority.get()));
}

TEST(TrustStore, AMissingFileIsAnEmptyStore) {
    const DefaultPaths paths("/nonexistent.pem");
    ASSERT_TRUE(system_trust());
    EXPECT_EQ(certificates_in(system_trust()), 0);
}
