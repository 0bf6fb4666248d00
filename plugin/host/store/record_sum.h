#pragma once
// A sum over everything a row means. SQLite notices damage to its own structures, not to the octets of a value.

#include <cstdint>
#include <string_view>

namespace stox::store {

/// FNV-1a, 64 bits: every step is a bijection of the sum, so one changed octet always shows. Against failing disks, not
/// against a forger: whoever can write the file can do anything anyway.
class RecordSum {
public:
    RecordSum& add(std::string_view octets) {
        add(octets.size());
        for (const char c : octets) add_octet(static_cast<unsigned char>(c));
        return *this;
    }
    RecordSum& add(std::uint64_t number) {
        for (unsigned shift = 0; shift < 64; shift += 8) add_octet(static_cast<unsigned char>(number >> shift));
        return *this;
    }
    /// As SQLite's integers are signed.
    std::int64_t value() const { return static_cast<std::int64_t>(sum_); }

private:
    void add_octet(unsigned char octet) { sum_ = (sum_ ^ octet) * 0x100000001b3U; }

    std::uint64_t sum_ = 0xcbf29ce484222325U;
};

inline std::int64_t sum_of(std::string_view collection, std::string_view key, std::string_view value, std::uint64_t epoch) {
    return RecordSum().add(collection).add(key).add(value).add(epoch).value();
}
inline std::int64_t sum_of(std::uint64_t epoch) { return RecordSum().add(epoch).value(); }

}  // namespace stox::store
