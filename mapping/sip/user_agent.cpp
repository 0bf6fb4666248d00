#include "mapping/sip/user_agent.h"

#include "mapping/core/assert.h"

#include <algorithm>
#include <utility>

namespace stox::sip {

namespace {

constexpr int kMaxSteps = 64;         // of one tick and usage; no machine needs more than a few
constexpr std::size_t kMaxKeys = 32;  // of one usage: 16 requests that pass through, INVITEs and what they need

}  // namespace

UserAgent::UserAgent(Settings settings, std::function<std::uint32_t(std::uint32_t)> below, std::function<std::string()> new_tag)
    : settings_(std::move(settings)), sources_{std::move(below)}, new_tag_(std::move(new_tag)), table_(settings_.limits) {}

UserAgent::Usage* UserAgent::find(UsageKey key) {
    const auto at = usages_.find(key);
    return at == usages_.end() ? nullptr : &at->second;
}

/// After each input to a usage: what it sent is found again by key, its dialogs by id, its deadline by time.
void UserAgent::settle(UsageKey key, const Actions& out, std::size_t from) {
    auto* usage = find(key);
    if (!usage) return;
    for (auto i = from; i < out.size(); ++i) remember(key, *usage, out[i]);
    forget_invites(*usage);
    relist(key, *usage);
    const auto deadline = std::visit([](const auto& machine) { return machine.next_timeout(); }, usage->machine);
    if (deadline != usage->deadline) {
        if (usage->deadline) deadlines_.erase({*usage->deadline, key});
        if (deadline) deadlines_.insert({*deadline, key});
        usage->deadline = deadline;
    }
    if (!std::visit([](const auto& machine) { return machine.over(); }, usage->machine)) return;
    if (usage->deadline) deadlines_.erase({*usage->deadline, key});
    for (const auto& dialog : usage->listed) unlist(dialog->id, key);
    for (const auto request : usage->keys) keys_.erase(request);
    for (const auto transaction : usage->invites) invites_.erase(transaction);
    if (usage->subscriber) subscribers_.erase(*usage->subscriber);
    erase(key, *usage);
}

void UserAgent::remember(UsageKey key, Usage& usage, const Action& action) {
    if (const auto* send = std::get_if<SendRequest>(&action)) {
        // A REFER refused with 404 speaks of whom it names more often than of the dialog.
        const bool inside = !send->request.to.tag.empty() && send->request.method != "REFER";
        keys_.emplace(send->key, Sent{key, send->request.method == "INVITE", inside, false});
        usage.keys.push_back(send->key);
        if (usage.keys.size() <= kMaxKeys) return;
        keys_.erase(usage.keys.front());
        usage.keys.erase(usage.keys.begin());
    } else if (const auto* respond = std::get_if<Respond>(&action); respond && respond->response.status >= 200) {
        if (std::erase(usage.invites, respond->transaction) > 0) invites_.erase(respond->transaction);
    }
}

/// INVITEs whose 2xx nobody waits for any more.
void UserAgent::forget_invites(Usage& usage) {
    struct Listens {
        RequestKey key;
        bool operator()(const InviteClient& client) const { return client.listens(key); }
        bool operator()(const InviteServer& server) const { return server.session().listens(key); }
        bool operator()(const Subscriber&) const { return false; }
        bool operator()(const Notifier&) const { return false; }
    };
    std::erase_if(usage.keys, [&](RequestKey key) {
        const auto sent = keys_.find(key);
        const bool done = sent->second.invite && sent->second.answered && !std::visit(Listens{key}, usage.machine);
        if (done) keys_.erase(sent);
        return done;
    });
}

void UserAgent::unlist(const DialogId& id, UsageKey key) {
    table_.remove(id, key, is_call(key));
    if (settings_.on_dialog_over && !table_.find(id)) settings_.on_dialog_over(id);
}

/// A call of the peer has one dialog from its beginning to its end.
bool UserAgent::is_listed(const Usage& usage) {
    const auto* server = std::get_if<InviteServer>(&usage.machine);
    return server && usage.listed.size() == 1 && usage.listed.front() == server->session().dialog();
}

void UserAgent::relist(UsageKey key, Usage& usage) {
    if (is_listed(usage)) return;
    struct Dialogs {
        std::vector<DialogRef> operator()(const InviteClient& client) const { return client.dialogs(); }
        std::vector<DialogRef> operator()(const InviteServer& server) const { return one(server.session().dialog()); }
        std::vector<DialogRef> operator()(const Subscriber& subscriber) const { return one(subscriber.dialog()); }
        std::vector<DialogRef> operator()(const Notifier& notifier) const { return one(notifier.dialog()); }
        static std::vector<DialogRef> one(const DialogRef& dialog) {
            return dialog ? std::vector<DialogRef>{dialog} : std::vector<DialogRef>{};
        }
    };
    const auto now = std::visit(Dialogs{}, usage.machine);
    std::erase_if(usage.listed, [&](const DialogRef& listed) {
        const bool stands = std::ranges::find(now, listed) != now.end();
        if (!stands) unlist(listed->id, key);
        return !stands;
    });
    for (const auto& dialog : now) {
        if (std::ranges::find(usage.listed, dialog) != usage.listed.end()) continue;
        if (table_.add(dialog, usage.peer, key)) usage.listed.push_back(dialog);
    }
}

bool UserAgent::has_room(const std::string& peer) const { return table_.has_room(peer) && !full(peer); }

bool UserAgent::full(const std::string& peer) const {
    if (usages_.size() >= 2 * settings_.limits.in_all) return true;
    const auto most = most_of_peer_.find(peer);
    return most != most_of_peer_.end() && usages_of(peer) >= most->second;
}

bool UserAgent::full_of_theirs(const std::string& peer) const {
    const auto most = most_of_peer_.find(peer);
    const auto theirs = theirs_.find(peer);
    if (most == most_of_peer_.end()) return false;
    const auto ours = std::max<std::size_t>(most->second / 4, 1);
    return (theirs == theirs_.end() ? 0 : theirs->second) + ours >= most->second;
}

std::size_t UserAgent::usages_of(const std::string& peer) const {
    const auto count = per_peer_.find(peer);
    return count == per_peer_.end() ? 0 : count->second;
}

void UserAgent::add(UsageKey key, Usage usage) {
    ++per_peer_[usage.peer];
    if (usage.is_theirs()) ++theirs_[usage.peer];
    usages_.emplace(key, std::move(usage));
}

void UserAgent::erase(UsageKey key, const Usage& usage) {
    if (const auto count = per_peer_.find(usage.peer); --count->second == 0) per_peer_.erase(count);
    if (const auto count = theirs_.find(usage.peer); usage.is_theirs() && --count->second == 0) theirs_.erase(count);
    usages_.erase(key);
}

std::size_t UserAgent::requests() const {
    return static_cast<std::size_t>(std::ranges::count_if(keys_, [](const auto& entry) { return !entry.second.answered; }));
}

// ---- From below ----

void UserAgent::receive(const IncomingResponse& in, TimePoint now, Actions& out) {
    const auto at = keys_.find(in.key);
    if (at == keys_.end()) return;
    const auto key = at->second.usage;
    auto* usage = find(key);
    STOX_ASSERT(usage);
    const bool broken = at->second.inside && destroys_dialog(in.response.status) && usage->listed.size() == 1;
    const auto dialog = broken ? usage->listed.front() : nullptr;
    if (in.response.status >= 200) at->second.answered = true;
    if (in.response.status >= 200 && !at->second.invite) {
        keys_.erase(at);
        std::erase(usage->keys, in.key);
    }
    Context context{now, settings_.calls, sources_, out};
    const auto from = out.size();
    std::visit([&](auto& machine) { machine.receive(in, context); }, usage->machine);
    settle(key, out, from);
    if (dialog) lose_dialog(dialog->id, key, context);
}

/// All usages of the dialog but the one that found out, which has done what it has to.   (RFC 5057 §5.1)
void UserAgent::lose_dialog(const DialogId& id, UsageKey finder, Context& context) {
    const auto* entry = table_.find(id);
    const auto usages = entry ? entry->usages : std::vector<UsageKey>{};
    const auto leave = [](auto& call, auto& c) { call.hang_up(EndCause::peer_lost, {}, c); };
    const auto lose = [](auto& usage, auto& c) { usage.lose_dialog(c); };
    for (const auto key : usages) {
        if (key == finder) continue;
        with<InviteClient>(key, context.now, context.out, leave);
        with<InviteServer>(key, context.now, context.out, lose);
        with<Subscriber>(key, context.now, context.out, lose);
        with<Notifier>(key, context.now, context.out, lose);
    }
}

void UserAgent::cancelled(TransactionId invite, TimePoint now, Actions& out) {
    const auto at = invites_.find(invite);
    if (at == invites_.end()) return;
    const auto key = at->second;
    with<InviteServer>(key, now, out, [&](auto& server, auto& context) { server.cancelled(invite, context); });
    with<InviteClient>(key, now, out, [&](auto& client, auto& context) {
        if (auto* session = client.session()) session->cancelled(invite, context);
    });
}

void UserAgent::tick(TimePoint now, Actions& out) {
    for (std::set<UsageKey> seen; !deadlines_.empty() && deadlines_.begin()->first <= now;) {
        const auto [due, key] = *deadlines_.begin();
        auto* usage = find(key);
        STOX_ASSERT(usage);
        const auto from = out.size();
        Context context{now, settings_.calls, sources_, out};
        for (int step = 0; step < kMaxSteps; ++step) {
            std::visit([&](auto& machine) { machine.tick(context); }, usage->machine);
            const auto next = std::visit([](const auto& machine) { return machine.next_timeout(); }, usage->machine);
            if (!next || *next > now) break;
        }
        settle(key, out, from);
        // Still due after all that: the others get their turn, and the caller comes again.
        if (!seen.insert(key).second) break;
    }
}

std::optional<TimePoint> UserAgent::next_timeout() const {
    return deadlines_.empty() ? std::nullopt : std::optional(deadlines_.begin()->first);
}

// ---- Calls ----

UsageKey UserAgent::invite(Request request, std::string peer, TimePoint now, Actions& out) {
    if (!has_room(peer)) return UsageKey::none;
    const auto key = next_usage();
    const auto from = out.size();
    Context context{now, settings_.calls, sources_, out};
    add(key, Usage{InviteClient(key, std::move(request), context), std::move(peer)});
    settle(key, out, from);
    return key;
}

void UserAgent::progress(UsageKey call, Reply reply, bool reliable, TimePoint now, Actions& out) {
    with<InviteServer>(call, now, out,
                       [&](auto& server, auto& context) { server.progress(std::move(reply), reliable, context); });
}

void UserAgent::answer(UsageKey call, Reply reply, TimePoint now, Actions& out) {
    with<InviteServer>(call, now, out, [&](auto& server, auto& context) { server.answer(std::move(reply), context); });
}

void UserAgent::answer_modify(UsageKey call, TransactionId transaction, const Reply& reply, TimePoint now, Actions& out) {
    with<InviteServer>(call, now, out,
                       [&](auto& server, auto& context) { server.session().answer(transaction, reply, context); });
    with<InviteClient>(call, now, out, [&](auto& client, auto& context) { client.answer(transaction, reply, context); });
}

void UserAgent::answer_provisional(UsageKey call, const std::string& remote_tag, const Description& answer, TimePoint now,
                                   Actions& out) {
    with<InviteClient>(call, now, out,
                       [&](auto& client, auto& context) { client.answer_provisional(remote_tag, answer, context); });
}

void UserAgent::acknowledge(UsageKey call, const Description& answer, TimePoint now, Actions& out) {
    with<InviteClient>(call, now, out, [&](auto& client, auto& context) { client.acknowledge(answer, context); });
    with<InviteServer>(call, now, out, [&](auto& server, auto& context) { server.session().acknowledge(answer, context); });
}

Session* UserAgent::session_of(Usage& usage, const std::string& remote_tag) {
    if (auto* server = std::get_if<InviteServer>(&usage.machine)) return &server->session();
    auto* client = std::get_if<InviteClient>(&usage.machine);
    if (!client) return nullptr;
    auto* won = client->session();
    return won ? won : client->session(remote_tag);
}

void UserAgent::modify(UsageKey call, Modify modify, TimePoint now, Actions& out, const std::string& remote_tag) {
    auto* usage = find(call);
    auto* session = usage ? session_of(*usage, remote_tag) : nullptr;
    if (!session) return;
    const auto from = out.size();
    Context context{now, settings_.calls, sources_, out};
    session->modify(std::move(modify), context);
    settle(call, out, from);
}

RequestKey UserAgent::send(UsageKey call, std::string_view method, std::vector<Header> headers, std::string type,
                           std::string body, TimePoint now, Actions& out) {
    auto* usage = find(call);
    auto* session = usage ? session_of(*usage, {}) : nullptr;
    if (!session) return RequestKey::none;
    const auto from = out.size();
    Context context{now, settings_.calls, sources_, out};
    const auto key = session->send(method, std::move(headers), std::move(type), std::move(body), context);
    settle(call, out, from);
    return key;
}

void UserAgent::hang_up(UsageKey call, std::vector<Header> headers, TimePoint now, Actions& out) {
    const auto leave = [&](auto& machine, auto& context) { machine.hang_up(EndCause::local, headers, context); };
    with<InviteClient>(call, now, out, leave);
    with<InviteServer>(call, now, out, leave);
}

// ---- Subscriptions ----

UsageKey UserAgent::subscribe(Request request, std::string peer, bool several, TimePoint now, Actions& out) {
    auto event =
        request.method == "REFER" ? Result<EventPackage>(EventPackage{"refer"}) : EventPackage::read(request.header("Event"));
    if (!event || !has_room(peer)) return UsageKey::none;
    const auto key = next_usage();
    const auto from = out.size();
    Context context{now, settings_.calls, sources_, out};
    const std::pair id(request.call_id, request.from.tag);
    Usage usage{Subscriber(key, std::move(event).value(), std::move(request), several, context), std::move(peer)};
    if (subscribers_.emplace(id, key).second) usage.subscriber = id;
    add(key, std::move(usage));
    settle(key, out, from);
    return key;
}

UsageKey UserAgent::subscribe_inside(UsageKey call, Request request, TimePoint now, Actions& out) {
    auto* usage = find(call);
    auto* session = usage ? session_of(*usage, {}) : nullptr;
    auto event =
        request.method == "REFER" ? Result<EventPackage>(EventPackage{"refer"}) : EventPackage::read(request.header("Event"));
    const auto* entry = session ? table_.find(session->dialog()->id) : nullptr;
    const bool room = entry && entry->usages.size() < DialogTable::kMaxUsages && !full(usage->peer);
    if (!room || !session->confirmed() || !event) return UsageKey::none;
    const auto key = next_usage();
    const auto from = out.size();
    Context context{now, settings_.calls, sources_, out};
    Subscriber subscriber(key, std::move(event).value(), std::move(request), session->dialog(), context);
    add(key, Usage{std::move(subscriber), usage->peer});
    settle(key, out, from);
    return key;
}

void UserAgent::unsubscribe(UsageKey subscription, TimePoint now, Actions& out) {
    with<Subscriber>(subscription, now, out, [](auto& subscriber, auto& context) { subscriber.unsubscribe(context); });
}

void UserAgent::grant(UsageKey subscription, Notification first, TimePoint now, Actions& out) {
    with<Notifier>(subscription, now, out, [&](auto& notifier, auto& context) { notifier.grant(std::move(first), context); });
}

void UserAgent::deny(UsageKey subscription, const Reply& reply, TimePoint now, Actions& out) {
    with<Notifier>(subscription, now, out, [&](auto& notifier, auto& context) { notifier.deny(reply, context); });
}

void UserAgent::accept(UsageKey subscription, TimePoint now, Actions& out) {
    with<Notifier>(subscription, now, out, [](auto& notifier, auto& context) { notifier.accept(context); });
}

void UserAgent::publish(UsageKey subscription, Notification notification, TimePoint now, Actions& out) {
    with<Notifier>(subscription, now, out,
                   [&](auto& notifier, auto& context) { notifier.publish(std::move(notification), context); });
}

DialogRef UserAgent::dialog(UsageKey usage) const {
    const auto at = usages_.find(usage);
    if (at == usages_.end() || at->second.listed.size() != 1) return nullptr;
    return at->second.listed.front();
}

DialogRef UserAgent::dialog(const DialogId& id) const {
    const auto* entry = table_.find(id);
    return entry ? entry->dialog : nullptr;
}

const std::string* UserAgent::peer_of(const Request& inside) const {
    if (const auto* entry = table_.find({inside.call_id, inside.to.tag, inside.from.tag})) return &entry->peer;
    const auto subscriber = subscribers_.find({inside.call_id, inside.to.tag});
    return subscriber == subscribers_.end() ? nullptr : peer_of(subscriber->second);
}

const std::string* UserAgent::peer_of(RequestKey key) const {
    const auto sent = keys_.find(key);
    return sent == keys_.end() ? nullptr : peer_of(sent->second.usage);
}

const std::string* UserAgent::peer_of(UsageKey usage) const {
    const auto at = usages_.find(usage);
    return at == usages_.end() ? nullptr : &at->second.peer;
}

}  // namespace stox::sip
