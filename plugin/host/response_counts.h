#pragma once
// Final SIP responses of a domain by their status, and its requests that got none.

#include "plugin/engine/engine.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stox::host {

class ResponseCounts {
public:
    void sent(const sip::Response& response) {
        if (is_final(response)) ++sent_[std::to_string(response.status)];
    }
    void received(const sip::Response& response, engine::LocalFailure local) {
        if (local != engine::LocalFailure::none || is_final(response)) ++received_[status_of(response, local)];
    }
    std::vector<engine::ResponseRow> rows(const std::string& domain) const {
        std::vector<engine::ResponseRow> rows;
        for (const auto& [status, number] : sent_) rows.push_back({domain, "sent", status, number});
        for (const auto& [status, number] : received_) rows.push_back({domain, "received", status, number});
        return rows;
    }

private:
    static bool is_final(const sip::Response& response) { return response.status >= 200; }
    /// What a request of ours came to: a status of three digits, whatever the peer wrote, or why there is none.
    static std::string status_of(const sip::Response& response, engine::LocalFailure local) {
        switch (local) {
            case engine::LocalFailure::timeout:
                return "timeout";
            case engine::LocalFailure::unsent:
                return "unsent";
            case engine::LocalFailure::transport:
                return "transport";
            case engine::LocalFailure::none:
                break;
        }
        return response.status <= 699 ? std::to_string(response.status) : std::string("699");
    }

    std::map<std::string, std::uint64_t> sent_, received_;
};

}  // namespace stox::host
