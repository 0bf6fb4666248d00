#include "plugin/engine/presence/contact_line.h"

#include "plugin/engine/presence/contact_work.h"

namespace stox::engine {

namespace {

using presence::ContactAct, presence::ContactRelation;

void show(Contact& contact) { contact.shown.set_on_the_phone(contact.line && contact.line->dialogs.is_on_the_phone()); }

/// What is known of its calls is what the documents of one subscription said.
void forget(Contact& contact) {
    contact.line->dialogs = {};
    show(contact);
}

void begin(State& state, Contact& contact, TimePoint now, Actions& out) {
    forget(contact);
    const auto started = start_subscribe(state, contact, kDialogPackage, state.options.presence.expires, now, out);
    if (const auto* usage = std::get_if<sip::UsageKey>(&started)) return state.contacts.set_line_usage(contact, *usage);
    drive_line(state, contact, now, out,
               [&](auto& relation, auto& acts) { relation.failed(std::get<int>(started), {}, false, now, dice(state), acts); });
}

}  // namespace

void perform_line(State& state, Contact& contact, const ContactRelation::Actions& acts, TimePoint now, Actions& out) {
    for (const auto act : acts) {
        switch (act) {
            case ContactAct::queue:
                state.contacts.pacer.push(peer_name(state, contact), contact.number | ContactLine::kTurn, now);
                break;
            case ContactAct::start_subscribe:
                begin(state, contact, now, out);
                break;
            case ContactAct::end_subscribe:
                state.dialogs.unsubscribe(contact.line->usage, state.ways(now, out));
                break;
            case ContactAct::tell_presence:
                show(contact);
                break;
            case ContactAct::tell_unavailable:
                forget(contact);
                break;
            case ContactAct::start_poll:  // nobody probes a line
            case ContactAct::answer_probe:
            case ContactAct::tell_subscribed:
            case ContactAct::tell_unsubscribed:
            case ContactAct::keep:
            case ContactAct::erase:
                break;
        }
    }
}

void follow_line(State& state, Contact& contact, TimePoint now, Actions& out) {
    const bool stands = std::holds_alternative<presence::contact::Active>(contact.relation.state());
    const bool wanted = stands && state.options.presence.on_the_phone;
    if (!contact.line && !wanted) return;
    if (!contact.line) contact.line.emplace();
    auto& line = *contact.line;
    if (std::exchange(line.wanted, wanted) != wanted)
        drive_line(state, contact, now, out, [&](auto& relation, auto& acts) {
            if (wanted) return relation.online(now, acts);
            relation.offline(now, acts);
            relation.withdraw(now, acts);
        });
    drive_line(state, contact, now, out, [](auto&, auto&) {});
    if (wanted || line.relation.has_usage()) return;
    contact.line.reset();
    show(contact);
}

void leave_line(State& state, Contact& contact, TimePoint now, Actions& out) {
    if (!contact.line || contact.line->usage == sip::UsageKey::none) return;
    const auto usage = contact.line->usage;
    state.contacts.set_line_usage(contact, sip::UsageKey::none);
    state.dialogs.unsubscribe(usage, state.ways(now, out));
}

}  // namespace stox::engine
