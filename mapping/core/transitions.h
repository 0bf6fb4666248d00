#pragma once
// State machines as tables that can be read aloud.
//
//   using CallTable = transitions<
//     //   from      on         to       do
//     row<Inviting, Sip1xx,    Ringing, send_ringing>,
//     row<Ringing,  Terminate, Ended,   cancel>>;
//   bool known = CallTable::step(state, event, actions);
//
// States and events are std::variants of structs. `do` is a function To(const From&, const On&, Actions&); one that
// returns another state than the row's `to` does not compile. An unlisted pair is ignored and step says false.

#include <type_traits>
#include <utility>
#include <variant>

namespace stox {

template <class From, class On, class To, auto Do>
struct row {
    template <class State, class Event, class Actions>
    static bool step(State& state, const Event& event, Actions& actions) {
        const auto* from = std::get_if<From>(&state);
        const auto* on = std::get_if<On>(&event);
        if (!from || !on) return false;
        static_assert(std::is_same_v<decltype(Do(*from, *on, actions)), To>, "the handler must return the row's `to`");
        To next = Do(*from, *on, actions);
        state = std::move(next);
        return true;
    }
};

template <class... Rows>
struct transitions {
    template <class State, class Event, class Actions>
    static bool step(State& state, const Event& event, Actions& actions) {
        return (Rows::step(state, event, actions) || ...);
    }
};

}  // namespace stox
