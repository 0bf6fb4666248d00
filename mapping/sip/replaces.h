#pragma once
// Replaces: an INVITE that takes the place of another dialog.   (RFC 3891)

#include "mapping/sip/dialog.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stox::sip {

struct Replaces {
    std::string call_id;
    std::string to_tag;    ///< our own, for who gets the INVITE
    std::string from_tag;  ///< the other side's
    bool early_only = false;

    /// errors  malformed: no Call-ID, not exactly one to-tag and one from-tag   (RFC 3891 §6.1)
    static Result<Replaces> read(std::string_view value);
    std::string to_string() const;
    friend bool operator==(const Replaces&, const Replaces&) = default;
};

/// A dialog that may be meant.
struct ReplaceCandidate {
    DialogId id;
    DialogState state = DialogState::confirmed;
    bool ours = false;  ///< we sent its INVITE
    bool call = true;   ///< made by INVITE
    bool over = false;  ///< ended a short time ago
};

/// What becomes of an INVITE with Replaces: the index of the dialog it replaces, or the status it is refused with.
/// Whether the sender may is the caller's to judge before it acts.   (RFC 3891 §3)
struct ReplaceDecision {
    int refusal = 0;  ///< 0: not refused
    std::size_t index = 0;

    friend bool operator==(const ReplaceDecision&, const ReplaceDecision&) = default;
};
ReplaceDecision decide_replaces(const Replaces& replaces, const std::vector<ReplaceCandidate>& candidates);

/// The one Replaces of a request. nullopt inside: none stands there.
/// errors  malformed: unreadable, several, or in another request than INVITE (400)
Result<std::optional<Replaces>> replaces_of(const Request& request);

}  // namespace stox::sip
