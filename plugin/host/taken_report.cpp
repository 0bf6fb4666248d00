#include "plugin/host/taken_report.h"

#include <chrono>
#include <utility>
#include <variant>

namespace stox::host {

namespace {

constexpr std::chrono::milliseconds kSoon{20};  ///< so that many stanzas make one line

}  // namespace

TakenReport::TakenReport(boost::asio::io_context& loop, Tell tell) : tell_(std::move(tell)), timer_(loop) {}

void TakenReport::begin(std::string stream) {
    taken_.begin(std::move(stream));
    open_ = true;
}

void TakenReport::end(bool whole) {
    if (std::exchange(open_, false)) say(whole ? taken_.all() : taken_.taken());
}

void TakenReport::handled() {
    taken_.handled();
    say_soon();
}

void TakenReport::wants(const std::vector<engine::Action>& actions) {
    last_.reset();
    if (!tell_ || !taken_.in_hand()) return;
    for (const auto& action : actions)
        if (const auto* commit = std::get_if<engine::Commit>(&action)) last_ = commit->commit;
}

std::optional<StreamMark> TakenReport::commits(engine::CommitId commit) {
    taken_.commit(commit);
    return last_ == commit ? std::optional(taken_.all()) : std::nullopt;
}

void TakenReport::committed(engine::CommitId commit) {
    taken_.committed(commit);
    say_soon();
}

void TakenReport::say_soon() {
    if (!tell_ || soon_ || taken_.taken() == told_) return;
    soon_ = true;
    timer_.expires_after(kSoon);
    timer_.async_wait([this, alive = alive_](boost::system::error_code) {
        if (!*alive) return;
        soon_ = false;
        if (open_) say(taken_.taken());
    });
}

void TakenReport::say(const StreamMark& mark) {
    if (!tell_ || mark == told_) return;
    tell_(mark);
    told_ = mark;
}

}  // namespace stox::host
