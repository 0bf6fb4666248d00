#include "plugin/host/store/sqlite_store.h"

#include "plugin/host/store/signals_blocked.h"
#include "plugin/host/store/sqlite_database.h"
#include "plugin/host/store/store_file.h"

#include <boost/asio/post.hpp>

#include <pthread.h>

#include <system_error>

namespace stox::store {

namespace {

bool within(std::size_t octets, std::size_t bound) { return octets > 0 && octets <= bound; }

Result<void> check(const std::vector<Change>& batch) {
    if (!within(batch.size(), kMaxGroupRecords))
        return fail(Code::too_large, "a batch of " + std::to_string(batch.size()) + " records");
    for (const auto& change : batch) {
        if (!within(change.collection.size(), kMaxCollectionOctets))
            return fail(Code::too_large, "length of a collection's name");
        if (!within(change.key.size(), kMaxKeyOctets)) return fail(Code::too_large, "length of a record's key");
        if (change.value && change.value->size() > kMaxValueOctets) return fail(Code::too_large, "length of a record's value");
    }
    return ok();
}

std::size_t octets_of(const std::vector<Change>& batch) {
    std::size_t octets = 0;
    for (const auto& change : batch)
        octets += change.collection.size() + change.key.size() + (change.value ? change.value->size() : 0);
    return octets;
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(boost::asio::io_context& loop, const SqliteSettings& settings) {
    BOOST_OUTCOME_TRY(database, SqliteDatabase::open(settings));
    try {
        return std::unique_ptr<SqliteStore>(new SqliteStore(loop, std::move(database), !has_set_aside(settings.path)));
    } catch (const std::system_error& error) {
        return fail(Code::unavailable, settings.path + ": no thread for the store: " + error.what());
    }
}

SqliteStore::SqliteStore(boost::asio::io_context& loop, std::unique_ptr<SqliteDatabase> database, bool whole)
    : loop_(loop), database_(std::move(database)), epoch_(database_->epoch()), whole_(whole) {
    const SignalsBlocked during_creation;
    thread_ = std::thread([this] { work(); });
}

SqliteStore::~SqliteStore() {
    *alive_ = false;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

Result<void> SqliteStore::write(std::vector<Change> batch, Done done) {
    BOOST_OUTCOME_TRYV(check(batch));
    const auto records = batch.size(), octets = octets_of(batch);
    if (uncommitted_records_ + records > kMaxUncommittedRecords || uncommitted_octets_ + octets > kMaxUncommittedOctets)
        return fail(Code::unavailable,
                    "the store is full: " + std::to_string(uncommitted_records_) + " records wait for the disk");
    uncommitted_records_ += records;
    uncommitted_octets_ += octets;
    take(Batch{std::move(batch), std::move(done), octets, std::chrono::steady_clock::now(), Work(loop_.get_executor())}, records);
    return ok();
}

void SqliteStore::load_all(std::string collection, Loaded loaded) {
    if (loads_due_ >= kMaxLoads)
        return boost::asio::post(loop_, [alive = alive_, loaded = std::move(loaded)] {
            if (*alive) loaded(fail(Code::unavailable, "the store is full: " + std::to_string(kMaxLoads) + " reads wait"));
        });
    ++loads_due_;
    take(Load{std::move(collection), std::move(loaded), Work(loop_.get_executor())}, 0);
}

/// Wakes the thread only for what it acts on: the first order, a full group, a read.
void SqliteStore::take(Order order, std::size_t records) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        const bool was_short = waiting_records_ < kMaxGroupRecords;
        waiting_records_ += records;
        waiting_loads_ += records == 0;
        wake = orders_.empty() || records == 0 || (was_short && waiting_records_ >= kMaxGroupRecords);
        orders_.push_back(std::move(order));
    }
    if (wake) changed_.notify_one();
}

void SqliteStore::work() {
    pthread_setname_np(pthread_self(), "stox-store");
    for (;;) {
        auto order = next();
        if (std::holds_alternative<std::monostate>(order)) break;
        if (auto* group = std::get_if<Group>(&order)) commit(std::move(*group));
        if (auto* read = std::get_if<Load>(&order)) load(std::move(*read));
        database_->checkpoint_if_due();
    }
    database_.reset();
}

/// Waits for orders, and for a group until it is full, 5 ms old or somebody wants to read what it writes. Under load a group
/// gathers while the one before it is on its way to the disk, and nobody waits at all. Nothing: the store ends.
std::variant<std::monostate, SqliteStore::Group, SqliteStore::Load> SqliteStore::next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !orders_.empty() || stopping_; });
    if (orders_.empty()) return {};
    if (auto* read = std::get_if<Load>(&orders_.front())) {
        Load order = std::move(*read);
        orders_.pop_front();
        --waiting_loads_;
        return order;
    }
    changed_.wait_until(lock, std::get<Batch>(orders_.front()).since + kMaxGroupWait,
                        [this] { return waiting_records_ >= kMaxGroupRecords || waiting_loads_ > 0 || stopping_; });
    return take_group();
}

SqliteStore::Group SqliteStore::take_group() {
    Group group;
    std::size_t records = 0;
    while (!orders_.empty()) {
        auto* batch = std::get_if<Batch>(&orders_.front());
        if (!batch || records + batch->changes.size() > kMaxGroupRecords) break;
        records += batch->changes.size();
        group.push_back(std::move(*batch));
        orders_.pop_front();
    }
    waiting_records_ -= records;
    return group;
}

void SqliteStore::commit(Group group) {
    const auto together = commit(std::span(group));
    // One that finds no room must not keep others from erasing, which makes some.
    const bool one_by_one = !together && group.size() > 1 && database_->out_of_room();
    std::vector<Answer> answers;
    std::size_t records = 0, octets = 0;
    for (auto& batch : group) {
        auto result = one_by_one ? commit(std::span(&batch, 1)) : together;
        answers.push_back({std::move(batch.done), std::move(result)});
        records += batch.changes.size();
        octets += batch.octets;
    }
    // One crossing for the group: waking the loop costs more than an answer.
    boost::asio::post(loop_, [this, alive = alive_, answers = std::move(answers), records, octets]() mutable {
        if (*alive) acknowledge(std::move(answers), records, octets);
    });
}

Result<void> SqliteStore::commit(std::span<const Batch> batches) {
    std::vector<const Change*> changes;
    for (const auto& batch : batches)
        for (const auto& change : batch.changes) changes.push_back(&change);
    return database_->commit(changes);
}

void SqliteStore::load(Load order) {
    boost::asio::post(
        loop_, [this, alive = alive_, loaded = std::move(order.loaded), records = database_->load(order.collection)]() mutable {
            if (!*alive) return;
            --loads_due_;
            loaded(std::move(records));
        });
}

void SqliteStore::acknowledge(std::vector<Answer> answers, std::size_t records, std::size_t octets) {
    uncommitted_records_ -= records;
    uncommitted_octets_ -= octets;
    for (const auto alive = alive_; const auto& [done, result] : answers)  // an answer may end the store
        if (*alive && done) done(result);
}

}  // namespace stox::store
