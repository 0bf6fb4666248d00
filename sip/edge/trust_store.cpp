#include "sip/edge/trust_store.h"

#include "mapping/core/handle.h"

#include <openssl/x509_vfy.h>

#include <sys/stat.h>

#include <cstdlib>
#include <ctime>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace stox::sip {

namespace {

std::string default_file() {
    const char* named = std::getenv(X509_get_default_cert_file_env());
    return named ? named : X509_get_default_cert_file();
}

/// Separated by colons.
std::string default_directories() {
    const char* named = std::getenv(X509_get_default_cert_dir_env());
    return named ? named : X509_get_default_cert_dir();
}

/// Tells one state of a file from another, or of a directory as its entries come and go. That there is none is a state too.
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

/// A directory is looked into as it is needed, and what was found there is kept; so it counts as the file does.
std::vector<FileState> default_paths() {
    std::vector<FileState> paths{FileState(default_file())};
    std::istringstream directories(default_directories());
    for (std::string one; std::getline(directories, one, ':');) paths.emplace_back(one);
    return paths;
}

}  // namespace

X509_STORE* system_trust() {
    static std::vector<FileState> known;
    static Handle<X509_STORE, &X509_STORE_free> store;
    auto now = default_paths();
    if (store && now == known) return store.get();
    known = std::move(now);
    store.reset(X509_STORE_new());
    if (store) X509_STORE_set_default_paths(store.get());
    return store.get();
}

}  // namespace stox::sip
