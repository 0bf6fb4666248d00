#include "net/node.h"

#include "mapping/core/assert.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace stox::net {

Result<std::unique_ptr<Node>> Node::open(NodePolicy policy, Clock clock) {
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC), wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    std::unique_ptr<Node> node(new Node(std::move(policy), std::move(clock), epoll, wake));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    if (epoll < 0 || wake < 0 || ::epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) != 0)
        return fail(Code::unavailable, "no descriptor for a node");
    return node;
}

Node::Node(NodePolicy policy, Clock clock, int epoll, int wake)
    : clock_(std::move(clock)), epoll_(epoll), wake_(wake), provisioning_(std::move(policy)) {}

Node::~Node() {
    for (const int descriptor : {epoll_, wake_})
        if (descriptor >= 0) ::close(descriptor);
}

void Node::add(std::unique_ptr<Source> source) {
    auto& watched = *sources_.emplace_back(std::make_unique<Watched>(Watched{std::move(source)}));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &watched}};
    if (const int descriptor = watched.source->descriptor(); descriptor >= 0)
        STOX_ASSERT(::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0);
    wake();
}

std::optional<TimePoint> Node::deadline() const {
    auto next = provisioning_.next_timeout();
    for (const auto& watched : sources_)
        if (const auto due = watched->source->deadline(); due && (!next || *due < *next)) next = due;
    return next;
}

void Node::run() {
    STOX_ASSERT(!std::exchange(running_, true));
    struct Ends {
        bool& running;
        ~Ends() { running = false; }
    } ends{running_};
    take_events();
    run_posted();
    read_sources();
    const auto now = clock_();
    if (const auto due = provisioning_.next_timeout(); due && *due <= now) provisioning_.on_time(now);
    deliver();
    if (subscriptions_->due(provisioning_.snapshot())) wake();  // a callback subscribed, or changed the policy
}

void Node::post(std::function<void()> work) {
    {
        const std::lock_guard lock(posted_mutex_);
        posted_.push_back(std::move(work));
    }
    wake();
}

Subscription Node::announce(Scope scope, Subscriptions::OnAnnouncement on_announcement) {
    const auto id = subscriptions_->add(scope, std::move(on_announcement));
    wake();
    return {subscriptions_, id};
}

void Node::set_policy(NodePolicy policy) {
    provisioning_.set_policy(std::move(policy), clock_());
    wake();
}

void Node::wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);  // full: it is awake
}

void Node::take_events() {
    std::array<epoll_event, 16> events;
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
        if (auto* watched = static_cast<Watched*>(events[static_cast<std::size_t>(i)].data.ptr)) watched->ready = true;
    }
    std::uint64_t wakes = 0;
    [[maybe_unused]] const auto read = ::read(wake_, &wakes, sizeof wakes);  // non-blocking: none is an error that says nothing
}

void Node::run_posted() {
    std::vector<std::function<void()>> posted;
    {
        const std::lock_guard lock(posted_mutex_);
        posted.swap(posted_);
    }
    for (const auto& work : posted) work();
}

void Node::read_sources() {
    for (std::size_t i = 0; i < sources_.size(); ++i) {  // a callback may add one
        auto& watched = *sources_[i];
        const auto now = clock_();
        const auto due = watched.source->deadline();
        if (!std::exchange(watched.ready, false) && !(due && *due <= now)) continue;
        const auto changes = watched.source->read(now);
        if (changes.empty()) continue;
        provisioning_.apply(watched.source->name(), changes, now);
        deliver();
    }
}

}  // namespace stox::net
