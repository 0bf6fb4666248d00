#include "plugin/host/domain_store.h"

#include "plugin/host/store/message_codec.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string_view>

namespace stox::host {

namespace {

using engine::Collection;

constexpr std::array kCollections{Collection::inbox, Collection::outbox, Collection::receipts, Collection::contacts,
                                  Collection::watchers};

/// Engines of one domain in one start of a worker whose numbers are lower than those of the next start.
constexpr std::uint32_t kReadings = 1'024;

/// Read within one turn of the loop: a few milliseconds.
constexpr std::size_t kPortionRows = 200, kPortionOctets = 256 * 1024;

constexpr const char* kTakenKey = "stream";

std::string write_mark(const StreamMark& mark) { return std::to_string(mark.count) + ' ' + mark.stream; }

/// None: it is not one of ours, so nothing is known of any stream.
std::optional<StreamMark> read_mark(std::string_view text) {
    StreamMark mark;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mark.count);
    if (error != std::errc() || end == text.data() + text.size() || *end != ' ') return std::nullopt;
    mark.stream = text.substr(static_cast<std::size_t>(end + 1 - text.data()));
    return mark;
}

}  // namespace

/// One collection after another, and of each a portion after the other.
struct DomainStore::Load {
    Loaded result;
    std::function<void(Result<Loaded>)> loaded;
    std::size_t next = 0;                ///< of kCollections
    std::vector<store::Record> records;  ///< of the collection before that
    std::size_t read = 0;                ///< of these
    std::uint64_t epoch = 0;             ///< of this start
    std::uint32_t reading = 0;           ///< of this domain in it

    std::uint32_t lives_of(const store::Record& record) const {
        const auto lives = std::max(epoch, record.epoch) - record.epoch;
        constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max() / kReadings / 2;
        return static_cast<std::uint32_t>(std::min(lives, kMost) * kReadings) + reading;
    }
    /// False: there is nothing left to read.
    bool read_portion() {
        const auto collection = kCollections[next - 1];
        std::size_t octets = 0;
        for (const auto end = std::min(records.size(), read + kPortionRows); read < end && octets < kPortionOctets; ++read) {
            const auto& record = records[read];
            octets += record.value.size();
            auto value = store::from_json(collection, record.value);
            if (value)
                result.records.push_back({collection, record.key, std::move(value).value(), lives_of(record)});
            else if (result.unreadable++ == 0)
                result.why = value.error().detail;
        }
        if (read < records.size()) return true;
        records.clear();
        read = 0;
        return false;
    }
};

DomainStore::DomainStore(boost::asio::io_context& loop, store::Store& store, std::string domain)
    : loop_(loop), store_(store), domain_(std::move(domain)) {}

DomainStore::~DomainStore() { *alive_ = false; }

void DomainStore::load(std::function<void(Result<Loaded>)> loaded) {
    auto load = std::make_shared<Load>();
    load->loaded = std::move(loaded);
    load->epoch = store_.epoch();
    load->result.whole = store_.is_whole();
    load->reading = store_.count_reading(store::collection_of(Collection::outbox, domain_));
    load_next(std::move(load));
}

void DomainStore::load_next(std::shared_ptr<Load> load) {
    if (load->next == kCollections.size()) return load_taken(std::move(load));
    const auto collection = kCollections[load->next++];
    store_.load_all(store::collection_of(collection, domain_),
                    [this, alive = alive_, load](Result<std::vector<store::Record>> records) {
                        if (!*alive) return;
                        if (!records) return load->loaded(std::move(records).error());
                        load->records = std::move(records).value();
                        read_on(load);
                    });
}

/// A turn of the loop for each portion: SIP, other domains and the watchdog do not wait for all of them.
void DomainStore::read_on(std::shared_ptr<Load> load) {
    if (!load->read_portion()) return load_next(std::move(load));
    boost::asio::post(loop_, [this, alive = alive_, load = std::move(load)]() mutable {
        if (*alive) read_on(std::move(load));
    });
}

void DomainStore::load_taken(std::shared_ptr<Load> load) {
    store_.load_all(taken_collection(), [alive = alive_, load](Result<std::vector<store::Record>> records) {
        if (!*alive) return;
        if (!records) return load->loaded(std::move(records).error());
        for (const auto& record : records.value()) load->result.taken = read_mark(record.value);
        load->loaded(std::move(load->result));
    });
}

void DomainStore::commit(std::vector<engine::RecordChange> changes, store::Durability durability,
                         std::function<void(Result<void>)> done, const std::optional<StreamMark>& taken) {
    auto batch = encode(std::move(changes), durability);
    if (batch && taken) batch.value().push_back({taken_collection(), kTakenKey, write_mark(*taken), store::Durability::normal});
    Result<void> given = ok();
    if (batch)
        given = store_.write(std::move(batch).value(), [alive = alive_, done](Result<void> result) {
            // Whatever else a store answers is its own fault, and none of the message.
            if (!result && result.error().code != Code::too_large) result = fail(Code::unavailable, result.error().detail);
            if (*alive) done(std::move(result));
        });
    else
        given = std::move(batch).error();
    if (given) return;
    boost::asio::post(loop_, [alive = alive_, done = std::move(done), why = std::move(given).error()] {
        if (*alive) done(why);
    });
}

void DomainStore::forget_taken() {
    // Without room for it a row of a few octets stays.
    (void)store_.erase(taken_collection(), kTakenKey, store::Durability::normal, [](const Result<void>&) {});
}

Result<std::vector<store::Change>> DomainStore::encode(std::vector<engine::RecordChange> changes,
                                                       store::Durability durability) const {
    std::vector<store::Change> batch;
    batch.reserve(changes.size());
    for (auto& change : changes) {
        store::Change one{store::collection_of(change.collection, domain_), std::move(change.key), std::nullopt, durability};
        // An erasure that a power cut takes back costs a copy, no message.
        if (!change.value) one.durability = store::Durability::normal;
        if (change.value) {
            BOOST_OUTCOME_TRY(text, store::to_json(*change.value));
            one.value = std::move(text);
        }
        batch.push_back(std::move(one));
    }
    return batch;
}

engine::Restored restored_from(Result<DomainStore::Loaded> loaded, UtcTime read) {
    if (!loaded) return {{}, read, false};
    const bool complete = loaded.value().unreadable == 0 && loaded.value().whole;
    return {std::move(loaded.value().records), read, complete};
}

}  // namespace stox::host
