#include "mapping/sip/header_values.h"

#include <algorithm>
#include <charconv>

namespace stox::sip {

namespace {

constexpr std::size_t kMaxValue_octets = 1024;
constexpr std::size_t kMaxParameters = 16;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const auto first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// Cuts off what stands before the next ';' that is not quoted. nullopt: a quote stays open.
std::optional<std::string_view> next_part(std::string_view& rest) {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < rest.size() && (quoted || rest[end] != ';'); ++end) {
        if (rest[end] == '"') quoted = !quoted;
        if (quoted && rest[end] == '\\') ++end;
    }
    if (quoted) return std::nullopt;
    const auto part = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end, rest.size()));
    return part;
}

std::string unquoted(std::string_view value) {
    if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
    std::string text;
    for (std::size_t i = 1; i + 1 < value.size(); ++i) {
        if (value[i] == '\\' && i + 2 < value.size()) ++i;
        text += value[i];
    }
    return text;
}

}  // namespace

bool same_token(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

bool has_token(const std::vector<Header>& headers, std::string_view name, std::string_view token) {
    for (const auto& header : headers) {
        if (!same_token(header.name, name)) continue;
        for (std::string_view rest = header.value; !rest.empty();) {
            const auto comma = rest.find(',');
            if (same_token(trim(rest.substr(0, comma)), token)) return true;
            rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
        }
    }
    return false;
}

void put(std::vector<Header>& headers, const Header& header) {
    std::erase_if(headers, [&](const Header& old) { return same_token(old.name, header.name); });
    headers.push_back(header);
}

std::optional<std::uint32_t> read_number(std::string_view text) {
    text = trim(text);
    std::uint32_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<std::uint32_t> leading_number(const std::string* value) {
    if (!value) return std::nullopt;
    const auto text = trim(*value);
    return read_number(text.substr(0, text.find_first_not_of("0123456789")));
}

const UriParameter* ParameterizedValue::parameter(std::string_view name) const {
    const auto found = std::ranges::find(parameters, name, &UriParameter::name);
    return found == parameters.end() ? nullptr : &*found;
}

Result<ParameterizedValue> read_parameterized(std::string_view text) {
    if (text.size() > kMaxValue_octets) return fail(Code::too_large, "header value");
    ParameterizedValue result;
    const auto value = next_part(text);
    if (!value || value->empty()) return fail(Code::malformed, "header value");
    result.value = *value;
    while (!text.empty()) {
        text.remove_prefix(1);
        const auto part = next_part(text);
        if (!part) return fail(Code::malformed, "open quote in a header");
        if (result.parameters.size() == kMaxParameters) return fail(Code::too_large, "parameters of a header");
        const auto equals = part->find('=');
        UriParameter parameter{std::string(trim(part->substr(0, equals))), std::nullopt};
        if (parameter.name.empty()) return fail(Code::malformed, "parameter of a header without a name");
        std::ranges::transform(parameter.name, parameter.name.begin(), lower);
        if (equals != std::string_view::npos) parameter.value = unquoted(trim(part->substr(equals + 1)));
        result.parameters.push_back(std::move(parameter));
    }
    return result;
}

}  // namespace stox::sip
