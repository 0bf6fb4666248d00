#pragma once
// What the shell read from the secret files of a domain. Nothing of it is ever logged.

#include "mapping/sip/digest/client.h"
#include "mapping/sip/digest/ha1_file.h"
#include "plugin/config/options.h"

#include <map>
#include <string>
#include <vector>

namespace stox::engine {

struct Secrets {
    sip::digest::Ha1Table users;                       ///< of `digest.ha1_file`
    std::map<std::string, sip::digest::Login> logins;  ///< by the name of the peer whose challenges they answer
};

/// Of `digest.algorithms` those for which each user in a peer's `match.user` has a line of the realm, in that order. One that
/// is offered and could not be used would end in a refusal that nobody understands.
std::vector<sip::digest::Algorithm> usable_algorithms(const config::DomainOptions& options, const sip::digest::Ha1Table& users);

}  // namespace stox::engine
