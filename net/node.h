#pragma once
// A node with several networks, on any loop: one descriptor to poll and a deadline.

#include "net/provisioning.h"
#include "net/source.h"
#include "net/subscriptions.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace stox::net {

/// On one thread, but for post(). Every callback comes from run(), never from inside another call.
class Node {
public:
    using Clock = std::function<TimePoint()>;

    /// errors  unavailable: no descriptor
    static Result<std::unique_ptr<Node>> open(
        NodePolicy policy, Clock clock = [] { return std::chrono::steady_clock::now(); });
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// Heard from the next run() on. Of a source with the name of another nothing can be told apart.
    void add(std::unique_ptr<Source> source);

    /// Readable when run() has work; level-triggered, so it nests in any loop.
    int descriptor() const { return epoll_; }
    /// When run() is due though the descriptor is silent.
    std::optional<TimePoint> deadline() const;
    /// Never blocks. What it was called for may leave more to do: then the descriptor stays readable.
    void run();

    /// Runs it within run(). From any thread, while the node lives.
    void post(std::function<void()> work);

    /// Tells what there is, then what changes.
    Subscription announce(Scope scope, Subscriptions::OnAnnouncement on_announcement);
    const SnapshotPtr& snapshot() const { return provisioning_.snapshot(); }
    void set_policy(NodePolicy policy);

private:
    struct Watched {
        std::unique_ptr<Source> source;
        bool ready = true;  ///< read it, whatever its descriptor says: it is new
    };

    Node(NodePolicy policy, Clock clock, int epoll, int wake);
    void wake();
    void take_events();
    void run_posted();
    void read_sources();
    void deliver() { subscriptions_->deliver(provisioning_.snapshot()); }

    Clock clock_;
    int epoll_, wake_;
    Provisioning provisioning_;
    std::shared_ptr<Subscriptions> subscriptions_ = std::make_shared<Subscriptions>();
    std::vector<std::unique_ptr<Watched>> sources_;
    bool running_ = false;
    std::mutex posted_mutex_;  ///< of posted_ alone
    std::vector<std::function<void()>> posted_;
};

}  // namespace stox::net
