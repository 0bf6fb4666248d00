#pragma once
// What is wrong with options that are each right alone.

#include "plugin/config/loader.h"

#include <vector>

namespace stox::config {

std::vector<Problem> check(const EngineOptions& options);
std::vector<Problem> check(const DomainOptions& options);

/// Whether one request could match both peers equally well. It belongs to the one whose digest user it proves, else to the
/// one whose TLS name, else to the one with the longest prefix around its source.   (contract: docs/architecture.md, Peers)
bool could_tie(const Peer& one, const Peer& other);

}  // namespace stox::config
