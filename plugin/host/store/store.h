#pragma once
// The durable state of a worker: keyed records, whole in the memory of whoever owns them and written through here.

#include "mapping/core/result.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stox::store {

/// What an acknowledgement promises.
enum class Durability : std::uint8_t {
    normal,  ///< survives the end of the process, however it ends; a power cut may take the newest away
    full,    ///< survives a power cut too: on the disk before the acknowledgement
};

/// One record written, or erased where it has no value.
struct Change {
    std::string collection;  ///< any octets, 1..kMaxCollectionOctets
    std::string key;         ///< any octets, 1..kMaxKeyOctets; unique within its collection
    std::optional<std::string> value;
    Durability durability = Durability::normal;

    friend bool operator==(const Change&, const Change&) = default;
};

struct Record {
    std::string key;
    std::string value;
    std::uint64_t epoch = 0;  ///< of the start that wrote the value

    friend bool operator==(const Record&, const Record&) = default;
};

// Bounds. What is over them is refused; nothing is cut.
constexpr std::size_t kMaxCollectionOctets = 512;
constexpr std::size_t kMaxKeyOctets = 8 * 1024;
constexpr std::size_t kMaxValueOctets = 1024 * 1024;
constexpr std::size_t kMaxGroupRecords = 256;          ///< committed together, and the most of one batch
constexpr std::chrono::milliseconds kMaxGroupWait{5};  ///< of the first change of a group for others to join it
constexpr std::size_t kMaxUncommittedRecords = 10'000;
constexpr std::size_t kMaxLoads = 1'000;                         ///< that wait for their answer
constexpr std::size_t kMaxUncommittedOctets = 64 * 1024 * 1024;  ///< of keys and values; a bound on memory, not on the disk

/// Changes reach the disk in the order of the calls, several batches by one commit. For one thread, the loop's: calls come
/// from it, answers come on it and never from inside a call. An answer that has not come when the store is destroyed never
/// comes.   (architecture.md: durable state; contract 6)
class Store {
public:
    /// Empty: committed, as durable as the strongest of the batch asked for. Else why not; then a crash decides whether the
    /// batch is there at the next start, all of it or nothing.
    using Done = std::function<void(Result<void>)>;
    using Loaded = std::function<void(Result<std::vector<Record>>)>;

    virtual ~Store() = default;

    /// Takes a batch: all of it is committed, or nothing. `done` is called once, unless the call itself refuses.
    /// errors  too_large: no change or over kMaxGroupRecords, an empty or overlong collection, key or value;
    ///         unavailable: full, that is kMaxUncommittedRecords or kMaxUncommittedOctets would be passed; nothing was taken
    virtual Result<void> write(std::vector<Change> batch, Done done) = 0;

    /// Every record of a collection, the longest-standing key first (a new value keeps the place of its key), as all batches
    /// written before left it.
    /// errors  malformed: a record is damaged; unavailable: the disk, or kMaxLoads wait already
    virtual void load_all(std::string collection, Loaded loaded) = 0;

    /// The number of this start: greater than that of any start before it that the file knows of.
    virtual std::uint64_t epoch() const = 0;

    /// False: there were other rows once, which a damaged file holds that was set aside. What is not here may have been there.
    virtual bool is_whole() const = 0;

    /// How often somebody said so of that collection since this start: the rows of a domain that left and came back are read again.
    std::uint32_t count_reading(const std::string& collection) { return ++readings_[collection]; }

    /// One change as a batch.
    Result<void> put(std::string collection, std::string key, std::string value, Durability durability, Done done) {
        return write({{std::move(collection), std::move(key), std::move(value), durability}}, std::move(done));
    }
    /// Erasing what is not there is no error.
    Result<void> erase(std::string collection, std::string key, Durability durability, Done done) {
        return write({{std::move(collection), std::move(key), std::nullopt, durability}}, std::move(done));
    }

protected:
    Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

private:
    std::map<std::string, std::uint32_t> readings_;
};

}  // namespace stox::store
