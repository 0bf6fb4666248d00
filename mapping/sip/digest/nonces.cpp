#include "mapping/sip/digest/nonces.h"

#include "mapping/core/assert.h"
#include "mapping/sip/digest/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <charconv>
#include <limits>
#include <span>

namespace stox::sip::digest {

namespace {

constexpr std::size_t kWord_digits = 16;
constexpr std::size_t kMac_octets = 16;  // half of an HMAC-SHA-256 is enough for five minutes
constexpr std::uint32_t kWindow = 64;

std::uint64_t milliseconds(TimePoint time) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

std::string word_text(std::uint64_t word) {
    std::array<std::uint8_t, 8> octets{};
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(word >> (56 - 8 * i));
    return to_hex(octets);
}

std::optional<std::uint64_t> parse_word(std::string_view text) {
    std::uint64_t word = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), word, 16);
    return failure == std::errc{} && end == text.data() + text.size() ? std::optional(word) : std::nullopt;
}

}  // namespace

Nonces::Nonces(std::string realm, const Key& key, Limits limits) : realm_(std::move(realm)), key_(key), limits_(limits) {
    STOX_ASSERT(limits_.counted > 0);
}

std::string Nonces::make(TimePoint now) { return text_of({.made_ms = milliseconds(now), .serial = next_serial_++}); }

Nonces::Use Nonces::use(std::string_view nonce, std::optional<std::uint32_t> count, TimePoint now) {
    const auto stamp = read(nonce);
    if (!stamp || expired(stamp->made_ms, now)) return Use::stale;
    const auto known = counts_.find(stamp->serial);
    if (known == counts_.end()) {
        if (stamp->serial <= forgotten_up_to_) return Use::stale;
        // Without a count the whole nonce is spent.
        remember(*stamp,
                 count ? Counts{stamp->made_ms, *count, 1}
                       : Counts{stamp->made_ms, std::numeric_limits<std::uint32_t>::max(), ~std::uint64_t{0}},
                 now);
        return Use::fresh;
    }
    if (!count) return Use::stale;
    auto& [made_ms, highest, seen] = known->second;
    if (*count > highest) {
        const auto ahead = *count - highest;
        seen = (ahead < kWindow ? seen << ahead : 0) | 1;
        highest = *count;
        return Use::fresh;
    }
    const auto behind = highest - *count;
    if (behind >= kWindow) return Use::stale;
    const auto bit = std::uint64_t{1} << behind;
    if (seen & bit) return Use::replayed;
    seen |= bit;
    return Use::fresh;
}

std::string Nonces::text_of(const Stamp& stamp) const {
    const auto stamp_text = word_text(stamp.made_ms) + word_text(stamp.serial);
    const auto authenticated = stamp_text + realm_;
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    STOX_ASSERT(HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                     reinterpret_cast<const unsigned char*>(authenticated.data()), authenticated.size(), mac.data(), &size));
    STOX_ASSERT(size >= kMac_octets);
    return stamp_text + to_hex(std::span(mac).first(kMac_octets));
}

std::optional<Nonces::Stamp> Nonces::read(std::string_view nonce) const {
    if (nonce.size() != 2 * kWord_digits + 2 * kMac_octets) return std::nullopt;
    const auto made_ms = parse_word(nonce.substr(0, kWord_digits));
    const auto serial = parse_word(nonce.substr(kWord_digits, kWord_digits));
    if (!made_ms || !serial) return std::nullopt;
    const Stamp stamp{*made_ms, *serial};
    return equal_in_constant_time(text_of(stamp), nonce) ? std::optional(stamp) : std::nullopt;
}

bool Nonces::expired(std::uint64_t made_ms, TimePoint now) const {
    const auto now_ms = milliseconds(now);
    return made_ms > now_ms || now_ms - made_ms > static_cast<std::uint64_t>(limits_.lifetime.count());
}

void Nonces::remember(const Stamp& stamp, Counts counts, TimePoint now) {
    while (!counts_.empty() && expired(counts_.begin()->second.made_ms, now)) forget_oldest();
    counts_.emplace(stamp.serial, counts);
    if (counts_.size() > limits_.counted) forget_oldest();
}

void Nonces::forget_oldest() {
    forgotten_up_to_ = counts_.begin()->first;
    counts_.erase(counts_.begin());
}

}  // namespace stox::sip::digest
