#include "sip/edge/trust_store.h"

#include "mapping/core/handle.h"

#include <openssl/x509_vfy.h>

#include <sys/stat.h>

#include <cstdlib>
#include <ctime>
#include <string>
#include <utility>

namespace stox::sip {

namespace {

std::string default_file() {
    const char* named = std::getenv(X509_get_default_cert_file_env());
    return named ? named : X509_get_default_cert_file();
}

/// Tells one state of a file from another. That there is no file is a state too: then the directory is looked into as it is needed.
struct FileState {
    std::string path;
    ino_t inode = 0;
    off_t size = 0;
    std::time_t changed_s = 0;
    long changed_ns = 0;

    explicit FileState(std::string file) : path(std::move(file)) {
        struct stat about {};
        if (::stat(path.c_str(), &about) != 0) return;
        inode = about.st_ino, size = about.st_size;
        changed_s = about.st_mtim.tv_sec, changed_ns = about.st_mtim.tv_nsec;
    }
    bool operator==(const FileState&) const = default;
};

}  // namespace

X509_STORE* system_trust() {
    static FileState known{""};
    static Handle<X509_STORE, &X509_STORE_free> store;
    FileState now(default_file());
    if (store && now == known) return store.get();
    known = std::move(now);
    store.reset(X509_STORE_new());
    if (store) X509_STORE_set_default_paths(store.get());
    return store.get();
}

}  // namespace stox::sip
