#pragma once
// Results in tests: what is not there fails the test instead of being read.

#include "mapping/core/result.h"

#include <optional>
#include <stdexcept>
#include <utility>

namespace stox::test {

/// The value; without one a failure with the reason.
template <class T>
T value(Result<T> result) {
    if (!result) throw std::runtime_error("no value: " + result.error().detail);
    return std::move(result).value();
}

/// Why there is none; nullopt when there is one.
template <class T>
std::optional<Code> code(const Result<T>& result) {
    return result ? std::nullopt : std::optional(result.error().code);
}

}  // namespace stox::test
