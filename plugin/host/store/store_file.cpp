#include "plugin/host/store/store_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

namespace stox::store {

namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr mode_t kPermissions = 07777;

std::string reason(int error) { return std::generic_category().message(error); }

auto refused_by_system(const std::string& path, int error) { return fail(Code::unavailable, path + ": " + reason(error)); }

std::string octal(mode_t mode) {
    char text[8];
    std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode));
    return text;
}

/// Somebody else who may read or write here may read messages or make us act on his.
Result<void> check_private(const std::string& path, const struct stat& status, mode_t kind, mode_t mode) {
    if ((status.st_mode & S_IFMT) != kind)
        return fail(Code::forbidden, path + " is no " + (kind == S_IFDIR ? "directory" : "plain file"));
    if (status.st_uid != ::geteuid())
        return fail(Code::forbidden, path + " belongs to user " + std::to_string(status.st_uid) + ", the worker runs as " +
                                         std::to_string(::geteuid()) + ": give it to that user");
    if ((status.st_mode & kPermissions) != mode)
        return fail(Code::forbidden,
                    path + " has mode " + octal(status.st_mode & kPermissions) + ", only " + octal(mode) + " keeps it private");
    return ok();
}

Result<Descriptor> open_directory(const std::string& path) {
    if (::mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return refused_by_system(path, errno);
    Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return refused_by_system(path, errno);
    struct stat status {};
    if (::fstat(directory.get(), &status) != 0) return refused_by_system(path, errno);
    BOOST_OUTCOME_TRYV(check_private(path, status, S_IFDIR, kDirectoryMode));
    return directory;
}

Result<void> sync(int directory, const std::string& path) {
    if (::fsync(directory) != 0) return refused_by_system(path, errno);
    return ok();
}

/// Without it a power cut may take the directory itself away, and all that was ever synced in it.
Result<void> sync_name_of(const Descriptor& directory, const std::string& path) {
    const Descriptor parent(::openat(directory.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (parent) return sync(parent.get(), path);
    // We may search the parent, but not read it: then the whole file system does it.
    if (errno != EACCES || ::syncfs(directory.get()) != 0) return refused_by_system(path, errno);
    return ok();
}

Result<std::string> without_links(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
    if (!real) return refused_by_system(path, errno);
    return std::string(real.get());
}

std::string name_of_damaged(const std::string& path, unsigned number) { return path + ".damaged-" + std::to_string(number); }

/// Nothing of what will stand under it is there.
Result<std::string> free_name(const std::string& path, bool with_file) {
    for (unsigned number = 1; number <= kMaxSetAside; ++number) {
        const auto name = name_of_damaged(path, number);
        const auto is_free = [&](const char* suffix) { return ::access((name + suffix).c_str(), F_OK) != 0; };
        if ((!with_file || is_free("")) && std::ranges::all_of(kLogSuffixes, is_free)) return name;
    }
    return fail(Code::unavailable,
                std::to_string(kMaxSetAside) + " damaged files stand beside it: see to the disk, then move them away");
}

/// A file of its own: closing any descriptor of the database file would drop the locks that SQLite holds on it (POSIX
/// record locks belong to the process, not to the descriptor).
Result<Descriptor> lock(const std::string& path) {
    const auto name = path + ".lock";
    BOOST_OUTCOME_TRYV(is_there(name));
    Descriptor file(::open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kFileMode));
    if (!file) return refused_by_system(name, errno);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
    if (errno != EWOULDBLOCK) return refused_by_system(name, errno);
    return fail(Code::unavailable, path + " is in use by another worker: each needs a file of its own");
}

}  // namespace

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

Result<bool> is_there(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return false;
        return refused_by_system(path, errno);
    }
    BOOST_OUTCOME_TRYV(check_private(path, status, S_IFREG, kFileMode));
    return true;
}

Result<StorePlace> take_place(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == path.size())
        return fail(Code::forbidden, path + ": a store needs the path of a file in a directory of its own");
    BOOST_OUTCOME_TRY(directory, open_directory(path.substr(0, slash)));
    BOOST_OUTCOME_TRY(real, without_links(path.substr(0, slash)));
    StorePlace place{real + path.substr(slash), std::move(directory), Descriptor()};
    BOOST_OUTCOME_TRYV(is_there(place.path));
    for (const char* suffix : kLogSuffixes) {
        BOOST_OUTCOME_TRYV(is_there(place.path + suffix));
    }
    BOOST_OUTCOME_TRY(held, lock(place.path));
    place.lock = std::move(held);
    BOOST_OUTCOME_TRYV(sync_names(place));
    BOOST_OUTCOME_TRYV(sync_name_of(place.directory, real));
    return place;
}

Result<void> sync_names(const StorePlace& place) { return sync(place.directory.get(), place.path); }

Result<void> make_empty(const std::string& path) {
    for (const char* suffix : kLogSuffixes)
        if (::unlink((path + suffix).c_str()) != 0 && errno != ENOENT) return refused_by_system(path, errno);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return refused_by_system(path, errno);
    const Descriptor made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
    if (!made) return refused_by_system(path, errno);
    if (::fchmod(made.get(), kFileMode) != 0) return refused_by_system(path, errno);  // whatever the umask is
    return ok();
}

Result<void> move_into_place(const StorePlace& place, const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return refused_by_system(to, errno);
    return sync_names(place);
}

Result<std::string> set_aside(const StorePlace& place) {
    BOOST_OUTCOME_TRY(has_file, is_there(place.path));
    BOOST_OUTCOME_TRY(name, free_name(place.path, has_file));
    if (has_file && ::rename(place.path.c_str(), name.c_str()) != 0) return refused_by_system(place.path, errno);
    for (const char* suffix : kLogSuffixes)
        if (::rename((place.path + suffix).c_str(), (name + suffix).c_str()) != 0 && errno != ENOENT)
            return refused_by_system(place.path + suffix, errno);
    BOOST_OUTCOME_TRYV(sync_names(place));
    return name;
}

bool has_set_aside(const std::string& path) {
    for (unsigned number = 1; number <= kMaxSetAside; ++number) {
        const auto name = name_of_damaged(path, number);
        const auto stands = [&](const char* suffix) { return ::access((name + suffix).c_str(), F_OK) == 0; };
        if (stands("") || std::ranges::any_of(kLogSuffixes, stands)) return true;
    }
    return false;
}

}  // namespace stox::store
