#include "tests/sim/to_sip_ledger.h"

#include "tests/sim/broken.h"

#include <algorithm>

namespace stox::sim {

void ToSipLedger::stanza_given(const std::string& id) { messages_[id].order = ++order_; }

void ToSipLedger::request_sent(engine::ClientTransaction transaction, const std::string& id, const sip::Request& request,
                               const std::set<std::string>& disk) {
    const auto found = messages_.find(id);
    require(found != messages_.end(), "a request for no stanza", id);
    auto& message = found->second;
    require(disk.contains(id), "sent before it is on the disk", id);
    message.stored = true;
    require(std::exchange(message.may_be_sent, false), "sent again although it may have been taken", id);
    require(!message.told, "sent after its author was told that it failed", id);
    if (!message.call_id.empty()) {
        ++copies_;
        require(message.call_id == request.call_id && message.from_tag == request.from.tag, "a copy with other ids", id);
        require(request.cseq > message.cseq || !message.cseq_must_rise || message.cseq_unknown, "a copy without a higher CSeq",
                id);
    }
    message.cseq_must_rise = false;
    message.call_id = request.call_id;
    message.from_tag = request.from.tag;
    message.cseq = request.cseq;
    const auto line = request.uri.to_string();
    require(busy_.insert(line).second, "two transactions to one contact", line);
    auto& last = last_of_line_[line];
    require(message.order >= last, "overtaken by a later one", id);
    last = message.order;
    require(open_.emplace(transaction, std::pair(id, line)).second, "a transaction number used twice", id);
}

void ToSipLedger::request_ended(engine::ClientTransaction transaction, const End& end) {
    const auto found = open_.find(transaction);
    require(found != open_.end(), "an end of no transaction", std::to_string(static_cast<std::uint64_t>(transaction)));
    auto& message = of(found->second.first);
    busy_.erase(found->second.second);
    open_.erase(found);
    if (is_success(end.status)) message.delivered = message.delivered_now = true;
    if (end.untaken) message.may_be_sent = true;
    if (end.may_have_arrived && end.shows_once && !std::exchange(message.repeated, true))
        message.may_be_sent = message.cseq_must_rise = true;
}

void ToSipLedger::error_written(const std::string& id, const std::set<std::string>& disk) {
    const auto found = messages_.find(id);
    require(found != messages_.end(), "an error for no stanza", id);
    auto& message = found->second;
    message.stored = message.stored || disk.contains(id);
    message.bounced = true;
    message.may_be_sent = false;
    require(!message.delivered_now, "an error for what was delivered", id);
    require(!message.error_covered || message.may_retell, "an author told again who surely knows", id);
}

void ToSipLedger::error_covered(const std::string& id) {
    auto& message = of(id);
    message.error_covered = true;
    message.may_retell = false;
}

void ToSipLedger::crashed(const std::set<std::string>& disk) {
    open_.clear();
    busy_.clear();
    for (auto& [id, message] : messages_) {
        message.repeated = message.delivered_now = false;
        message.may_be_sent = message.may_retell = message.cseq_must_rise = disk.contains(id);
        if (disk.contains(id)) {
            message.stored = true;
            message.told = false;  // a restart may find it before it failed
            continue;
        }
        require(!message.stored || message.delivered || message.error_covered, "accepted and lost by a crash", id);
        if (!message.bounced && !message.delivered) message.gone = true;
    }
    // What a restart sends again begins each line anew.
    last_of_line_.clear();
}

void ToSipLedger::stopped(const std::set<std::string>& disk) const {
    for (const auto& [id, message] : messages_)
        require(!(message.delivered_now || message.told) || !disk.contains(id), "over and kept by a stop that took its time", id);
}

void ToSipLedger::close() const {
    for (const auto& [id, message] : messages_) {
        if (message.stored)
            require(message.delivered || message.told || message.error_covered, "an author who does not know what became of it",
                    id);
        else
            require(message.bounced || message.gone, "neither accepted nor refused", id);
    }
}

std::size_t ToSipLedger::never_accepted() const {
    return static_cast<std::size_t>(std::ranges::count_if(messages_, [](const auto& one) { return one.second.gone; }));
}

}  // namespace stox::sim
