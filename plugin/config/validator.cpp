#include "mapping/core/endpoint.h"
#include "plugin/config/formats.h"
#include "plugin/config/schema.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <string_view>

namespace stox::config {

using nlohmann::json;

namespace {

/// What may stand under one word: an option itself, or words below it; "*" is any name.
struct Node {
    const json* option = nullptr;
    std::map<std::string, Node> below;
};

Node make_tree(Scope scope) {
    static const json options = json::parse(schema()).at("options");
    Node root;
    for (const auto& option : options) {
        if ((option.at("scope") == "engine") != (scope == Scope::engine)) continue;
        Node* node = &root;
        std::string_view path = option.at("path").get_ref<const std::string&>();
        while (!path.empty()) {
            const auto dot = std::min(path.find('.'), path.size());
            node = &node->below[std::string(path.substr(0, dot))];
            path.remove_prefix(std::min(dot + 1, path.size()));
        }
        node->option = &option;
    }
    return root;
}

const Node& tree(Scope scope) {
    static const Node engine = make_tree(Scope::engine), domain = make_tree(Scope::domain);
    return scope == Scope::engine ? engine : domain;
}

/// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const auto substituted = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({substituted, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

/// ", did you mean trunk?" for the closest word, if one is close.
std::string suggestion(std::string_view wrong, const std::vector<std::string>& words) {
    if (words.empty() || wrong.size() > 64) return {};
    const auto closest = std::ranges::min_element(words, {}, [&](const auto& word) { return distance(wrong, word); });
    return distance(wrong, *closest) <= std::max<std::size_t>(1, closest->size() / 2) ? ", did you mean " + *closest + '?'
                                                                                      : std::string();
}

/// A value as a message may quote it.
std::string quote(const json& value) {
    auto text = value.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() > 64) text = text.substr(0, 61) + "...";
    return text;
}

class Validator {
public:
    explicit Validator(Scope scope) : scope_(scope) {}

    /// `given` is an object of words.
    void section(const json& given, const Node& node, const std::string& path) {
        for (const auto& [word, value] : given.items()) {
            const auto here = path.empty() ? word : path + '.' + word;
            const auto known = node.below.find(word);
            const auto any = node.below.find("*");
            if (known != node.below.end())
                option(value, known->second, here);
            else if (any != node.below.end())
                entry(value, any->second, here);
            else
                unknown(word, node, here);
        }
    }

    std::vector<Problem> problems;

private:
    void add(const std::string& path, std::string text) { problems.push_back({path, std::move(text)}); }

    void unknown(const std::string& word, const Node& node, const std::string& path) {
        const auto other = scope_ == Scope::engine ? Scope::domain : Scope::engine;
        if (&node == &tree(scope_) && tree(other).below.contains(word))
            return add(path, other == Scope::engine
                                 ? "belongs to the whole server, not to a domain: into `stox = { }` of Prosody's global section, "
                                   "or into stox.yml "
                                   "beside ejabberd's configuration"
                                 : "belongs to a domain, not to the whole server: into the component's or host's own section");
        std::vector<std::string> words;
        for (const auto& [name, below] : node.below) words.push_back(name);
        add(path, "unknown option" + suggestion(word, words));
    }

    /// One entry of a map under a name of the operator's.
    void entry(const json& value, const Node& node, const std::string& path) {
        if (value.is_object())
            section(value, node, path);
        else if (!is_empty_list(value))
            add(path, "expected a section with options, not " + quote(value));
    }

    void option(const json& value, const Node& node, const std::string& path) {
        const auto& type = node.option->at("type").get_ref<const std::string&>();
        if (type == "map" || type == "section") {
            entry(value, node, path);
            count(value, *node.option, path);
        } else if (type == "list") {
            list(value, *node.option, path);
        } else if (type == "hops") {
            hops(value, node, path);
        } else {
            one(value, *node.option, type, path);
        }
    }

    void list(const json& value, const json& option, const std::string& path) {
        if (value.is_string()) return one(value, option, "text", path);  // one alone needs no brackets
        if (!value.is_array()) return add(path, "expected a list, not " + quote(value));
        count(value, option, path);
        for (std::size_t i = 0; i < value.size(); ++i) one(value[i], option, "text", path + '[' + std::to_string(i) + ']');
    }

