#include "mapping/presence/dialog_info.h"

#include "mapping/im/lines.h"
#include "mapping/presence/namespaces.h"
#include "mapping/sip/header_values.h"
#include "mapping/xml/reader.h"

#include <algorithm>
#include <array>

namespace stox::presence {

namespace {

constexpr xml::Limits kLimits{.stanza_octets = kMaxDialogInfo_octets, .depth = 16, .attributes = 32, .children = 1'024};

struct StateName {
    DialogState state;
    std::string_view name;
};
constexpr std::array kStates{StateName{DialogState::trying, "trying"}, StateName{DialogState::proceeding, "proceeding"},
                             StateName{DialogState::early, "early"}, StateName{DialogState::confirmed, "confirmed"},
                             StateName{DialogState::terminated, "terminated"}};

/// An example of RFC 4235 §4.1 calls the attribute notify-state; who followed it is understood.
std::optional<bool> is_full(const xml::Element& root) {
    const auto* state = root.attribute("state");
    if (!state) state = root.attribute("notify-state");
    const auto word = state ? im::trim(*state) : std::string_view();
    if (word == "full") return true;
    return word == "partial" ? std::optional(false) : std::nullopt;
}

std::optional<DialogInfo::Dialog> read_dialog(const xml::Element& dialog) {
    const auto* id = dialog.attribute("id");
    const auto* state = dialog.child(ns::kDialogInfo, "state");
    if (!id || id->empty() || id->size() > kMaxDialogId_octets || !state) return std::nullopt;
    const auto text = state->text();
    const auto* known = std::ranges::find(kStates, im::trim(text), &StateName::name);
    if (known == kStates.end()) return std::nullopt;
    return DialogInfo::Dialog{*id, known->state};
}

}  // namespace

Result<DialogInfo> read_dialog_info(std::string_view document) {
    auto read = xml::read_document(document, kLimits, xml::Remarks::passed_over);
    if (!read) return fail(read.error().code == Code::unsupported ? Code::malformed : read.error().code, read.error().detail);
    const auto& root = read.value();
    if (!root.is(ns::kDialogInfo, "dialog-info")) return fail(Code::malformed, "no dialog-info");
    const auto* version = root.attribute("version");
    const auto number = version ? sip::read_number(*version) : std::nullopt;
    const auto full = is_full(root);
    if (!number || !full) return fail(Code::malformed, "a dialog-info without version or state");
    DialogInfo info{*number, *full, {}, {}};
    std::size_t living = 0;  // who is terminated takes no room
    if (const auto* entity = root.attribute("entity")) info.entity = im::trim(*entity);
    for (const auto& node : root.children) {
        const auto* element = std::get_if<xml::Element>(&node);
        if (!element || !element->is(ns::kDialogInfo, "dialog")) continue;
        auto dialog = read_dialog(*element);
        if (dialog && (dialog->state == DialogState::terminated || ++living <= kMaxDialogs))
            info.dialogs.push_back(*std::move(dialog));
        else
            info.left_out = true;
    }
    return info;
}

DialogList::Outcome DialogList::take(const DialogInfo& info) {
    // The same version again is the same document, or one of somebody who never counts: a whole one can be taken in either case.
    if (version_ && (info.version < *version_ || (info.version == *version_ && !info.is_full))) return Outcome::stale;
    const bool is_next = version_ && info.version - *version_ == 1;
    version_ = info.version;
    if (info.is_full) states_.clear();
    bool all = true;
    for (const auto& dialog : info.dialogs) all = put(dialog) && all;
    return (info.is_full || is_next) && all ? Outcome::taken : Outcome::taken_with_gap;
}

bool DialogList::put(const DialogInfo::Dialog& dialog) {
    if (dialog.state == DialogState::terminated)
        states_.erase(dialog.id);
    else if (states_.size() < kMaxDialogs || states_.contains(dialog.id))
        states_.insert_or_assign(dialog.id, dialog.state);
    else
        return false;
    return true;
}

bool DialogList::is_on_the_phone() const {
    return std::ranges::any_of(states_, [](const auto& one) { return one.second == DialogState::confirmed; });
}

std::optional<Show> DialogList::show() const { return is_on_the_phone() ? std::optional(Show::dnd) : std::nullopt; }

}  // namespace stox::presence
