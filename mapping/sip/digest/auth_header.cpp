#include "mapping/sip/digest/auth_header.h"

#include <algorithm>
#include <optional>

namespace stox::sip::digest {

namespace {

constexpr std::size_t kMaxValue_octets = 8192;
constexpr std::size_t kMaxChallenges = 16;
constexpr std::size_t kMaxParameters = 32;

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";  // RFC 7230 §3.2.6, which holds RFC 3261's as well
constexpr std::string_view kToken68Marks = "-._~+/";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_alphanum(char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z'); }
bool is_space(char c) { return c == ' ' || c == '\t'; }
bool is_token_char(char c) { return is_alphanum(c) || kTokenMarks.find(c) != std::string_view::npos; }
bool is_token68_char(char c) { return is_alphanum(c) || kToken68Marks.find(c) != std::string_view::npos; }
bool is_text(char c) {
    const auto octet = static_cast<unsigned char>(c);
    return c == '\t' || (octet >= 0x20 && octet != 0x7f);
}

/// Reads a header value from left to right.
class Cursor {
public:
    explicit Cursor(std::string_view text) : rest_(text) {}

    bool at_end() const { return rest_.empty(); }
    bool at(char c) const { return rest_.starts_with(c); }
    bool at_element_end() const { return at_end() || at(','); }

    template <class Is>
    std::string_view take_while(Is is) {
        const auto end = std::ranges::find_if_not(rest_, is);
        const auto taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(taken.size());
        return taken;
    }
    bool take(char c) {
        if (!at(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string_view take_spaces() { return take_while(is_space); }

    /// After the opening quote, up to and with the closing one.
    std::optional<std::string> take_quoted() {
        std::string text;
        while (!rest_.empty()) {
            const bool escaped = rest_.size() > 1 && rest_[0] == '\\';
            const char c = rest_[escaped ? 1 : 0];
            rest_.remove_prefix(escaped ? 2 : 1);
            if (!escaped && c == '"') return text;
            if (!is_text(c) || (!escaped && c == '\\')) return std::nullopt;
            text += c;
        }
        return std::nullopt;
    }

    /// token BWS "=" BWS ( token / quoted-string ); takes nothing where this does not stand.
    std::optional<AuthParameter> take_parameter() {
        Cursor ahead = *this;
        AuthParameter parameter;
        const auto name = ahead.take_while(is_token_char);
        ahead.take_spaces();
        if (name.empty() || !ahead.take('=')) return std::nullopt;
        std::ranges::transform(name, std::back_inserter(parameter.name), lower);
        ahead.take_spaces();
        parameter.quoted = ahead.take('"');
        if (parameter.quoted) {
            auto text = ahead.take_quoted();
            if (!text) return std::nullopt;
            parameter.value = *std::move(text);
        } else {
            parameter.value = ahead.take_while(is_token_char);
            if (parameter.value.empty()) return std::nullopt;
        }
        ahead.take_spaces();
        if (!ahead.at_element_end()) return std::nullopt;
        *this = ahead;
        return parameter;
    }

    /// 1*( token68 character ) *"="; takes nothing where this does not stand.
    std::string_view take_token68() {
        Cursor ahead = *this;
        const auto word = ahead.take_while(is_token68_char);
        const auto padding = ahead.take_while([](char c) { return c == '='; });
        const auto all = rest_.substr(0, word.size() + padding.size());
        ahead.take_spaces();
        if (word.empty() || !ahead.at_element_end()) return {};
        *this = ahead;
        return all;
    }

private:
    std::string_view rest_;
};

Result<void> add_parameter(AuthValue& value, AuthParameter parameter) {
    if (!value.token68.empty()) return fail(Code::malformed, "parameter after an opaque word");
    if (value.parameter(parameter.name)) return fail(Code::malformed, "parameter named twice");
    if (value.parameters.size() == kMaxParameters) return fail(Code::too_large, "over 32 parameters");
    value.parameters.push_back(std::move(parameter));
    return ok();
}

/// auth-scheme [ 1*SP ( token68 / first auth-param ) ]; further parameters are elements of their own.
Result<AuthValue> take_scheme(Cursor& cursor) {
    AuthValue value;
    value.scheme = cursor.take_while(is_token_char);
    if (value.scheme.empty()) return fail(Code::malformed, "no authentication scheme");
    const auto spaces = cursor.take_spaces();
    if (cursor.at_element_end()) return value;
    if (spaces.empty()) return fail(Code::malformed, "authentication scheme");
    if (auto parameter = cursor.take_parameter())
        value.parameters.push_back(*std::move(parameter));
    else if (value.token68 = cursor.take_token68(); value.token68.empty())
        return fail(Code::malformed, "authentication parameter");
    return value;
}

}  // namespace

const AuthParameter* AuthValue::parameter(std::string_view name) const {
    const auto found = std::ranges::find(parameters, name, &AuthParameter::name);
    return found == parameters.end() ? nullptr : &*found;
}

std::string AuthValue::to_string() const {
    std::string text = scheme;
    if (!token68.empty()) text.append(1, ' ').append(token68);
    for (const auto& parameter : parameters) {
        text.append(&parameter == &parameters.front() ? " " : ", ").append(parameter.name).append(1, '=');
        if (!parameter.quoted) {
            text += parameter.value;
            continue;
        }
        text += '"';
        for (const char c : parameter.value) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += '"';
    }
    return text;
}

Result<std::vector<AuthValue>> parse_challenges(std::string_view value) {
    if (value.size() > kMaxValue_octets) return fail(Code::too_large, "authentication header over 8 KiB");
    std::vector<AuthValue> challenges;
    for (Cursor cursor(value);;) {
        // RFC 7230 §7: a recipient passes over empty elements.
        cursor.take_while([](char c) { return is_space(c) || c == ','; });
        if (cursor.at_end()) break;
        // "name =" goes on with the challenge before it; a scheme is never followed by "=".
        auto parameter = challenges.empty() ? std::nullopt : cursor.take_parameter();
        if (parameter) {
            BOOST_OUTCOME_TRYV(add_parameter(challenges.back(), *std::move(parameter)));
            continue;
        }
        BOOST_OUTCOME_TRY(challenge, take_scheme(cursor));
        if (challenges.size() == kMaxChallenges) return fail(Code::too_large, "over 16 challenges");
        challenges.push_back(std::move(challenge));
    }
    if (challenges.empty()) return fail(Code::malformed, "empty authentication header");
    return challenges;
}

Result<AuthValue> parse_credentials(std::string_view value) {
    BOOST_OUTCOME_TRY(values, parse_challenges(value));
    if (values.size() != 1) return fail(Code::malformed, "several credentials in one header");
    return std::move(values.front());
}

bool is_quotable(std::string_view text) { return std::ranges::all_of(text, is_text); }

bool same_word(std::string_view one, std::string_view other) { return std::ranges::equal(one, other, {}, lower, lower); }

}  // namespace stox::sip::digest
