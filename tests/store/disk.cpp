#include "tests/store/disk.h"

#include "tests/store/rig.h"

#include <algorithm>

namespace stox::store::test {

namespace {

constexpr std::size_t kSector = 512;

/// The real file object of SQLite follows this one in memory.
struct DiskFile {
    sqlite3_file base;
    Disk* disk;
    std::string* path;

    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

DiskFile& of(sqlite3_file* file) { return *reinterpret_cast<DiskFile*>(file); }
const sqlite3_io_methods& real_methods(sqlite3_file* file) { return *of(file).real()->pMethods; }

int close(sqlite3_file* file) {
    const int code = real_methods(file).xClose(of(file).real());
    delete of(file).path;
    return code;
}

int write(sqlite3_file* file, const void* data, int count, sqlite3_int64 offset) {
    auto& disk = *of(file).disk;
    const std::lock_guard lock(disk.mutex());
    if (disk.write_fails()) return SQLITE_IOERR_WRITE;
    sqlite3_int64 size = 0;
    real_methods(file).xFileSize(of(file).real(), &size);
    if (disk.grows(*of(file).path, static_cast<std::size_t>(offset + count), static_cast<std::size_t>(size))) return SQLITE_FULL;
    const int code = real_methods(file).xWrite(of(file).real(), data, count, offset);
    if (code == SQLITE_OK)
        disk.wrote(*of(file).path, std::string(static_cast<const char*>(data), static_cast<std::size_t>(count)),
                   static_cast<std::size_t>(offset));
    return code;
}

int read(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
    auto& disk = *of(file).disk;
    const std::lock_guard lock(disk.mutex());
    if (disk.read_fails()) return SQLITE_IOERR_READ;
    return real_methods(file).xRead(of(file).real(), to, count, offset);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
    auto& disk = *of(file).disk;
    const std::lock_guard lock(disk.mutex());
    const int code = real_methods(file).xTruncate(of(file).real(), size);
    if (code == SQLITE_OK) disk.truncated(*of(file).path, static_cast<std::size_t>(size));
    return code;
}

/// The real sync is left out: nothing here depends on the machine's own disk.
int sync(sqlite3_file* file, int) {
    auto& disk = *of(file).disk;
    const std::lock_guard lock(disk.mutex());
    const bool well = !disk.sync_fails();
    disk.synced(*of(file).path, well);
    return well ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

const sqlite3_io_methods kMethods{
    .iVersion = 1,
    .xClose = close,
    .xRead = read,
    .xWrite = write,
    .xTruncate = truncate,
    .xSync = sync,
    .xFileSize = [](sqlite3_file* f, sqlite3_int64* size) { return real_methods(f).xFileSize(of(f).real(), size); },
    .xLock = [](sqlite3_file* f, int level) { return real_methods(f).xLock(of(f).real(), level); },
    .xUnlock = [](sqlite3_file* f, int level) { return real_methods(f).xUnlock(of(f).real(), level); },
    .xCheckReservedLock = [](sqlite3_file* f, int* held) { return real_methods(f).xCheckReservedLock(of(f).real(), held); },
    .xFileControl = [](sqlite3_file* f, int what, void* with) { return real_methods(f).xFileControl(of(f).real(), what, with); },
    .xSectorSize = [](sqlite3_file* f) { return real_methods(f).xSectorSize(of(f).real()); },
    .xDeviceCharacteristics = [](sqlite3_file* f) { return real_methods(f).xDeviceCharacteristics(of(f).real()); },
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* given) {
    auto& disk = *static_cast<Disk*>(vfs->pAppData);
    auto& ours = of(file);
    ours.base.pMethods = nullptr;
    const int code = disk.real()->xOpen(disk.real(), path, ours.real(), flags, given);
    if (code != SQLITE_OK) return code;
    ours.disk = &disk;
    ours.path = new std::string(path ? path : "");
    ours.base.pMethods = &kMethods;
    const std::lock_guard lock(disk.mutex());
    disk.opened(*ours.path);
    return code;
}

int remove(sqlite3_vfs* vfs, const char* path, int sync_directory) {
    auto& disk = *static_cast<Disk*>(vfs->pAppData);
    const std::lock_guard lock(disk.mutex());
    const int code = disk.real()->xDelete(disk.real(), path, sync_directory);
    if (code == SQLITE_OK) disk.removed(path);
    return code;
}

}  // namespace

Disk::Disk()
    : name_("disk-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))), real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.szOsFile = static_cast<int>(sizeof(DiskFile)) + real_->szOsFile;
    vfs_.xOpen = open;
    vfs_.xDelete = remove;
    sqlite3_vfs_register(&vfs_, 0);
}

Disk::~Disk() { sqlite3_vfs_unregister(&vfs_); }

unsigned Disk::syncs() {
    const std::lock_guard lock(mutex_);
    return syncs_;
}

void Disk::fail_syncs(unsigned count) {
    const std::lock_guard lock(mutex_);
    failing_syncs_ = count;
}

void Disk::fail_writes(unsigned count) {
    const std::lock_guard lock(mutex_);
    failing_writes_ = count;
}

void Disk::fail_reads(unsigned well, unsigned count) {
    const std::lock_guard lock(mutex_);
    good_reads_ = well;
    failing_reads_ = count;
}

unsigned Disk::reads() {
    const std::lock_guard lock(mutex_);
    return reads_;
}

void Disk::refuse_growth(std::string path) {
    const std::lock_guard lock(mutex_);
    no_growth_ = std::move(path);
}

void Disk::fail_one_in(unsigned calls) {
    const std::lock_guard lock(mutex_);
    one_in_ = calls;
}

bool Disk::sync_fails() {
    ++syncs_;
    if (failing_syncs_ > 0) return failing_syncs_-- > 0;
    return one_in_ > 0 && faults_() % one_in_ == 0;
}

bool Disk::write_fails() {
    if (failing_writes_ > 0) return failing_writes_-- > 0;
    return one_in_ > 0 && faults_() % one_in_ == 0;
}

bool Disk::read_fails() {
    ++reads_;
    if (failing_reads_ == 0) return false;
    if (good_reads_ > 0) return good_reads_--, false;
    return failing_reads_-- > 0;
}

void Disk::opened(const std::string& path) { files_.try_emplace(path, File{read_file(path), {}}); }
void Disk::removed(const std::string& path) { files_.erase(path); }

void Disk::wrote(const std::string& path, std::string octets, std::size_t offset) {
    files_[path].under_way.push_back({offset, std::move(octets)});
}

void Disk::truncated(const std::string& path, std::size_t size) { files_[path].under_way.push_back({size, {}, true}); }

void Disk::synced(const std::string& path, bool well) {
    auto& file = files_[path];
    if (well)
        for (const auto& write : file.under_way) apply(file.sure, write);
    file.under_way.clear();
}

void Disk::apply(std::string& image, const Write& write) {
    if (write.cuts_here) return image.resize(write.offset);
    image.resize(std::max(image.size(), write.offset + write.octets.size()));
    image.replace(write.offset, write.octets.size(), write.octets);
}

std::map<std::string, std::string> Disk::after_power_cut(std::mt19937_64& random) {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::string> left;
    for (const auto& [path, file] : files_) {
        auto image = file.sure;
        for (const auto& write : file.under_way) {
            if (random() % 2 == 0) continue;
            if (random() % 4 != 0) {
                apply(image, write);
                continue;
            }
            for (std::size_t at = 0; at < write.octets.size(); at += kSector)
                if (random() % 2 == 0) apply(image, {write.offset + at, write.octets.substr(at, kSector)});
        }
        left[path.substr(path.rfind('/') + 1)] = std::move(image);
    }
    return left;
}

}  // namespace stox::store::test
