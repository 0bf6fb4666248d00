#include "mapping/sip/refer.h"

#include "mapping/sip/header_values.h"

#include <algorithm>

namespace stox::sip {

namespace {

/// What stands between angle brackets, or before the header's own parameters. Display names may hold anything when quoted.
Result<std::string_view> addr_spec(std::string_view text) {
    bool quoted = false;
    std::size_t open = std::string_view::npos;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quoted && text[i] == '\\') {
            ++i;
        } else if (text[i] == '"' && open == std::string_view::npos) {
            quoted = !quoted;
        } else if (text[i] == '<' && !quoted) {
            if (open != std::string_view::npos) return fail(Code::malformed, "Refer-To");
            open = i + 1;
        } else if (text[i] == '>' && !quoted && open != std::string_view::npos) {
            if (text.find_first_of("<,", i) != std::string_view::npos) return fail(Code::malformed, "several Refer-To");
            return text.substr(open, i - open);
        }
    }
    if (quoted || open != std::string_view::npos) return fail(Code::malformed, "Refer-To");
    const auto start = text.find_first_not_of(" \t");
    if (start == std::string_view::npos) return fail(Code::malformed, "Refer-To");
    text.remove_prefix(start);
    text = text.substr(0, text.find_first_of(" \t;"));
    // Without brackets these would belong to the header (RFC 3261 §20).
    if (text.find_first_of(",?") != std::string_view::npos) return fail(Code::malformed, "Refer-To without brackets");
    return text;
}

/// "?name=value&...": Replaces once, and nothing else.
Result<std::optional<Replaces>> read_headers(std::string_view text) {
    std::optional<Replaces> replaces;
    while (!text.empty()) {
        const auto pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(pair.size() + 1, text.size()));
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos) return fail(Code::malformed, "header in Refer-To");
        if (!same_token(pair.substr(0, equals), "Replaces") || replaces) return fail(Code::forbidden, "header in Refer-To");
        BOOST_OUTCOME_TRY(value, percent_decode(pair.substr(equals + 1)));
        BOOST_OUTCOME_TRY(read, Replaces::read(value));
        replaces = std::move(read);
    }
    return replaces;
}

}  // namespace

Result<ReferTo> ReferTo::read(const Request& request) {
    const auto is_refer_to = [](const Header& header) {
        return same_token(header.name, "Refer-To") || same_token(header.name, "r");
    };
    if (std::ranges::count_if(request.headers, is_refer_to) != 1) return fail(Code::malformed, "not one Refer-To");
    BOOST_OUTCOME_TRY(text, addr_spec(std::ranges::find_if(request.headers, is_refer_to)->value));
    ReferTo refer_to;
    // userinfo may hold a '?' of its own.
    const auto at = text.find('@');
    if (const auto mark = text.find('?', at == std::string_view::npos ? 0 : at); mark != std::string_view::npos) {
        BOOST_OUTCOME_TRY(replaces, read_headers(text.substr(mark + 1)));
        refer_to.replaces = std::move(replaces);
        text = text.substr(0, mark);
    }
    BOOST_OUTCOME_TRY(uri, Uri::parse(text));
    refer_to.uri = std::move(uri);
    if (refer_to.uri.has_headers) return fail(Code::forbidden, "headers in Refer-To");
    if (const auto* method = refer_to.uri.parameter("method"); method && method->value) refer_to.method = *method->value;
    std::erase_if(refer_to.uri.parameters, [](const UriParameter& parameter) { return parameter.name == "method"; });
    return refer_to;
}

std::string ReferTo::to_string() const {
    auto text = '<' + uri.to_string();
    if (method != "INVITE") text += ";method=" + method;
    if (replaces) text += "?Replaces=" + percent_encode_header(replaces->to_string());
    return text + '>';
}

std::string write_sipfrag(int status) {
    return "SIP/2.0 " + std::to_string(status) + ' ' + std::string(reason_phrase(status)) + "\r\n";
}

std::optional<int> read_sipfrag(std::string_view body) {
    constexpr std::string_view kVersion = "SIP/2.0 ";
    if (body.size() < kVersion.size() + 3 || !same_token(body.substr(0, kVersion.size()), kVersion)) return std::nullopt;
    body.remove_prefix(kVersion.size());
    if (body.size() > 3 && body[3] != ' ' && body[3] != '\r' && body[3] != '\n') return std::nullopt;
    const auto status = read_number(body.substr(0, 3));
    return status && *status >= 100 && *status <= 699 ? std::optional(static_cast<int>(*status)) : std::nullopt;
}

}  // namespace stox::sip
