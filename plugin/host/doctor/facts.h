#pragma once
// What the doctor saw of this machine and of a configuration: plain values, so that what is said of them can be tested without
// breaking a machine.

#include "plugin/config/loader.h"
#include "plugin/config/options.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stox::doctor {

/// A listener that was tried: bound and let go of.
struct PortFact {
    config::Listener listener;
    int error = 0;         ///< errno; 0: it is free
    std::string holder{};  ///< of a taken one: "kamailio"; empty: not to be seen
    int holder_pid = 0;
    std::string option = "bind";  ///< that names it
};

/// The directory of the store, or the next one above it that there is.
struct StateFact {
    std::string wanted;   ///< as configured
    std::string path;     ///< what there is of it
    bool is_directory = true;
    std::string owner;    ///< its name, or number
    unsigned mode = 0700; ///< permission bits
    bool usable = true;   ///< we may make files in it
    std::uint64_t free_octets = 0;
};

/// One place that a next hop stands for.
struct TargetFact {
    std::string target;   ///< "udp:192.0.2.1:5060"
    std::string error{};  ///< why nothing is to be had from it; empty: it answered
    bool silent = false;  ///< UDP: nothing came back at all
};

struct HopFact {
    std::string domain, peer, uri;
    bool is_name = false;  ///< it had to be located
    std::string error{};   ///< of locating it
    std::vector<TargetFact> targets{};
};

/// Files that an option names: certificates, keys, trust, secrets.
struct FileFact {
    std::string domain;  ///< empty: the whole server's
    std::vector<config::Problem> problems{};
    std::vector<std::string> warnings{};
};

struct Facts {
    std::string user;  ///< whom we run as, by name or number
    std::vector<std::pair<std::string, config::Problem>> problems;  ///< of the configuration, each with its domain (empty: engine)
    std::optional<config::EngineOptions> engine;                    ///< nothing: it cannot be read
    std::vector<config::DomainOptions> domains;                     ///< those that can be
    std::vector<PortFact> ports;
    std::string worker_socket;  ///< where the worker of this configuration would take commands
    int worker_pid = 0;         ///< who listens there, as the kernel says; 0: nobody, or it is not to be seen
    StateFact state;
    std::vector<std::string> name_servers;  ///< asked for next hops
    std::vector<HopFact> hops;
    std::vector<FileFact> certificates, secrets;
    std::uint64_t descriptors = 0;  ///< that the worker may have
    bool clock_synchronised = true;
    std::uint16_t ephemeral_first = 32'768, ephemeral_last = 60'999;  ///< that the kernel hands out
    std::vector<std::pair<std::uint16_t, std::uint16_t>> reserved;    ///< of those, ranges that it does not
};

}  // namespace stox::doctor
