#include "plugin/config/loader.h"

#include "plugin/config/checks.h"
#include "plugin/config/formats.h"
#include "plugin/config/reader.h"
#include "plugin/config/schema.h"

#include <nlohmann/json.hpp>

namespace stox::config {

using nlohmann::json;

namespace {

/// The parsed text, or what is wrong with it.
std::variant<json, std::vector<Problem>> parse(std::string_view text, Scope scope) {
    auto given = json::parse(text, nullptr, false);
    if (given.is_discarded()) return std::vector<Problem>{{"", "this is no JSON"}};
    if (auto problems = validate(given, scope); !problems.empty()) return problems;
    return given;
}

}  // namespace

Loaded<EngineOptions> load_engine(std::string_view text) {
    auto parsed = parse(text, Scope::engine);
    if (auto* problems = std::get_if<std::vector<Problem>>(&parsed)) return std::move(*problems);
    auto options = read_engine(std::get<json>(parsed));
    if (auto problems = check(options); !problems.empty()) return problems;
    return options;
}

Loaded<DomainOptions> load_domain(std::string_view domain, const std::vector<std::string>& xmpp_domains, std::string_view text) {
    auto parsed = parse(text, Scope::domain);
    if (auto* problems = std::get_if<std::vector<Problem>>(&parsed)) return std::move(*problems);
    const auto name = parse_domain(domain);
    if (!name) return std::vector<Problem>{{"", "the component's domain: " + name.error().detail}};
    auto options = read_domain(std::get<json>(parsed));
    options.domain = name.value();
    if (options.digest.realm.empty()) options.digest.realm = options.domain;
    if (options.xmpp_domains.empty())
        for (const auto& one : xmpp_domains)
            if (auto known = parse_domain(one)) options.xmpp_domains.push_back(std::move(known).value());
    std::erase(options.xmpp_domains, options.domain);
    if (auto problems = check(options); !problems.empty()) return problems;
    return options;
}

}  // namespace stox::config
