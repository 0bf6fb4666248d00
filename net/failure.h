#pragma once
// Why an operation in a provisioning domain failed, as a value.

#include "mapping/core/result.h"
#include "net/pvd_ref.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace stox::net {

/// Where it stopped.
enum class Stage : std::uint8_t {
    no_pvd,       ///< there is no such domain
    no_resolver,  ///< the domain has no server for the name
    no_name,      ///< the DNS of the domain does not have it
    no_address,   ///< no address of the domain can be the source
    no_route,     ///< the domain has no way to the destination
    refused,
    timed_out,
    policy,    ///< the node's own rules
    security,  ///< what the peer showed is not what was required
    gone,      ///< the handle is of an attachment that ended
};

/// "no-resolver", "gone", ...
std::string_view to_string(Stage stage);

struct Failure {
    Stage stage = Stage::no_pvd;
    PvdRef pvd;
    std::string detail;  ///< for the operator
    friend bool operator==(const Failure&, const Failure&) = default;
};

template <class T>
using Outcome = BOOST_OUTCOME_V2_NAMESPACE::basic_result<T, Failure, BOOST_OUTCOME_V2_NAMESPACE::policy::all_narrow>;

/// The failing half of an Outcome.
[[nodiscard]] inline auto fail_at(Stage stage, PvdRef pvd, std::string detail = {}) {
    return BOOST_OUTCOME_V2_NAMESPACE::failure(Failure{stage, pvd, std::move(detail)});
}

}  // namespace stox::net
