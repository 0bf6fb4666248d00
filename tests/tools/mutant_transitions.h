#pragma once
// mapping/core/transitions.h as tests/tools/mutants.py compiles it: the same, but that one row may be left out, or may leave the
// state as it was. Which one says the environment: STOX_MUTANT=drop=<type> or stay=<type>. STOX_MUTANT_ROWS=<file> gets a line
// for each row that the program has: "moves" when it leads to another state, else "keeps", and its type.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>

namespace stox {

enum class Mutation { none, drop, stay };

inline Mutation mutation_of(const char* type, bool moves) {
    if (const char* rows = std::getenv("STOX_MUTANT_ROWS"))
        if (auto* file = std::fopen(rows, "a")) {
            std::fprintf(file, "%s %s\n", moves ? "moves" : "keeps", type);
            std::fclose(file);
        }
    const char* wanted = std::getenv("STOX_MUTANT");
    if (!wanted) return Mutation::none;
    if (wanted == std::string("drop=") + type) return Mutation::drop;
    return wanted == std::string("stay=") + type ? Mutation::stay : Mutation::none;
}

template <class From, class On, class To, auto Do>
struct row {
    static const Mutation mutation;

    template <class State, class Event, class Actions>
    static bool step(State& state, const Event& event, Actions& actions) {
        const auto* from = std::get_if<From>(&state);
        const auto* on = std::get_if<On>(&event);
        if (!from || !on || mutation == Mutation::drop) return false;
        static_assert(std::is_same_v<decltype(Do(*from, *on, actions)), To>, "the handler must return the row's `to`");
        To next = Do(*from, *on, actions);
        if (mutation == Mutation::none) state = std::move(next);
        return true;
    }
};

template <class From, class On, class To, auto Do>
const Mutation row<From, On, To, Do>::mutation = mutation_of(typeid(row).name(), !std::is_same_v<From, To>);

template <class... Rows>
struct transitions {
    template <class State, class Event, class Actions>
    static bool step(State& state, const Event& event, Actions& actions) {
        return (Rows::step(state, event, actions) || ...);
    }
};

}  // namespace stox
