#pragma once
// STOX_ASSERT: a broken invariant of ours, never bad input.
//
// It throws Bug, which the shell catches once per input: the session at fault ends, the bug is counted and logged,
// the process lives. Input from a peer is judged with Result instead.

#include <stdexcept>
#include <string>

namespace stox {

struct Bug : std::logic_error {
    using std::logic_error::logic_error;
};

[[noreturn]] inline void throw_bug(const char* what, const char* file, int line) {
    throw Bug(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

}  // namespace stox

#define STOX_ASSERT(condition) ((condition) ? void() : ::stox::throw_bug(#condition, __FILE__, __LINE__))
