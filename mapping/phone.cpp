#include "mapping/phone.h"

#include "mapping/address.h"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

namespace stox {

namespace {

constexpr std::size_t kMostDigits = 32;  // E.164 has 15; carriers put codes of their own before them, and codes are dialled too
constexpr std::size_t kMostParameters = 16;

/// Where the call goes, what it costs and who vouches for it: none of them says whose number it is.   (RFC 3966 §5.1, RFC 4694,
/// RFC 4904; verstat, oli, cpc: as networks write them)
constexpr std::array<std::string_view, 14> kDropped{"cic",      "cic-context", "cpc",        "enumdi",        "isub",
                                                    "isub-encoding", "npdi",   "oli",        "otg",           "rn",
                                                    "rn-context",    "tgrp",   "trunk-context", "verstat"};

bool one_of(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); }

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return result;
}

std::string without_separators(std::string_view text) {
    std::string result;
    std::ranges::copy_if(text, std::back_inserter(result), [](char c) { return !one_of("-.()", c); });
    return result;
}

Result<std::string> read_digits(std::string_view text) {
    auto digits = lower(without_separators(text));
    const bool global = digits.starts_with('+');
    const auto count = digits.size() - (global ? 1 : 0);
    if (count == 0 || count > kMostDigits) return fail(Code::unmappable, "no telephone number");
    if (!std::all_of(digits.begin() + (global ? 1 : 0), digits.end(),
                     [global](char c) { return is_digit(c) || (!global && ((c >= 'a' && c <= 'f') || one_of("*#", c))); }))
        return fail(Code::unmappable, "no telephone number");
    return digits;
}

/// A domain, or a prefix with its plus.   (RFC 3966 §3 descriptor)
Result<std::string> read_context(std::string_view value) {
    if (value.starts_with('+')) return read_digits(value);
    auto domain = lower(value);
    if (domain.ends_with('.')) domain.pop_back();
    const auto uri = sip::Uri::parse("sip:" + domain);
    if (!uri || uri.value().host != domain) return fail(Code::unmappable, "phone-context is no domain and no prefix");
    return domain;
}

/// Characters that no escaping of either side can take for a delimiter.
bool is_plain(std::string_view value) {
    return std::ranges::all_of(value, [](char c) { return is_alphanum(c) || one_of("-_.!~*'()[]/:&+$#", c); });
}

Result<sip::UriParameter> read_parameter(const sip::UriParameter& written) {
    sip::UriParameter read{lower(written.name), {}};
    const auto is_name = [](char c) { return is_alphanum(c) || c == '-'; };
    if (read.name.empty() || !std::ranges::all_of(read.name, is_name)) return fail(Code::unmappable, "parameter of a number");
    if (!written.value) return read;
    if (read.name == "phone-context") {
        BOOST_OUTCOME_TRY(context, read_context(*written.value));
        read.value = std::move(context);
        return read;
    }
    read.value = lower(*written.value);
    if (read.name == "ext" || read.name == "postd") read.value = without_separators(*read.value);
    if (read.value->empty() || !is_plain(*read.value)) return fail(Code::unmappable, "value of " + read.name);
    return read;
}

/// RFC 3261 §19.1.6: isub and postd first, then by name.
auto rank(const sip::UriParameter& parameter) {
    return std::tuple(parameter.name == "isub" ? 0 : parameter.name == "postd" ? 1 : 2, std::string_view(parameter.name));
}

/// written   values without their percent escapes
Result<PhoneNumber> read(std::string_view digits, const std::vector<sip::UriParameter>& written) {
    PhoneNumber number;
    BOOST_OUTCOME_TRY(plain, read_digits(digits));
    number.digits = std::move(plain);
    if (written.size() > kMostParameters) return fail(Code::unmappable, "parameters of a number");
    for (const auto& one : written) {
        BOOST_OUTCOME_TRY(parameter, read_parameter(one));
        const auto same = [&](const auto& other) { return other.name == parameter.name; };
        if (std::ranges::any_of(number.parameters, same)) return fail(Code::unmappable, parameter.name + " stands twice");
        if (std::ranges::find(kDropped, parameter.name) != kDropped.end())
            number.dropped.push_back(std::move(parameter.name));
        else
            number.parameters.push_back(std::move(parameter));
    }
    std::ranges::sort(number.parameters, {}, rank);
    if (number.context() && number.is_global()) return fail(Code::unmappable, "global number in a phone-context");
    return number;
}

/// A telephone-subscriber without its escapes.
Result<PhoneNumber> read(std::string_view text) {
    std::vector<sip::UriParameter> parameters;
    const auto digits = text.substr(0, text.find(';'));
    for (text.remove_prefix(digits.size()); !text.empty();) {
        text.remove_prefix(1);
        const auto one = text.substr(0, text.find(';'));
        const auto equals = one.find('=');
        sip::UriParameter parameter{std::string(one.substr(0, equals)), {}};
        if (equals != one.npos) parameter.value = one.substr(equals + 1);
        parameters.push_back(std::move(parameter));
        text.remove_prefix(one.size());
    }
    return read(digits, parameters);
}

}  // namespace

const std::string* PhoneNumber::context() const {
    const auto found = std::ranges::find(parameters, "phone-context", &sip::UriParameter::name);
    return found == parameters.end() || !found->value ? nullptr : &*found->value;
}

std::string PhoneNumber::text() const {
    auto text = digits;
    for (const auto& parameter : parameters) {
        text.append(1, ';').append(parameter.name);
        if (parameter.value) text.append(1, '=').append(*parameter.value);
    }
    return text;
}

Result<PhoneNumber> phone_number(const sip::Uri& uri) {
    if (uri.scheme == sip::Scheme::sips) return fail(Code::unmappable, "sips cannot be promised on the XMPP side");
    if (uri.scheme != sip::Scheme::tel) {
        BOOST_OUTCOME_TRY(user, sip::percent_decode(uri.user));
        return read(user);
    }
    BOOST_OUTCOME_TRY(digits, sip::percent_decode(uri.user));
    auto parameters = uri.parameters;
    for (auto& parameter : parameters) {
        if (!parameter.value) continue;
        BOOST_OUTCOME_TRY(value, sip::percent_decode(*parameter.value));
        parameter.value = std::move(value);
    }
    return read(digits, parameters);
}

Result<PhoneNumber> phone_number(const xmpp::Jid& jid) {
    BOOST_OUTCOME_TRY(text, localpart_to_text(jid.local));
    return read(text);
}

Result<xmpp::Jid> to_jid_phone(const sip::Uri& uri, std::string_view component) {
    BOOST_OUTCOME_TRY(number, phone_number(uri));
    BOOST_OUTCOME_TRY(local, text_to_localpart(number.text()));
    BOOST_OUTCOME_TRY(resource, uri.scheme == sip::Scheme::tel ? Result<std::string>(std::string()) : gr_to_resource(uri));
    return xmpp::Jid{std::move(local), std::string(component), std::move(resource)};
}

Result<sip::Uri> to_uri_phone(const PhoneNumber& number, std::string_view trunk) {
    sip::Uri uri;
    uri.user = sip::percent_encode_user(number.text());
    BOOST_OUTCOME_TRY(host, domain_to_sip(trunk));
    uri.host = std::move(host);
    if (number.is_global() || number.context()) uri.parameters.push_back({"user", "phone"});
    return uri;
}

}  // namespace stox
