// Whose each domain of a service is.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace stox::host {

/// What waits in the store for a domain is for the user whose chat server had it first, also while it is not here: so each domain that
/// did not go for good is remembered as long as the worker runs, and there is a bound on how many.
class DomainUsers {
public:
    static constexpr std::size_t kMost = 10'000;

    explicit DomainUsers(std::size_t most = kMost) : most_(most) {}

    /// \return false: there is no room for one more, and nothing was changed.
    bool put(const std::string& domain, std::string user) {
        const auto known = users_.find(domain);
        if (known == users_.end() && users_.size() >= most_) return false;
        users_.insert_or_assign(known, domain, std::move(user));
        return true;
    }

    void forget(const std::string& domain) { users_.erase(domain); }

    /// \return whether somebody else's it is; nobody's is not.
    bool is_of_another(const std::string& domain, const std::string& user) const {
        const auto known = users_.find(domain);
        return known != users_.end() && known->second != user;
    }

private:
    std::size_t most_;
    std::map<std::string, std::string> users_;
};

}  // namespace stox::host
