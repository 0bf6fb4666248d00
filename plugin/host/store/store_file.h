#pragma once
// The file of a store as the file system sees it: whose it is, who may read it, and that one worker has it.

#include "mapping/core/result.h"

#include <array>
#include <string>
#include <utility>

namespace stox::store {

/// An open file descriptor that closes itself.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor();
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_ = -1;
};

/// A private directory and the lock that says that this process works in it. Held for as long as the store is open.
struct StorePlace {
    std::string path;      ///< of the database, without symbolic links in its directory
    Descriptor directory;  ///< for fsync after a rename
    Descriptor lock;       ///< flock on path + ".lock"
};

/// What SQLite may put beside the file, and plays into whatever stands under the name: the two belong together.
constexpr std::array<const char*, 2> kLogSuffixes{"-wal", "-journal"};
/// Damaged files that may stand beside a store. A disk that makes more of them is for somebody to look at.
constexpr unsigned kMaxSetAside = 8;

/// Makes the directory if it is missing (its parent must be there), checks it and takes the lock. That its name and the names in
/// it last is made sure as well: whoever made them may have been killed before he did it.
/// errors  forbidden: the directory, or a file of the store in it, is another user's, has another mode than 0700 or 0600, or
///         is no plain file; unavailable: another worker holds the lock, or the system refuses; all name the path
Result<StorePlace> take_place(const std::string& path);

/// Whether the file is there, with owner, kind and mode as they must be.
/// errors  forbidden, unavailable: as above
Result<bool> is_there(const std::string& path);

/// Makes the names in the directory last. SQLite does it too, for the log, but does not tell when it failed.
Result<void> sync_names(const StorePlace& place);

/// Makes an empty file of mode 0600 that nobody had; one left from an interrupted attempt goes.
Result<void> make_empty(const std::string& path);

/// Gives a finished file its name, durably.
Result<void> move_into_place(const StorePlace& place, const std::string& from, const std::string& to);

/// Gives the file and its logs the first free name of path.damaged-1, -2 ..., durably. When it is killed in between, what is left
/// is a log without a file, and the next call moves that to the same name.
/// returns  the new name
/// errors   unavailable: kMaxSetAside of them are there, or the system refuses; the text names the path
Result<std::string> set_aside(const StorePlace& place);

/// Whether one of those stands there, or its logs.
bool has_set_aside(const std::string& path);

}  // namespace stox::store
