#pragma once
// The octets of one fuzz input as choices: whatever is left of them decides what happens next.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace stox::fuzz {

class Octets {
public:
    Octets(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
    bool empty() const { return at_ == end_; }
    unsigned next() { return empty() ? 0u : *at_++; }
    unsigned below(std::size_t bound) { return bound == 0 ? 0u : next() % static_cast<unsigned>(bound); }
    bool flag() { return (next() & 1) != 0; }
    template <class T, std::size_t N>
    const T& of(const std::array<T, N>& values) {
        return values[below(N)];
    }
    /// Mostly one of the latest, for most of what happens is about them.
    template <class T>
    T* of(std::vector<T>& values) {
        if (values.empty()) return nullptr;
        const auto octet = next();
        const auto back = octet < 192 ? octet % std::min<std::size_t>(4, values.size()) : octet % values.size();
        return &values[values.size() - 1 - back];
    }
    /// A few of them as they are.
    std::string text() {
        std::string taken;
        for (unsigned left = next() % 24; left > 0 && !empty(); --left) taken += static_cast<char>(next());
        return taken;
    }

private:
    const std::uint8_t* at_;
    const std::uint8_t* end_;
};

}  // namespace stox::fuzz
