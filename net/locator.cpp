#include "net/locator.h"

#include <boost/asio/post.hpp>

#include <chrono>
#include <random>
#include <utility>

namespace stox::net {

namespace asio = boost::asio;

namespace {

TimePoint now() { return std::chrono::steady_clock::now(); }

}  // namespace

Random system_random() {
    return [source = std::make_shared<std::random_device>()](std::uint32_t most) {
        return std::uniform_int_distribution<std::uint32_t>(0, most)(*source);
    };
}

Locator::Locator(asio::io_context& loop, Resolver& resolver, Capabilities capabilities, Random random)
    : loop_(loop), resolver_(resolver), capabilities_(std::move(capabilities)), random_(std::move(random)) {}

Locator::~Locator() {
    for (auto& [id, search] : searches_)
        for (const auto question : search.asked) resolver_.cancel(question);
}

Locator::Id Locator::locate(LocationRequest request, OnLocated on_located) {
    const Id id = ++last_id_;
    if (searches_.size() >= kMaxSearches) {
        finished_.emplace(id, std::move(on_located));
        finish(id, fail(Code::unavailable, "too many searches for SIP hosts at once"));
        return id;
    }
    auto& search = searches_.try_emplace(id, loop_, Location(std::move(request), capabilities_, random_), std::move(on_located))
                       .first->second;
    perform(id, search, search.location.start(now()));
    return id;
}

void Locator::cancel(Id id) {
    finished_.erase(id);
    drop(id);
}

void Locator::perform(Id id, Search& search, LocationActions actions) {
    for (auto& action : actions) {
        if (auto* located = std::get_if<Located>(&action)) {  // the last one
            finished_.emplace(id, std::move(search.on_located));
            drop(id);
            finish(id, std::move(located->targets));
            return;
        }
        const auto& question = std::get<Ask>(action).question;
        search.asked.push_back(resolver_.resolve(question, [this, id, question](const Answer& answer) {
            const auto running = searches_.find(id);
            if (running != searches_.end())
                perform(id, running->second, running->second.location.on_answer(question, answer, now()));
        }));
    }
    set_timer(id, search);
}

void Locator::finish(Id id, Result<std::vector<Target>> result) {
    asio::post(loop_, [this, id, result = std::move(result), alive = std::weak_ptr(alive_)]() mutable {
        if (alive.expired()) return;
        if (auto finished = finished_.extract(id)) finished.mapped()(std::move(result));
    });
}

void Locator::set_timer(Id id, Search& search) {
    const auto due = search.location.next_timeout();
    if (!due) return;
    search.timer.expires_at(*due);
    search.timer.async_wait([this, id, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
        if (error || alive.expired()) return;
        const auto running = searches_.find(id);
        if (running != searches_.end()) perform(id, running->second, running->second.location.on_time(now()));
    });
}

void Locator::drop(Id id) {
    const auto running = searches_.find(id);
    if (running == searches_.end()) return;
    for (const auto question : running->second.asked) resolver_.cancel(question);
    searches_.erase(running);
}

}  // namespace stox::net