    /// One URI, or several, each alone or in a section with its place.
    void hops(const json& value, const Node& node, const std::string& path) {
        if (value.is_string()) return one(value, *node.option, "text", path);
        if (value.is_object()) return hop(value, node, path);
        if (!value.is_array()) return add(path, "expected a SIP URI or a list of them, not " + quote(value));
        count(value, *node.option, path);
        for (std::size_t i = 0; i < value.size(); ++i) {
            const auto here = path + '[' + std::to_string(i) + ']';
            if (value[i].is_object())
                hop(value[i], node, here);
            else
                one(value[i], *node.option, "text", here);
        }
    }

    void hop(const json& value, const Node& node, const std::string& path) {
        section(value, node, path);
        if (!value.contains("uri")) add(path, "needs uri");
    }

    void count(const json& value, const json& option, const std::string& path) {
        const auto limit = option.value("max_entries", std::size_t{0});
        if (limit != 0 && value.size() > limit) add(path, "more than " + std::to_string(limit) + " entries");
    }

    void one(const json& value, const json& option, const std::string& type, const std::string& path) {
        if (type == "boolean" ? !value.is_boolean() : type == "integer" ? !value.is_number_integer() : !value.is_string())
            return add(path, "expected " +
                                 std::string(type == "boolean"   ? "true or false"
                                             : type == "integer" ? "a whole number"
                                                                 : "a text") +
                                 ", not " + quote(value));
        if (option.contains("values")) return among(value, option.at("values"), path);
        if (option.contains("min")) return within(value, option, path);
        if (const auto limit = option.value("max_octets", std::size_t{4'096});
            value.is_string() && value.get_ref<const std::string&>().size() > limit)
            return add(path, "longer than " + std::to_string(limit) + " octets");
        if (option.contains("format"))
            format(value.get_ref<const std::string&>(), option.at("format").get_ref<const std::string&>(), path);
    }

    void within(const json& value, const json& option, const std::string& path) {
        if (value >= option.at("min") && value <= option.at("max")) return;
        add(path, quote(value) + " is not within " + option.at("min").dump() + " to " + option.at("max").dump());
    }

    void among(const json& value, const json& values, const std::string& path) {
        if (std::ranges::find(values, value) != values.end()) return;
        std::vector<std::string> words;
        for (const auto& word : values) words.push_back(word.is_string() ? word.get<std::string>() : word.dump());
        auto hint = value.is_string() ? suggestion(value.get_ref<const std::string&>(), words) : std::string();
        if (hint.empty()) {
            hint = "; it is one of";
            for (const auto& word : words) hint += ' ' + word;
        }
        add(path, "unknown " + quote(value) + hint);
    }

    void format(const std::string& text, const std::string& name, const std::string& path) {
        std::optional<Error> error;
        const auto check = [&](const auto& result) {
            if (!result) error = result.error();
        };
        if (name == "listener") check(parse_listener(text));
        if (name == "next_hop") check(parse_next_hop(text));
        if (name == "prefix") check(Prefix::parse(text));
        if (name == "address") check(Address::parse(text));
        if (name == "domain") check(parse_domain(text));
        if (name == "identity") check(parse_identity(text));
        if (name == "target") check(parse_target(text));
        if (name == "dial_pattern") check(parse_dial_pattern(text));
        if (name == "emergency_number") check(parse_emergency_number(text));
        if (name == "phone_context") check(parse_phone_context(text));
        if (name == "dns_server") check(parse_dns_server(text));
        if (name == "metrics_listener") check(parse_metrics_listener(text));
        if (name == "file") check(parse_file(text));
        if (name == "directory") check(parse_directory(text));
        if (name == "trust" && text != "system" && !parse_file(text))
            error = Error{Code::malformed, "write system, or the whole path of a PEM file"};
        if (name == "realm") check(parse_realm(text));
        if (name == "language") check(parse_language(text));
        if (name == "login") check(parse_login(text));
        if (error) add(path, quote(text) + ": " + error->detail);
    }

    static bool is_empty_list(const json& value) { return value.is_array() && value.empty(); }

    Scope scope_;
};

}  // namespace

std::vector<Problem> validate(const json& given, Scope scope) {
    Validator validator(scope);
    // A language without a difference between an empty list and an empty section writes [] for both.
    if (given.is_object())
        validator.section(given, tree(scope), {});
    else if (!given.is_array() || !given.empty())
        validator.problems.push_back({"", "expected a section with options, not " + quote(given)});
    return std::move(validator.problems);
}

}  // namespace stox::config
