#pragma once
// A disk that can fail and lose power, as a VFS for SQLite over the real one.
//
// It keeps for each file what is surely on the disk: what was there when the file was opened, and every write that a later
// successful sync covered. Writes that a failed sync was meant for are not written again by the next one, as in Linux.

#include <sqlite3.h>

#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace stox::store::test {

class Disk {
public:
    Disk();
    ~Disk();
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;
    const char* vfs() const { return name_.c_str(); }

    unsigned syncs();
    /// The next calls of the kind fail with EIO.
    void fail_syncs(unsigned count);
    void fail_writes(unsigned count);
    /// After so many reads that go well the next `count` fail with EIO.
    void fail_reads(unsigned well, unsigned count);
    unsigned reads();
    /// There is no room for `path` to become longer than it is.
    void refuse_growth(std::string path);
    /// From now on one write or sync of so many fails, 0: none.
    void fail_one_in(unsigned calls);

    /// What a power cut at this moment could leave behind: the sure part of each file and any of the writes that were still
    /// under way, one by one or in parts of 512 octets. By the file's name without its directory.
    std::map<std::string, std::string> after_power_cut(std::mt19937_64& random);

    // For the file methods.
    bool sync_fails();
    bool write_fails();
    bool read_fails();
    bool grows(const std::string& path, std::size_t end, std::size_t size) const { return path == no_growth_ && end > size; }
    void opened(const std::string& path);
    void removed(const std::string& path);
    void wrote(const std::string& path, std::string octets, std::size_t offset);
    void truncated(const std::string& path, std::size_t size);
    void synced(const std::string& path, bool well);
    sqlite3_vfs* real() const { return real_; }
    std::mutex& mutex() { return mutex_; }

private:
    struct Write {
        std::size_t offset;
        std::string octets;
        bool cuts_here = false;  ///< a truncation to `offset`
    };
    struct File {
        std::string sure;
        std::vector<Write> under_way;
    };
    static void apply(std::string& image, const Write& write);

    std::string name_;
    sqlite3_vfs* real_;
    sqlite3_vfs vfs_;
    std::mutex mutex_;  ///< held by the file methods for each call: a power cut falls between two
    std::map<std::string, File> files_;
    unsigned syncs_ = 0, failing_syncs_ = 0, failing_writes_ = 0, one_in_ = 0;
    unsigned reads_ = 0, good_reads_ = 0, failing_reads_ = 0;
    std::string no_growth_;
    std::mt19937_64 faults_{1};
};

}  // namespace stox::store::test
