#pragma once
// SipHash-2-4 (Aumasson and Bernstein, 2012): 64 bits of octets that strangers choose. Who does not know the key can make no two
// texts alike, so the hash may stand for the text.

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace stox {

class KeyedHash {
public:
    using Key = std::array<std::uint64_t, 2>;

    explicit KeyedHash(const Key& key) : key_(key) {}

    std::uint64_t operator()(std::string_view octets) const {
        State state{key_[0] ^ 0x736f6d6570736575, key_[1] ^ 0x646f72616e646f6d, key_[0] ^ 0x6c7967656e657261,
                    key_[1] ^ 0x7465646279746573};
        const auto size = static_cast<std::uint64_t>(octets.size());
        for (; octets.size() >= 8; octets.remove_prefix(8)) state.take(word(octets.substr(0, 8)));
        state.take(word(octets) | size << 56);
        state.c ^= 0xff;
        for (int i = 0; i < 4; ++i) state.round();
        return state.a ^ state.b ^ state.c ^ state.d;
    }

private:
    struct State {
        std::uint64_t a, b, c, d;

        void round() {
            a += b, b = std::rotl(b, 13) ^ a, a = std::rotl(a, 32);
            c += d, d = std::rotl(d, 16) ^ c;
            a += d, d = std::rotl(d, 21) ^ a;
            c += b, b = std::rotl(b, 17) ^ c, c = std::rotl(c, 32);
        }
        void take(std::uint64_t word) {
            d ^= word;
            round();
            round();
            a ^= word;
        }
    };
    /// The first octet is the lowest.
    static std::uint64_t word(std::string_view octets) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < octets.size(); ++i) word |= std::uint64_t{static_cast<unsigned char>(octets[i])} << (8 * i);
        return word;
    }

    Key key_;
};

}  // namespace stox
