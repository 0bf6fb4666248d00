#include "plugin/host/domain_claims.h"

#include <utility>

namespace stox::host {

void DomainClaims::put(const std::string& domain, Claim claim, std::function<void()> late) {
    auto limit = std::make_shared<boost::asio::steady_timer>(loop_, kSilent);
    // Gone with its claim, also when its end is on its way already.
    limit->async_wait([weak = std::weak_ptr(limit), late = std::move(late)](boost::system::error_code error) {
        if (!error && weak.lock()) late();
    });
    all_.insert_or_assign(domain, Waiting{std::move(claim), std::move(limit)});
}

const DomainClaims::Claim* DomainClaims::of(const std::string& domain) const {
    const auto known = all_.find(domain);
    return known == all_.end() ? nullptr : &known->second.claim;
}

std::optional<DomainClaims::Claim> DomainClaims::take(const std::string& domain) {
    auto waiting = all_.extract(domain);
    if (!waiting) return std::nullopt;
    return std::move(waiting.mapped().claim);
}

void DomainClaims::drop(const std::string& domain, std::string_view server) {
    if (const auto known = all_.find(domain); known != all_.end() && known->second.claim.server == server) all_.erase(known);
}

void DomainClaims::drop_all_of(std::string_view server, const std::function<bool(const std::string& domain)>& which) {
    std::erase_if(all_, [&](const auto& one) { return one.second.claim.server == server && which(one.first); });
}

}  // namespace stox::host
