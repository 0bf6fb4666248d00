#include "plugin/host/metrics/health.h"

namespace stox::host {

namespace {

std::string seconds(std::chrono::steady_clock::duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

}  // namespace

std::vector<std::string> unhealthy(const HealthFacts& facts, std::chrono::seconds link_down) {
    std::vector<std::string> reasons;
    if (!facts.store_open) reasons.push_back("the store is not open");
    if (!facts.sip_open) reasons.push_back("SIP is not open");
    if (facts.loop_late > kLateLoop) reasons.push_back("the loop was late by " + seconds(facts.loop_late));
    for (const auto& domain : facts.domains) {
        if (domain.unattached_for > link_down)
            reasons.push_back(domain.domain + ": not attached for " + seconds(domain.unattached_for));
        if (domain.store_failing) reasons.push_back(domain.domain + ": messages cannot be stored");
    }
    return reasons;
}

}  // namespace stox::host
