#pragma once
// Store over SQLite, on a thread of its own.

#include "plugin/host/store/sqlite_settings.h"
#include "plugin/host/store/store.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <variant>
#include <vector>

namespace stox::store {

class SqliteDatabase;

class SqliteStore final : public Store {
public:
    /// Blocks for as long as the file takes to be read and proven: before the loop runs. The loop must outlive the store, one
    /// thread runs it, and it does not run out of work while an answer is due.
    /// errors  forbidden: the file is not ours alone; unsupported: of a newer version, or somebody else's database; unavailable:
    ///         in use by another worker, or the disk refuses. Each text names the path and says what to do
    static Result<std::unique_ptr<SqliteStore>> open(boost::asio::io_context& loop, const SqliteSettings& settings);
    /// On the loop's thread. Commits what was taken, then closes the file; its answers are not given any more.
    ~SqliteStore() override;

    Result<void> write(std::vector<Change> batch, Done done) override;
    void load_all(std::string collection, Loaded loaded) override;
    std::uint64_t epoch() const override { return epoch_; }
    bool is_whole() const override { return whole_; }

private:
    using Work = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;
    using TimePoint = std::chrono::steady_clock::time_point;

    struct Batch {
        std::vector<Change> changes;
        Done done;
        std::size_t octets;
        TimePoint since;
        Work work;
    };
    struct Load {
        std::string collection;
        Loaded loaded;
        Work work;
    };
    struct Answer {
        Done done;
        Result<void> result;
    };
    using Order = std::variant<Batch, Load>;
    using Group = std::vector<Batch>;

    SqliteStore(boost::asio::io_context& loop, std::unique_ptr<SqliteDatabase> database, bool whole);
    void take(Order order, std::size_t records);

    // The store's thread.
    void work();
    std::variant<std::monostate, Group, Load> next();
    Group take_group();
    void commit(Group group);
    Result<void> commit(std::span<const Batch> batches);
    void load(Load order);

    // The loop's thread.
    void acknowledge(std::vector<Answer> answers, std::size_t records, std::size_t octets);

    boost::asio::io_context& loop_;
    std::unique_ptr<SqliteDatabase> database_;  ///< the store's thread alone, while it runs
    const std::uint64_t epoch_;
    const bool whole_;

    // The loop's thread alone.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::size_t uncommitted_records_ = 0, uncommitted_octets_ = 0, loads_due_ = 0;

    std::mutex mutex_;  ///< guards what follows
    std::condition_variable changed_;
    std::deque<Order> orders_;
    std::size_t waiting_records_ = 0, waiting_loads_ = 0;
    bool stopping_ = false;

    std::thread thread_;
};

}  // namespace stox::store
