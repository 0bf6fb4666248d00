#pragma once
// Who asked for what and waits for a word of the host: bounded, and each for a time only.

#include "plugin/engine/admin_command.h"
#include "plugin/engine/engine.h"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>

namespace stox::engine {

struct AdminDesk {
    static constexpr std::size_t kAsks = 64;      ///< at once; the next one is told to come back
    static constexpr std::size_t kSessions = 64;  ///< forms that are out; the oldest is forgotten
    static constexpr std::chrono::seconds kAuthorization{2}, kWork{10};
    static constexpr std::chrono::minutes kSession{10};

    /// What is to be done when it is known who asks.
    enum class Purpose { list, info, command, help, status };
    struct Ask {
        xmpp::Stanza asked;  ///< an Iq, or a Message for help and status
        Purpose purpose;
        const AdminCommand* command = nullptr;  ///< of info and command; null for info: the list of them
        AdminScope scope = AdminScope::domain;  ///< that the host was asked about
        TimePoint until{};
        std::optional<AdminOrder> order{};  ///< given to the worker
    };
    /// A form that somebody is filling in.
    struct Session {
        std::string id;
        xmpp::Jid owner;  ///< with resource
        const AdminCommand* command;
        TimePoint until;
    };

    std::map<AdminId, Ask> asks;
    std::deque<Session> sessions;  ///< the oldest first

    /// When the next of what waits is given up. Sessions are dropped when somebody looks for them.
    std::optional<TimePoint> next_timeout() const {
        std::optional<TimePoint> next;
        for (const auto& [id, ask] : asks)
            if (!next || ask.until < *next) next = ask.until;
        return next;
    }
};

}  // namespace stox::engine
