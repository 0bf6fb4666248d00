#include "plugin/host/worker_store.h"

#include "plugin/host/store/signals_blocked.h"

#include <boost/asio/post.hpp>

#include <pthread.h>

#include <algorithm>
#include <system_error>

namespace stox::host {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kFirstPause{100}, kLongestPause{2'000};
/// A worker that ends holds its store for less than that.
constexpr std::chrono::seconds kPatience{3};

/// A value that a handler may carry though it can only be moved.
template <class T>
std::shared_ptr<T> shared(T value) {
    return std::make_shared<T>(std::move(value));
}

}  // namespace

WorkerStore::WorkerStore(asio::io_context& loop, Events events) : loop_(loop), events_(std::move(events)), retry_(loop) {}

WorkerStore::~WorkerStore() {
    *alive_ = false;
    if (thread_.joinable()) thread_.join();
}

void WorkerStore::open(std::string directory) {
    if (store_) return;
    told_.clear();  // who asks anew is answered anew
    directory_ = std::move(directory);
    asked_ = std::chrono::steady_clock::now();
    pause_ = kFirstPause;
    if (trying_)
        again_ = true;
    else
        attempt();
}

void WorkerStore::attempt() {
    retry_.cancel();
    if (thread_.joinable()) thread_.join();  // it has given its result
    trying_ = true, again_ = false;
    store::SqliteSettings settings;
    settings.path = directory_ + "/store.db";
    settings.on_damage = [this, alive = alive_](const std::string& line) {
        asio::post(loop_, [this, alive, line] {
            if (*alive) events_.log(engine::Level::error, "store: " + line);
        });
    };
    const auto work = [this, alive = alive_, settings = std::move(settings), guard = asio::make_work_guard(loop_)] {
        pthread_setname_np(pthread_self(), "stox-store-open");
        auto opened = shared(store::SqliteStore::open(loop_, settings));
        asio::post(loop_, [this, alive, opened] {
            if (*alive) over(std::move(*opened));
        });
    };
    try {
        const store::SignalsBlocked during_creation;
        thread_ = std::thread(work);
    } catch (const std::system_error& error) {
        asio::post(loop_, [this, alive = alive_, why = std::string(error.what())] {
            if (*alive) over(fail(Code::unavailable, "no thread to open it: " + why));
        });
    }
}

void WorkerStore::over(Opened opened) {
    trying_ = false;
    if (opened) {
        store_ = std::move(opened).value();
        settled_ = true;
        events_.log(engine::Level::info, "store opened in " + directory_);
        return events_.opened();
    }
    if (again_) return attempt();  // in another directory, or after somebody mended this one
    retry_.expires_after(pause_);
    retry_.async_wait([this, alive = alive_](boost::system::error_code error) {
        if (!error && *alive && !store_ && !trying_) attempt();
    });
    pause_ = std::min(pause_ * 2, kLongestPause);
    const bool may_pass = opened.error().code == Code::unavailable;
    if (may_pass && std::chrono::steady_clock::now() - asked_ < kPatience) return;
    tell(opened.error());
    if (!std::exchange(settled_, true)) events_.failed();
}

/// Once for each reason.
void WorkerStore::tell(const Error& why) {
    if (why.detail == told_) return;
    told_ = why.detail;
    events_.log(engine::Level::error, "no message is accepted, for the store cannot be opened: " + why.detail +
                                          "; see to the directory, or name another with state_dir. Trying again.");
}

}  // namespace stox::host
