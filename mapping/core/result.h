#pragma once
// Result<T>: the outcome of reading something that may be unreadable.
//
// Only this header knows that Boost.Outcome is behind it. A value that is not there throws nothing and is not
// checked twice: read it only after `if (result)`.

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/policy/all_narrow.hpp>
#include <boost/outcome/try.hpp>

#include <string>
#include <utility>

namespace stox {

/// Why something could not be read. The caller decides what its peer is told.
enum class Code {
    malformed,    ///< breaks the grammar of its standard
    unsupported,  ///< well-formed, but nothing we can carry
    unmappable,   ///< well-formed, but has no form on the other side
    incomplete,   ///< well-formed, but says too little to be one address
    too_large,    ///< over a limit of ours
    forbidden,    ///< refused by policy
    unavailable,  ///< cannot be had now: no listener, no stream, no descriptor
};

struct Error {
    Code code;
    std::string detail;  ///< for the operator's log; never shown to a stranger

    friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = BOOST_OUTCOME_V2_NAMESPACE::basic_result<T, Error, BOOST_OUTCOME_V2_NAMESPACE::policy::all_narrow>;

/// The failing half of a Result: `return fail(Code::malformed, "no host");`
[[nodiscard]] inline auto fail(Code code, std::string detail) {
    return BOOST_OUTCOME_V2_NAMESPACE::failure(Error{code, std::move(detail)});
}

/// The successful half of a Result<void>: `return ok();`
[[nodiscard]] inline auto ok() { return BOOST_OUTCOME_V2_NAMESPACE::success(); }

}  // namespace stox
