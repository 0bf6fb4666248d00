#include "tests/sim/world.h"

#include "plugin/engine/inbox.h"
#include "tests/sim/broken.h"

#include <array>

namespace stox::sim {

using namespace std::chrono_literals;

namespace {

/// The stanza's id stands in the text, so that a request of ours can be told whose it is.
std::string id_in(const std::string& text) { return text.substr(0, text.find(' ')); }

std::string body(const xmpp::Message& message) { return message.bodies.empty() ? std::string() : message.bodies.front().text; }

}  // namespace

World::Counts& World::Counts::operator+=(const Counts& other) {
    messages += other.messages, copies += other.copies, crashes += other.crashes, stops += other.stops, kills += other.kills;
    drops += other.drops, refused_commits += other.refused_commits, lost_covered += other.lost_covered;
    unaccepted += other.unaccepted, watches += other.watches, notifications += other.notifications;
    return *this;
}

World::Counts World::counts() const {
    auto counts = counts_;
    counts.messages = to_xmpp_.requests() + to_sip_.stanzas();
    counts.copies = to_xmpp_.copies() + to_sip_.copies();
    counts.lost_covered = to_xmpp_.lost_covered();
    counts.unaccepted = to_sip_.never_accepted();
    return counts;
}

void World::note(std::string text) {
    const auto passed = std::chrono::duration_cast<Milliseconds>(now_.time_since_epoch()).count();
    trace_.push_back(std::to_string(passed) + " ms  " + std::move(text));
}

void World::in_this_life(engine::TimePoint when, Event event) {
    at(when, [this, life = life_, event = std::move(event)] {
        if (life == life_ && engine_) event();
    });
}

void World::run() {
    schedule_story();
    while (!events_.empty()) {
        auto next = events_.extract(events_.begin());
        now_ = next.key();
        next.mapped()();
        check();
    }
    const auto pending = engine_->pending();
    require(pending.held_messages == 0 && pending.to_xmpp == 0, "held for ever", std::to_string(pending.to_xmpp));
    require(pending.queued_messages == 0, "queued for ever", std::to_string(pending.queued_messages));
    require(pending.transactions == 0, "a transaction without end", std::to_string(pending.transactions));
    require(pending.errors == 0, "an error owed for ever", std::to_string(pending.errors));
    require(pending.commits == 0, "a commit without end", std::to_string(pending.commits));
    require(disk_.size() == 0, "kept for ever", disk_.size() == 0 ? "" : name_of(disk_.records().front()));
    to_xmpp_.close();
    to_sip_.close();
    require(reports_ >= to_xmpp_.refused_after_all(), "accepted, refused, and not reported", std::to_string(reports_));
}

void World::feed(engine::Input input) {
    if (!engine_) return;
    const auto life = life_;
    for (const auto& action : engine_->handle(std::move(input), now_))
        std::visit([this](const auto& one) { perform(one); }, action);
    if (life != life_) return;
    arm();
    go_if_drained();
}

void World::arm() {
    const auto due = engine_->next_timeout();
    const auto number = ++tick_;
    if (!due) return;
    in_this_life(std::max(*due, now_), [this, number] {
        if (number == tick_) feed(engine::Tick{});
    });
}

void World::perform(const engine::SendStanza& action) {
    if (const auto* message = std::get_if<xmpp::Message>(&action.stanza)) {
        if (message->type == xmpp::MessageType::error) {
            note("error for the author of " + message->id);
            to_sip_.error_written(message->id, to_sip_disk());
        } else {
            note("write " + body(*message));
            to_xmpp_.written(body(*message), message->id, to_xmpp_disk());
        }
    }
    if (const auto* iq = std::get_if<xmpp::Iq>(&action.stanza)) last_ping_ = iq->id;
    to_server(action.stanza);
}

void World::perform(const engine::RespondSip& action) {
    const auto transaction = static_cast<std::uint64_t>(action.transaction);
    note("answer " + std::to_string(transaction) + ' ' + std::to_string(action.response.status));
    if (auto asked = asked_.extract(transaction)) {
        if (action.response.status < 200) throw Broken("a provisional to what is no INVITE");
        return asked.mapped()(action.response);
    }
    to_xmpp_.answered(transaction, action.response.status, to_xmpp_disk());
}

void World::perform(const engine::Commit& action) {
    require(!action.changes.empty() && action.changes.size() <= engine::Commit::kMaxChanges, "a commit of a wrong size",
            std::to_string(action.changes.size()));
    // One after the other; the answers may be slow, and overtake each other.
    written_to_disk_until_ = std::max(written_to_disk_until_, now_) + delay(chance(3) ? 3'000 : 6);
    in_this_life(written_to_disk_until_, [this, action] {
        const auto result = disk_.commit(action);
        if (!result.result) {
            ++counts_.refused_commits;
            refused_at_ = now_;
            note("commit refused");
            for (const auto& change : action.changes)
                if (const auto* row = change.value ? std::get_if<engine::OutboxRow>(&*change.value) : nullptr)
                    to_sip_.not_written(row->stanza.id);
        }
        in_this_life(now_ + delay(chance(5) ? 200 : 1), [this, result] { feed(result); });
    });
}

void World::perform(const engine::SendSip& action) {
    if (action.request.method == "OPTIONS") return answer_probe(action);
    if (action.request.method == "SUBSCRIBE") return answer_subscribe(action);
    if (action.request.method == "NOTIFY") return answer_notify(action);
    const auto id = id_in(action.request.body);
    note("send " + id + " to " + action.request.uri.to_string() + " cseq " + std::to_string(action.request.cseq));
    to_sip_.request_sent(action.transaction, id, action.request, to_sip_disk());
    ++in_progress_;
    if (chance(20))
        in_this_life(now_ + delay(300), [this, transaction = action.transaction] {
            sip::Response provisional;
            provisional.status = 100;
            feed(engine::SipResponseIn{transaction, provisional, engine::LocalFailure::none});
        });
    static constexpr std::array<int, 10> kFinals{200, 200, 200, 202, 404, 408, 486, 500, 503, 603};
    engine::SipResponseIn outcome{action.transaction, {}, engine::LocalFailure::none};
    outcome.response.status = kFinals[pick(kFinals.size())];
    auto when = delay(2'000);
    using engine::LocalFailure;
    if (chance(12)) {
        constexpr std::array kFailures{LocalFailure::timeout, LocalFailure::unsent, LocalFailure::transport};
        outcome.local = kFailures[pick(kFailures.size())];
        outcome.response.status = outcome.local == LocalFailure::timeout ? 408 : 503;
        when = outcome.local == LocalFailure::timeout ? Milliseconds(32s) : delay(1'000);
    }
    ToSipLedger::End end{outcome.response.status};
    // Of a datagram that came back within 500 ms there is no second copy.
    end.untaken = outcome.local == LocalFailure::unsent ||
                  (outcome.local == LocalFailure::none && outcome.response.status == 503) ||
                  (outcome.local == LocalFailure::transport && when < 500ms);
    end.may_have_arrived = !end.untaken && (outcome.response.status == 408 || outcome.local == LocalFailure::transport);
    in_this_life(now_ + when, [this, outcome, end, user = action.request.uri.user]() mutable {
        end.shows_once = imdn_contacts_.contains(user);
        note("final " + std::to_string(static_cast<std::uint64_t>(outcome.transaction)) + ' ' + std::to_string(end.status));
        --in_progress_;
        to_sip_.request_ended(outcome.transaction, end);
        feed(outcome);
        if (chance(10)) in_this_life(now_ + delay(500), [this, outcome] { feed(outcome); });  // once more
    });
}

// Its peers speak by datagrams.
void World::perform(const engine::HoldFlow&) { throw Broken("a connection of nobody is held"); }
void World::perform(const engine::ReleaseFlow&) { throw Broken("a connection of nobody is released"); }

void World::perform(const engine::Refused&) { throw Broken("a peer counted as a stranger"); }

// Nobody administers in this world.
void World::perform(const engine::Authorize&) { throw Broken("a question about an administrator"); }
void World::perform(const engine::Administer&) { throw Broken("an order of nobody"); }

void World::perform(const engine::Log& action) {
    if (action.text.find("failed after it was accepted") != std::string::npos) ++reports_;
}

void World::check() {
    if (!engine_) return;
    const auto pending = engine_->pending();
    require(pending.held_messages <= pending.to_xmpp, "answers held for nothing", std::to_string(pending.held_messages));
    require(pending.to_xmpp <= engine::Inbox::kEntries, "too many for the server", std::to_string(pending.to_xmpp));
    // What a restart sends again may stand behind fifty others.
    if (counts_.crashes + counts_.stops == 0)
        require(pending.queued_messages <= 3 * 50, "more than 50 queued for a contact", std::to_string(pending.queued_messages));
    check_store();
    if (stopping_since_) return;
    // What waits for a location is in progress as well.
    require(pending.transactions >= in_progress_ && (locating_ != 0 || pending.transactions == in_progress_),
            "the engine miscounts its transactions", std::to_string(pending.transactions));
}

/// Store and memory are the same, both ways. A message is on the disk before anybody counts on it; what else differs is on its way,
/// and there as soon as the disk has taken it.
void World::check_store() {
    std::map<std::string, engine::TimePoint> strays;
    std::set<Disk::Place> counted;
    engine_->for_each_record([&](engine::Collection collection, const std::string& key) {
        const bool message = collection == engine::Collection::inbox || collection == engine::Collection::outbox;
        const bool there = disk_.holds({collection, key});
        require(there || !message, "in memory and not on the disk", key);
        if (!there) note_stray(strays, "in memory alone: " + key);
        counted.emplace(collection, key);
    });
    if (stopping_since_) return strays_.clear();
    const auto believed_now = believed();
    std::set<std::string> kept;
    for (const auto& record : disk_.records()) {
        if (record.collection == engine::Collection::receipts || is_delivered(record)) continue;
        const auto name = name_of(record);
        if (!counted.contains({record.collection, record.key})) note_stray(strays, "on the disk alone: " + name);
        if (record.collection == engine::Collection::inbox || record.collection == engine::Collection::outbox) continue;
        if (!believed_now.contains(name)) note_stray(strays, "kept and not believed: " + name);
        kept.insert(name);
    }
    for (const auto& one : believed_now)
        if (!kept.contains(one)) note_stray(strays, "believed and not kept: " + one);
    strays_ = std::move(strays);
    for (const auto& [stray, since] : strays_)
        require(disk_.is_full() || now_ <= std::max({since, written_to_disk_until_, refused_at_}) + 1'500ms, "for too long", stray);
}

void World::note_stray(std::map<std::string, engine::TimePoint>& strays, const std::string& stray) const {
    const auto known = strays_.find(stray);
    strays.emplace(stray, known == strays_.end() || disk_.is_full() ? now_ : known->second);
}

}  // namespace stox::sim
