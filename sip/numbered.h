#pragma once
// Numbers that callbacks of the library carry instead of addresses. Inside sip/ only.

#include <cstdint>
#include <unordered_map>

namespace stox::sip {

/// Gives numbers that are never used twice and finds their owner by them, or nothing once it is gone. The owner's own number
/// stands in the upper bits. One registry a thread: an endpoint lives on one.
template <class Owner>
class Numbered {
public:
    explicit Numbered(Owner* owner) : base_(++last_owner << kShift) { owners.emplace(base_, owner); }
    ~Numbered() { owners.erase(base_); }
    Numbered(const Numbered&) = delete;
    Numbered& operator=(const Numbered&) = delete;

    std::uint64_t base() const { return base_; }
    std::uint64_t next() { return base_ | ++last_; }

    template <class Magic>
    static Magic* magic(std::uint64_t number) {
        return reinterpret_cast<Magic*>(number);
    }
    static std::uint64_t number(const void* magic) { return reinterpret_cast<std::uint64_t>(magic); }
    static Owner* find(std::uint64_t number) {
        const auto found = owners.find(number >> kShift << kShift);
        return found == owners.end() ? nullptr : found->second;
    }

private:
    static constexpr unsigned kShift = 48;
    inline static thread_local std::uint64_t last_owner = 0;
    inline static thread_local std::unordered_map<std::uint64_t, Owner*> owners;

    const std::uint64_t base_;
    std::uint64_t last_ = 0;
};

}  // namespace stox::sip
