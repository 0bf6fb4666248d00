#include "mapping/sip/digest/digest_header.h"

#include "mapping/sip/uri.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace stox::sip::digest {

namespace {

constexpr std::string_view kScheme = "Digest";
constexpr std::size_t kNc_digits = 8;

constexpr std::array kQops{Qop::auth, Qop::auth_int};

Result<void> check_scheme(const AuthValue& value) {
    if (!same_word(value.scheme, kScheme)) return fail(Code::unsupported, "authentication scheme");
    return ok();
}

Result<std::string> required(const AuthValue& value, std::string_view name) {
    const auto* parameter = value.parameter(name);
    if (!parameter) return fail(Code::malformed, "no " + std::string(name));
    return parameter->value;
}

std::optional<std::string> wanted(const AuthValue& value, std::string_view name) {
    const auto* parameter = value.parameter(name);
    return parameter ? std::optional(parameter->value) : std::nullopt;
}

bool is_true(const AuthValue& value, std::string_view name) {
    const auto* parameter = value.parameter(name);
    return parameter && same_word(parameter->value, "true");
}

Result<std::optional<Algorithm>> algorithm_of(const AuthValue& value) {
    const auto* parameter = value.parameter("algorithm");
    if (!parameter) return std::optional<Algorithm>();
    BOOST_OUTCOME_TRY(algorithm, parse_algorithm(parameter->value));
    return std::optional(algorithm);
}

/// The options that we know, each once. RFC 3261 separates them with commas, RFC 7616 with spaces.
Result<std::vector<Qop>> qop_offered(const AuthValue& value) {
    std::vector<Qop> offered;
    const auto* parameter = value.parameter("qop");
    if (!parameter) return offered;
    for (std::string_view rest = parameter->value; !rest.empty();) {
        const auto end = std::min(rest.find_first_of(", \t"), rest.size());
        for (const auto qop : kQops)
            if (same_word(rest.substr(0, end), to_string(qop)) && std::ranges::find(offered, qop) == offered.end())
                offered.push_back(qop);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (offered.empty()) return fail(Code::unsupported, "qop");
    return offered;
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

Result<std::optional<Protection>> protection_of(const AuthValue& value) {
    const auto* qop = value.parameter("qop");
    if (!qop) return std::optional<Protection>();
    const auto known = std::ranges::find(kQops, std::string_view(qop->value), [](Qop q) { return to_string(q); });
    if (known == kQops.end()) return fail(Code::unsupported, "qop");
    BOOST_OUTCOME_TRY(nc, required(value, "nc"));
    BOOST_OUTCOME_TRY(cnonce, required(value, "cnonce"));
    BOOST_OUTCOME_TRYV(parse_nc(nc));
    return std::optional(Protection{.qop = *known, .nc = std::move(nc), .cnonce = std::move(cnonce)});
}

/// username, or username* as charset'language'percent-encoded.   (RFC 7616 §3.4, RFC 5987 §3.2)
Result<std::string> username_of(const AuthValue& value) {
    const auto* extended = value.parameter("username*");
    if (!extended) return required(value, "username");
    if (value.parameter("username")) return fail(Code::malformed, "username and username*");
    const std::string_view text = extended->value;
    const auto charset_end = text.find('\'');
    const auto language_end = charset_end == std::string_view::npos ? charset_end : text.find('\'', charset_end + 1);
    if (language_end == std::string_view::npos || !same_word(text.substr(0, charset_end), "UTF-8"))
        return fail(Code::malformed, "username*");
    BOOST_OUTCOME_TRY(username, percent_decode(text.substr(language_end + 1)));
    if (!is_quotable(username)) return fail(Code::malformed, "control character in username*");
    return username;
}

/// Hex digits in lower case, as many as the algorithm makes.
Result<std::string> response_of(const AuthValue& value, Algorithm algorithm) {
    BOOST_OUTCOME_TRY(response, required(value, "response"));
    if (response.size() != hex_digits(algorithm) || !std::ranges::all_of(response, is_hex))
        return fail(Code::malformed, "response");
    for (auto& c : response)
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c + 32);
    return response;
}

/// RFC 7616 §3.3 and §3.4 say which parameters stand in quotes.
class Writer {
public:
    void quoted(std::string name, std::string value) { add(std::move(name), std::move(value), true); }
    void token(std::string name, std::string_view value) { add(std::move(name), std::string(value), false); }
    std::string text() const { return value_.to_string(); }

private:
    void add(std::string name, std::string value, bool quotes) {
        value_.parameters.push_back({std::move(name), std::move(value), quotes});
    }
    AuthValue value_{.scheme = std::string(kScheme), .token68 = {}, .parameters = {}};
};

}  // namespace

Result<Challenge> Challenge::from(const AuthValue& value) {
    BOOST_OUTCOME_TRYV(check_scheme(value));
    BOOST_OUTCOME_TRY(algorithm, algorithm_of(value));
    BOOST_OUTCOME_TRY(qop, qop_offered(value));
    BOOST_OUTCOME_TRY(realm, required(value, "realm"));
    BOOST_OUTCOME_TRY(nonce, required(value, "nonce"));
    return Challenge{.realm = std::move(realm),
                     .nonce = std::move(nonce),
                     .opaque = wanted(value, "opaque"),
                     .algorithm = algorithm,
                     .qop = std::move(qop),
                     .stale = is_true(value, "stale")};
}

std::string Challenge::to_string() const {
    Writer writer;
    writer.quoted("realm", realm);
    writer.quoted("nonce", nonce);
    if (opaque) writer.quoted("opaque", *opaque);
    if (stale) writer.token("stale", "true");
    if (algorithm) writer.token("algorithm", digest::to_string(*algorithm));
    std::string offered;
    for (const auto option : qop) offered.append(offered.empty() ? "" : ",").append(digest::to_string(option));
    if (!offered.empty()) writer.quoted("qop", offered);
    return writer.text();
}

Result<Credentials> Credentials::from(const AuthValue& value) {
    BOOST_OUTCOME_TRYV(check_scheme(value));
    BOOST_OUTCOME_TRY(algorithm, algorithm_of(value));
    BOOST_OUTCOME_TRY(protection, protection_of(value));
    BOOST_OUTCOME_TRY(username, username_of(value));
    BOOST_OUTCOME_TRY(realm, required(value, "realm"));
    BOOST_OUTCOME_TRY(nonce, required(value, "nonce"));
    BOOST_OUTCOME_TRY(uri, required(value, "uri"));
    BOOST_OUTCOME_TRY(response, response_of(value, algorithm.value_or(Algorithm::md5)));
    return Credentials{.username = std::move(username),
                       .realm = std::move(realm),
                       .nonce = std::move(nonce),
                       .uri = std::move(uri),
                       .response = std::move(response),
                       .algorithm = algorithm,
                       .opaque = wanted(value, "opaque"),
                       .protection = std::move(protection),
                       .userhash = is_true(value, "userhash")};
}

std::string Credentials::to_string() const {
    Writer writer;
    writer.quoted("username", username);
    writer.quoted("realm", realm);
    writer.quoted("nonce", nonce);
    writer.quoted("uri", uri);
    writer.quoted("response", response);
    if (algorithm) writer.token("algorithm", digest::to_string(*algorithm));
    if (opaque) writer.quoted("opaque", *opaque);
    if (protection) {
        writer.token("qop", digest::to_string(protection->qop));
        writer.token("nc", protection->nc);
        writer.quoted("cnonce", protection->cnonce);
    }
    if (userhash) writer.token("userhash", "true");
    return writer.text();
}

std::string nc_text(std::uint32_t count) {
    const auto octet = [count](unsigned shift) { return static_cast<std::uint8_t>(count >> shift); };
    return to_hex(std::array{octet(24), octet(16), octet(8), octet(0)});
}

Result<std::uint32_t> parse_nc(std::string_view text) {
    std::uint32_t count = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count, 16);
    if (text.size() != kNc_digits || failure != std::errc{} || end != text.data() + text.size() || count == 0)
        return fail(Code::malformed, "nc");
    return count;
}

}  // namespace stox::sip::digest
