#include "mapping/presence/state.h"

#include "mapping/im/body.h"
#include "mapping/im/lines.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace stox::presence {

namespace {

struct ShowName {
    Show show;
    std::string_view name;
};
constexpr std::array kShows{ShowName{Show::chat, "chat"}, ShowName{Show::away, "away"}, ShowName{Show::dnd, "dnd"},
                            ShowName{Show::xa, "xa"}};

constexpr std::array<std::optional<Show>, 5> kOrder{Show::chat, std::nullopt, Show::dnd, Show::away, Show::xa};

bool is_more_available(const ResourcePresence& a, const ResourcePresence& b) {
    const auto rank = [](const ResourcePresence& one) {
        return std::tuple(one.availability, std::ranges::find(kOrder, one.shown()), -one.priority.value_or(0));
    };
    return rank(a) < rank(b);
}

/// As much of it as the limit takes, without half a character at its end.
std::string_view cut(std::string_view text) {
    if (text.size() <= kMaxStatus_octets) return text;
    auto end = kMaxStatus_octets;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

}  // namespace

std::string_view to_string(Show show) { return std::ranges::find(kShows, show, &ShowName::show)->name; }

std::optional<Show> read_show(std::string_view text) {
    const auto* row = std::ranges::find(kShows, text, &ShowName::name);
    return row == kShows.end() ? std::nullopt : std::optional(row->show);
}

bool put_in_order(Presentity& presentity) {
    auto& all = presentity.resources;
    std::ranges::stable_sort(all, is_more_available);
    std::vector<ResourcePresence> kept;
    bool too_many = false;
    for (auto& one : all) {
        if (std::ranges::find(kept, one.resource, &ResourcePresence::resource) != kept.end()) continue;
        too_many = too_many || kept.size() == kMaxResources;
        if (kept.size() < kMaxResources) kept.push_back(std::move(one));
    }
    all = std::move(kept);
    return too_many;
}

bool cut_statuses(Presentity& presentity) {
    std::size_t octets = 0;
    bool cut = false;
    for (auto& one : presentity.resources) {
        std::size_t own = 0;
        for (const auto& status : one.statuses) own += status.text.size();
        if (octets + own > kMaxAll_octets) {
            one.statuses.clear();
            one.statuses.shrink_to_fit();
            cut = true;
        } else {
            octets += own;
        }
    }
    return cut;
}

void forget_unavailable(Presentity& presentity) {
    std::erase_if(presentity.resources,
                  [](const ResourcePresence& one) { return one.availability == Availability::unavailable; });
}

bool add_status(std::vector<xmpp::LangText>& statuses, std::string_view text, std::string_view lang,
                std::string_view stanza_lang) {
    text = im::trim(text);
    if (text.empty()) return true;
    if (!im::is_language_tag(lang) || im::same_word(lang, stanza_lang)) lang = {};
    const auto is_taken = [lang](const xmpp::LangText& one) { return im::same_word(one.lang, lang); };
    if (std::ranges::any_of(statuses, is_taken)) return true;
    if (statuses.size() == kMaxStatuses) return false;
    const auto kept = cut(text);
    statuses.push_back({std::string(kept), std::string(lang)});
    return kept.size() == text.size();
}

}  // namespace stox::presence
