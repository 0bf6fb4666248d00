// Where a request of the peer belongs: to a dialog, to a SUBSCRIBE of ours, or it begins something.

#include "mapping/sip/header_values.h"
#include "mapping/sip/user_agent.h"

#include <algorithm>

namespace stox::sip {

namespace {

void respond(Context& context, TransactionId transaction, int status, std::vector<Header> headers = {}) {
    Response response;
    response.status = status;
    response.headers = std::move(headers);
    context.act(Respond{transaction, std::move(response)});
}

int status_of(const Error& error) {
    if (error.code == Code::unsupported) return 416;
    return error.code == Code::forbidden ? 403 : 400;
}

/// A SUBSCRIBE to what is served already.
bool refreshes(const Request& request, const Notifier& notifier) {
    if (request.method != "SUBSCRIBE" || notifier.over()) return false;
    const auto event = EventPackage::read(request.header("Event"));
    return event && notifier.event() == event.value();
}

/// Only inside a dialog do these mean anything.
bool needs_dialog(std::string_view method) {
    return method == "BYE" || method == "UPDATE" || method == "PRACK" || method == "INFO" || method == "NOTIFY";
}

}  // namespace

void UserAgent::receive(const InDialogLayer& in, TimePoint now, Actions& out) {
    Context context{now, settings_.calls, sources_, out};
    if (in.request.to.tag.empty()) return receive_first(in, context);
    const auto admission = table_.admit(in.request);
    if (const auto* entry = std::get_if<DialogTable::Entry*>(&admission)) return receive_inside(in, **entry, context);
    const auto* refused = std::get_if<DialogTable::Refuse>(&admission);
    if (!refused) return;
    if (refused->status == 481 && in.request.method == "NOTIFY" && receive_notify_outside(in, context)) return;
    respond(context, in.transaction, refused->status);
}

void UserAgent::receive_first(const InDialogLayer& in, Context& context) {
    const auto& request = in.request;
    if (request.method == "ACK") return;
    if (needs_dialog(request.method)) return respond(context, in.transaction, 481);
    if (request.method == "INVITE") return receive_invite(in, context);
    if (request.method == "SUBSCRIBE" || request.method == "REFER") {
        if (!has_room_for_theirs(in.peer)) return respond(context, in.transaction, 503, {{"Retry-After", "2"}});
        auto dialog = Dialog::as_uas(request, new_tag_(), in.contact, in.over_tls);
        if (!dialog) return respond(context, in.transaction, 400);
        return receive_subscribe(in, std::make_shared<Dialog>(std::move(dialog).value()), UsageKey::none, context);
    }
    context.act(Requested{UsageKey::none, in.transaction, request});
}

void UserAgent::expect_cancel(TransactionId invite, UsageKey call) {
    if (invites_.emplace(invite, call).second) usages_.at(call).invites.push_back(invite);
}

void UserAgent::receive_invite(const InDialogLayer& in, Context& context) {
    const auto& request = in.request;
    if (!has_room_for_theirs(in.peer)) return respond(context, in.transaction, 503, {{"Retry-After", "2"}});
    auto dialog = Dialog::as_uas(request, new_tag_(), in.contact, in.over_tls);
    const auto replaces = replaces_of(request);
    if (!dialog || !replaces) return respond(context, in.transaction, 400);
    if (auto too_small = SessionTimer::refuse(request, settings_.calls)) {
        context.act(Respond{in.transaction, std::move(*too_small)});
        return;
    }
    auto replaced = UsageKey::none;
    if (replaces.value()) {
        std::vector<ReplaceCandidate> candidates;
        std::vector<UsageKey> usages;
        for (const auto* entry : table_.of_call_id(replaces.value()->call_id)) {
            const auto call = std::ranges::find_if(entry->usages, [this](UsageKey key) { return is_call(key); });
            const bool found = call != entry->usages.end();
            if (!found && std::ranges::find(table_.ended(), entry->dialog->id) != table_.ended().end()) continue;
            candidates.push_back(
                {entry->dialog->id, entry->dialog->state, entry->dialog->caller, found, found && leaving(*call)});
            usages.push_back(found ? *call : UsageKey::none);
        }
        for (const auto& id : table_.ended()) {
            candidates.push_back({id, DialogState::confirmed, false, true, true});
            usages.push_back(UsageKey::none);
        }
        const auto decision = decide_replaces(*replaces.value(), candidates);
        if (decision.refusal != 0) return respond(context, in.transaction, decision.refusal);
        replaced = usages[decision.index];
    }
    const auto key = next_usage();
    const auto from = context.out.size();
    const auto role = describes_session(request.content_type) ? DescriptionRole::offer : DescriptionRole::none;
    InviteServer server(key, in.transaction, request, std::make_shared<Dialog>(std::move(dialog).value()), context);
    add(key, Usage{std::move(server), in.peer});
    expect_cancel(in.transaction, key);
    context.act(Invited{key, in.transaction, request, role, replaced});
    settle(key, context.out, from);
}

/// SUBSCRIBE or REFER that makes a subscription, in a dialog of its own or in that of a call.
void UserAgent::receive_subscribe(const InDialogLayer& in, DialogRef dialog, UsageKey call, Context& context) {
    const auto& request = in.request;
    const auto& settings = settings_.calls;
    Action wanted;
    EventPackage event{"refer"};
    const auto key = next_usage();
    if (request.method == "REFER") {
        auto target = ReferTo::read(request);
        if (!target) return respond(context, in.transaction, status_of(target.error()));
        // The first one in a dialog needs no id, and some callers do not expect one.   (RFC 3515 §2.4.6)
        if (dialog->referred) event.id = std::to_string(request.cseq);
        dialog->referred = true;
        wanted = ReferWanted{key, call, in.transaction, request, std::move(target).value()};
    } else {
        auto read = EventPackage::read(request.header("Event"));
        if (!read) return respond(context, in.transaction, 489, {{"Allow-Events", settings.allow_events}});
        event = std::move(read).value();
        if (event.name == "refer") return respond(context, in.transaction, 403);  // RFC 3515 §2.4.4
        const auto asked = leading_number(request.header("Expires"));
        const bool brief = asked && *asked > 0 && *asked < 3600 && std::chrono::seconds(*asked) < settings.min_expires;
        if (brief) return respond(context, in.transaction, 423, {{"Min-Expires", std::to_string(settings.min_expires.count())}});
        wanted = SubscriptionWanted{key, in.transaction, request, event};
    }
    const auto from = context.out.size();
    add(key, Usage{Notifier(key, std::move(event), in.transaction, request, std::move(dialog), context), in.peer});
    context.act(std::move(wanted));
    settle(key, context.out, from);
}

void UserAgent::receive_inside(const InDialogLayer& in, const DialogTable::Entry& entry, Context& context) {
    const auto& request = in.request;
    const auto now = context.now;
    auto& out = context.out;
    auto call = UsageKey::none;
    for (const auto key : entry.usages) {
        auto& machine = usages_.at(key).machine;
        const auto* subscriber = std::get_if<Subscriber>(&machine);
        if (request.method == "NOTIFY" && subscriber && subscriber->matches(request))
            return with<Subscriber>(key, now, out, [&](auto& one, auto& c) { one.receive_notify(in.transaction, request, c); });
        const auto* notifier = std::get_if<Notifier>(&machine);
        if (notifier && refreshes(request, *notifier))
            return with<Notifier>(key, now, out, [&](auto& one, auto& c) { one.receive(in.transaction, request, c); });
        if (!subscriber && !notifier) call = key;
    }
    if (request.method == "NOTIFY") {
        const int status = status_of_stray_notify(entry, request);
        if (status != 489) return respond(context, in.transaction, status);
        return respond(context, in.transaction, status, {{"Allow-Events", settings_.calls.allow_events}});
    }
    if (request.method == "SUBSCRIBE" || request.method == "REFER") {
        if (entry.usages.size() >= DialogTable::kMaxUsages || full(in.peer) || full_of_theirs(in.peer))
            return respond(context, in.transaction, 503, {{"Retry-After", "2"}});
        return receive_subscribe(in, entry.dialog, call, context);
    }
    if (call == UsageKey::none) {
        if (request.method == "ACK") return;
        if (needs_dialog(request.method) || request.method == "INVITE") return respond(context, in.transaction, 481);
        context.act(Requested{entry.usages.front(), in.transaction, request});
        return;
    }
    if (request.method == "INVITE") expect_cancel(in.transaction, call);
    with<InviteServer>(call, now, out, [&](auto& server, auto& c) {
        if (request.method == "ACK")
            server.receive_ack(request, c);
        else
            server.receive(in.transaction, request, c);
    });
    with<InviteClient>(call, now, out, [&](auto& client, auto& c) { client.receive(in.transaction, request, c); });
}

/// 489 of another package than we are subscribed to there; else the subscription is what is missing.   (PRES-26)
int UserAgent::status_of_stray_notify(const DialogTable::Entry& entry, const Request& notify) const {
    const auto event = EventPackage::read(notify.header("Event"));
    bool subscribed = false;
    for (const auto key : entry.usages) {
        const auto* subscriber = std::get_if<Subscriber>(&usages_.at(key).machine);
        if (!subscriber) continue;
        subscribed = true;
        if (event && event.value().name == subscriber->event().name) return 481;
    }
    return subscribed ? 489 : 481;
}

bool UserAgent::is_call(UsageKey key) const {
    const auto& machine = usages_.at(key).machine;
    return std::holds_alternative<InviteClient>(machine) || std::holds_alternative<InviteServer>(machine);
}

/// Its BYE is under way.
bool UserAgent::leaving(UsageKey call) const {
    const auto& machine = usages_.at(call).machine;
    const Session* session = nullptr;
    if (const auto* server = std::get_if<InviteServer>(&machine)) session = &server->session();
    if (const auto* client = std::get_if<InviteClient>(&machine)) session = client->session();
    return session && !session->early() && !session->confirmed();
}

/// A NOTIFY that makes the dialog of a SUBSCRIBE of ours.   (RFC 6665 §4.4.1)
bool UserAgent::receive_notify_outside(const InDialogLayer& in, Context& context) {
    const auto& request = in.request;
    const auto at = subscribers_.find({request.call_id, request.to.tag});
    if (at == subscribers_.end()) return false;
    auto key = at->second;
    auto& first = std::get<Subscriber>(usages_.at(key).machine);
    if (!first.matches(request)) {
        if (!first.matches_fork(request) || !has_room(in.peer)) return false;
        const auto fork = next_usage();
        context.act(Forked{key, fork});
        add(fork, Usage{first.fork(fork), in.peer});
        key = fork;
    }
    with<Subscriber>(key, context.now, context.out,
                     [&](auto& subscriber, auto& c) { subscriber.receive_notify(in.transaction, request, c); });
    return true;
}

}  // namespace stox::sip
