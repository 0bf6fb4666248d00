#pragma once
// How much is kept for later, calls for help counted apart: neither they nor the rest may use up what the other needs.

#include <cstddef>

namespace stox::engine {

struct Amount {
    std::size_t messages = 0, octets = 0;

    friend Amount operator+(Amount one, Amount other) { return {one.messages + other.messages, one.octets + other.octets}; }
};

struct Kept {
    Amount others, emergencies;

    void add(bool emergency, std::size_t octets) {
        auto& [messages, sum] = emergency ? emergencies : others;
        ++messages;
        sum += octets;
    }
    void remove(bool emergency, std::size_t octets) {
        auto& [messages, sum] = emergency ? emergencies : others;
        --messages;
        sum -= octets;
    }
};

}  // namespace stox::engine
