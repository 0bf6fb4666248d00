#include "sip/sofia_loop.h"

#include <sofia-sip/su_wait.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

namespace stox::sip {

namespace {

using boost::system::error_code;
using std::chrono::milliseconds;

/// Longest wait for a timer of Sofia's: a later one is found by asking again.
constexpr milliseconds kLongestWait{60'000};
/// How late one may be: hers are of half a second and more. Every message starts and ends some; asked at once each time, they
/// would cost a system call, and at low load a wake-up of their own.
constexpr milliseconds kLateness{20};

/// The epoll descriptors of this process. Sofia does not tell which one it made.
std::set<int> epoll_descriptors() {
    std::set<int> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        if (std::filesystem::read_symlink(entry.path(), gone) == "anon_inode:[eventpoll]")
            found.insert(std::stoi(entry.path().filename()));
    }
    return found;
}

}  // namespace

Result<std::unique_ptr<SofiaLoop>> SofiaLoop::create(boost::asio::io_context& loop, Turn& turn,
                                                     std::function<void()> after_step) {
    const auto before = epoll_descriptors();
    Root root(su_root_create(nullptr));
    if (!root) return fail(Code::unavailable, "no loop for SIP: out of descriptors");
    su_root_threading(root.get(), 0);
    std::set<int> made;
    std::ranges::set_difference(epoll_descriptors(), before, std::inserter(made, made.end()));
    if (made.size() != 1)
        return fail(Code::unavailable, "Sofia's event loop is not the epoll one; another build of the library is installed");
    // A duplicate: Asio closes what it watches, Sofia closes its own.
    const int watched = ::fcntl(*made.begin(), F_DUPFD_CLOEXEC, 3);
    if (watched < 0) return fail(Code::unavailable, "no loop for SIP: out of descriptors");
    return std::unique_ptr<SofiaLoop>(new SofiaLoop(loop, turn, std::move(root), watched, std::move(after_step)));
}

SofiaLoop::SofiaLoop(boost::asio::io_context& loop, Turn& turn, Root root, int epoll, std::function<void()> after_step)
    : turn_(turn), root_(std::move(root)), descriptor_(loop, epoll), timer_(loop), after_step_(std::move(after_step)) {
    watch();
    touched();
}

/// What is on its way inside the library would be lost with what it holds. The agent is gone, so nobody hears of it.
SofiaLoop::~SofiaLoop() { su_root_step(root_.get(), 0); }

void SofiaLoop::watch() {
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [this, alive = std::weak_ptr(alive_)](error_code error) {
                               if (error || alive.expired()) return;
                               turn_.run([this] {
                                   step();
                                   watch();
                               });
                           });
}

void SofiaLoop::touched() { wake_within(kLateness); }

void SofiaLoop::enter(const std::function<void()>& call) {
    call();
    after_step_();
    touched();
}

void SofiaLoop::step() {
    const auto next = su_root_step(root_.get(), 0);
    after_step_();
    wake_within(next < 0 ? kLongestWait : std::clamp(milliseconds(next) + milliseconds(1), kLateness, kLongestWait));
}

void SofiaLoop::wake_within(milliseconds wait) {
    const auto at = std::chrono::steady_clock::now() + wait;
    // Hardly ever is Sofia's next timer brought forward: one that goes off too early just asks again.
    if (at >= wakes_at_) return;
    wakes_at_ = at;
    timer_.expires_at(at);
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](error_code error) {
        if (error || alive.expired()) return;
        wakes_at_ = std::chrono::steady_clock::time_point::max();
        turn_.run([this] { step(); });
    });
}

}  // namespace stox::sip
