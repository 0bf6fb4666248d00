#pragma once
// Dialog information (RFC 4235): which calls somebody has, from which follows whether they are on the phone.

#include "mapping/core/result.h"
#include "mapping/presence/state.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stox::presence {

inline constexpr std::string_view kDialogInfoType = "application/dialog-info+xml";
inline constexpr std::size_t kMaxDialogInfo_octets = 65'536;  ///< of a document that is read
inline constexpr std::size_t kMaxDialogs = 64;                ///< of one document, and of one table; terminated ones not counted
inline constexpr std::size_t kMaxDialogId_octets = 256;

/// RFC 4235 §3.7.1
enum class DialogState { trying, proceeding, early, confirmed, terminated };

struct DialogInfo {
    struct Dialog {
        std::string id;
        DialogState state = DialogState::trying;

        friend bool operator==(const Dialog&, const Dialog&) = default;
    };

    std::uint32_t version = 0;
    bool is_full = true;  ///< else what changed alone
    std::string entity;   ///< as written; may be empty
    std::vector<Dialog> dialogs;
    bool left_out = false;  ///< a dialog over a bound above, or without a name or a state that we know

    friend bool operator==(const DialogInfo&, const DialogInfo&) = default;
};

/// errors  malformed, forbidden: no well-formed XML, DTDs and entities, no dialog-info, no version of 32 bits or neither full nor
///         partial (400); too_large: over kMaxDialogInfo_octets, or more children or attributes than any has (413)
Result<DialogInfo> read_dialog_info(std::string_view document);

/// What a subscription has told.   (RFC 4235 §4.3)
class DialogList {
public:
    enum class Outcome {
        taken,
        taken_with_gap,  ///< a document before it, or room for a dialog, is missing: a refresh brings the whole state
        stale,           ///< older than what is known, or the same again; nothing changed
    };

    Outcome take(const DialogInfo& info);
    /// At least one dialog is confirmed; one that rings only is no call.
    bool is_on_the_phone() const;
    /// dnd while on the phone.
    std::optional<Show> show() const;
    std::size_t size() const { return states_.size(); }

private:
    /// False: there is no room for it.
    bool put(const DialogInfo::Dialog& dialog);

    std::optional<std::uint32_t> version_;       ///< of the latest document; nullopt: none came
    std::map<std::string, DialogState> states_;  ///< by id; who is terminated is not in it
};

}  // namespace stox::presence
