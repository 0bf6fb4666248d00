#include "mapping/sip/replaces.h"

#include "mapping/sip/header_values.h"

#include <algorithm>

namespace stox::sip {

namespace {

/// "0" stands for the missing tag of an RFC 2543 peer too.   (RFC 3891 §6.1)
bool same_tag(const std::string& named, const std::string& tag) { return named == tag || (named == "0" && tag.empty()); }

/// No Call-ID or tag holds a comma, so that a list of two is not read as one, nor spaces and controls (RFC 3261 §25.1).
bool is_word(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != ',' && c != ';'; });
}

bool matches(const Replaces& replaces, const DialogId& id) {
    return replaces.call_id == id.call_id && same_tag(replaces.to_tag, id.local_tag) &&
           same_tag(replaces.from_tag, id.remote_tag);
}

int refusal_of(const Replaces& replaces, const ReplaceCandidate& candidate) {
    if (!candidate.call) return 481;
    if (candidate.over) return 603;
    if (candidate.state == DialogState::confirmed) return replaces.early_only ? 486 : 0;
    return candidate.ours ? 0 : 481;
}

}  // namespace

Result<Replaces> Replaces::read(std::string_view value) {
    BOOST_OUTCOME_TRY(parts, read_parameterized(value));
    Replaces replaces;
    replaces.call_id = parts.value;
    if (!is_word(replaces.call_id)) return fail(Code::malformed, "Call-ID in Replaces");
    int to_tags = 0, from_tags = 0;
    for (const auto& parameter : parts.parameters) {
        if (parameter.name == "early-only") replaces.early_only = true;
        if (parameter.name == "to-tag") ++to_tags, replaces.to_tag = parameter.value.value_or("");
        if (parameter.name == "from-tag") ++from_tags, replaces.from_tag = parameter.value.value_or("");
    }
    if (to_tags != 1 || from_tags != 1 || !is_word(replaces.to_tag) || !is_word(replaces.from_tag))
        return fail(Code::malformed, "tags in Replaces");
    return replaces;
}

std::string Replaces::to_string() const {
    return call_id + ";to-tag=" + to_tag + ";from-tag=" + from_tag + (early_only ? ";early-only" : "");
}

ReplaceDecision decide_replaces(const Replaces& replaces, const std::vector<ReplaceCandidate>& candidates) {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (!matches(replaces, candidates[i].id)) continue;
        if (found) return {481};
        found = i;
    }
    if (!found) return {481};
    return {refusal_of(replaces, candidates[*found]), *found};
}

Result<std::optional<Replaces>> replaces_of(const Request& request) {
    const auto is_replaces = [](const Header& header) { return same_token(header.name, "Replaces"); };
    const auto count = std::ranges::count_if(request.headers, is_replaces);
    if (count == 0) return std::optional<Replaces>();
    if (count > 1 || request.method != "INVITE") return fail(Code::malformed, "Replaces has no place here");
    BOOST_OUTCOME_TRY(replaces, Replaces::read(std::ranges::find_if(request.headers, is_replaces)->value));
    return std::optional(std::move(replaces));
}

}  // namespace stox::sip
