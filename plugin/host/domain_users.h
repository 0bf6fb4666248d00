// Whose each domain of a service is.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace stox::host {

/// What waits in the store for a domain is for the user whose chat server had it first, also while it is not here: so each domain that
/// did not go for good is remembered as long as the worker runs. There is a bound on how many, and where there are several users each has half of it at most.
class DomainUsers {
public:
    static constexpr std::size_t kMost = 10'000;

    explicit DomainUsers(std::size_t most = kMost, std::size_t most_of_one = kMost / 2) : most_(most), most_of_one_(most_of_one) {}

    /// \return false: there is no room for one more, and nothing was changed.
    bool put(const std::string& domain, std::string user) {
        const auto known = users_.find(domain);
        if (known != users_.end() && known->second == user) return true;
        if (known == users_.end() && users_.size() >= most_) return false;
        const bool alone = std::ranges::all_of(users_, [&](const auto& one) { return one.second == user; });
        if (!alone && count_of(user) >= most_of_one_) return false;
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
    std::size_t count_of(const std::string& user) const {
        return static_cast<std::size_t>(std::ranges::count(users_, user, [](const auto& one) { return one.second; }));
    }

    std::size_t most_, most_of_one_;
    std::map<std::string, std::string> users_;
};

}  // namespace stox::host
