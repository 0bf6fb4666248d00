#pragma once
// Who calls fsync on which directory, in this process: the test's own fsync stands before the system's.

#include <string>

namespace stox::store::test {

/// Counts from its making on.
class SyncsSeen {
public:
    SyncsSeen();
    unsigned of(const std::string& path) const;
};

/// While it lives an fsync of that path fails with EIO.
class FailingSyncs {
public:
    explicit FailingSyncs(std::string path);
    ~FailingSyncs();
    FailingSyncs(const FailingSyncs&) = delete;
    FailingSyncs& operator=(const FailingSyncs&) = delete;
};

}  // namespace stox::store::test
