#pragma once
// The one store of a worker: opened beside the loop, tried again until it is there, and told about once.

#include "plugin/engine/engine.h"
#include "plugin/host/store/sqlite_store.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace stox::host {

/// Used and destroyed on the loop's thread. Callbacks come there, none from inside a call.
class WorkerStore {
public:
    struct Events {
        std::function<void()> opened;  ///< get() has it from now on
        std::function<void()> failed;  ///< not soon, it seems: it is tried again, but nobody should wait
        std::function<void(engine::Level, std::string)> log;
    };

    WorkerStore(boost::asio::io_context& loop, Events events);
    /// Waits for an attempt that is going on.
    ~WorkerStore();

    /// Opens it in that directory, at once even if another attempt was due later. Nothing happens while it is open. The worker of a
    /// server that was killed may hold it for a moment more: that is waited for in silence.
    void open(std::string directory);
    bool is_open() const { return store_ != nullptr; }
    /// Null: it is not open, or not yet.
    store::Store* get() { return store_.get(); }
    /// Whether opened() or failed() has come.
    bool is_settled() const { return settled_; }

private:
    using Opened = Result<std::unique_ptr<store::SqliteStore>>;

    void attempt();
    void over(Opened opened);
    void tell(const Error& why);

    boost::asio::io_context& loop_;
    Events events_;
    std::string directory_;
    std::unique_ptr<store::SqliteStore> store_;
    bool settled_ = false;
    bool trying_ = false, again_ = false;
    std::chrono::steady_clock::time_point asked_;
    std::chrono::milliseconds pause_{};  ///< before the next attempt
    std::string told_;
    boost::asio::steady_timer retry_;
    std::thread thread_;  ///< opens it: proving a large file takes longer than the loop may be away
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace stox::host
