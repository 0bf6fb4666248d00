#include "tests/sim/ledger.h"

#include <utility>

namespace stox::sim {

namespace {

void require(bool condition, const std::string& what, const std::string& of) {
    if (!condition) throw Broken(what + ": " + of);
}

bool success(int status) { return status >= 200 && status < 300; }

}  // namespace

void Ledger::sip_request(std::uint64_t transaction, const std::string& text) { incoming_[transaction].text = text; }

void Ledger::sip_answered(std::uint64_t transaction, int status) {
    const auto found = incoming_.find(transaction);
    require(found != incoming_.end(), "an answer to no request", std::to_string(transaction));
    auto& request = found->second;
    require(++request.answered == 1, "a request answered twice", request.text);
    request.status = status;
    if (!success(status)) {
        if (status != 482) may_come_again_.insert(request.text);
        return;
    }
    require(read_.contains(request.text), "accepted before the server had it", request.text);
    require(!refused_.contains(request.text), "accepted although the server had refused it", request.text);
}

void Ledger::server_read(const std::string& text, const std::string& stanza_id) {
    const auto [known, is_new] = read_.emplace(text, stanza_id);
    if (is_new) return;
    require(may_come_again_.erase(text) == 1, "one request became two stanzas", text);
    require(known->second == stanza_id, "one message with two stanza ids", text);
    refused_.erase(text);
}

void Ledger::server_refused(const std::string& text) { refused_.insert(text); }

void Ledger::stanza_given(const std::string& id) { outgoing_[id].order = ++order_; }

void Ledger::request_sent(engine::ClientTransaction transaction, const std::string& id, const std::string& target) {
    const auto found = outgoing_.find(id);
    require(found != outgoing_.end(), "a request for no stanza", id);
    require(std::exchange(found->second.may_be_sent, false), "sent again although it may have been taken", id);
    require(found->second.errors == 0, "sent after its author was told that it failed", id);
    require(busy_.insert(target).second, "two transactions to one target", target);
    auto& last = last_of_target_[target];
    require(found->second.order >= last, "overtaken by a later one", id);
    last = found->second.order;
    require(open_.emplace(transaction, std::pair(id, target)).second, "a transaction number used twice", id);
}

void Ledger::request_ended(engine::ClientTransaction transaction, int status, bool untaken) {
    const auto found = open_.find(transaction);
    require(found != open_.end(), "an end of no transaction", std::to_string(static_cast<std::uint64_t>(transaction)));
    auto& stanza = outgoing_.at(found->second.first);
    stanza.final_status = status;
    stanza.may_be_sent = untaken;
    busy_.erase(found->second.second);
    open_.erase(found);
}

void Ledger::author_told(const std::string& id) {
    const auto found = outgoing_.find(id);
    require(found != outgoing_.end(), "an error for no stanza", id);
    require(++found->second.errors == 1, "an author told twice", id);
    require(!success(found->second.final_status), "an error for what was delivered", id);
}

void Ledger::close(const engine::Engine::Pending& pending) const {
    require(pending.held_messages == 0, "held for ever", std::to_string(pending.held_messages));
    require(pending.queued_messages == 0, "queued for ever", std::to_string(pending.queued_messages));
    require(pending.transactions == 0, "a transaction without end", std::to_string(pending.transactions));
    for (const auto& [transaction, request] : incoming_) require(request.answered == 1, "a request never answered", request.text);
    for (const auto& [id, stanza] : outgoing_)
        require(stanza.errors == (success(stanza.final_status) ? 0 : 1), "an author who does not know what became of it", id);
}

}  // namespace stox::sim
