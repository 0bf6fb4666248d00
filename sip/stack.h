#pragma once
// What both sides of the transaction layer stand on. Inside sip/ only.

#include "sip/endpoint.h"
#include "sip/sofia_handles.h"
#include "sip/sofia_loop.h"
#include "sip/transports.h"
#include "sip/turn.h"

#include <chrono>
#include <memory>
#include <utility>

namespace stox::sip {

/// When a request is sent for the second time.   (RFC 3261 §17.1.1.1)
inline constexpr std::chrono::milliseconds kT1{500};
/// 64*T1: how long a request, or a 2xx to an INVITE, is repeated.   (RFC 3261 §17.1.1.2, §13.3.1.4)
inline constexpr std::chrono::milliseconds kT1x64{32'000};

struct Stack {
    Stack(boost::asio::io_context& loop_, Endpoint::Settings settings_)
        : loop(loop_), settings(std::move(settings_)), turn(loop_) {}

    boost::asio::io_context& loop;
    Endpoint::Settings settings;
    Turn turn;
    std::unique_ptr<SofiaLoop> sofia;
    Agent agent;
    Leg sender;  ///< of every request of ours: the library wants one; dialogs are kept elsewhere
    std::unique_ptr<Transports> transports;
};

}  // namespace stox::sip
