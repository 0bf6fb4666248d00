#pragma once
// Finds the dialog that a request belongs to, and bounds how many there are.   (RFC 3261 §12.2.2)

#include "mapping/sip/dialog.h"
#include "mapping/sip/dialog_action.h"

#include <deque>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace stox::sip {

class DialogTable {
public:
    struct Limits {
        std::size_t per_peer = 1'000;
        std::size_t in_all = 10'000;
    };
    static constexpr std::size_t kMaxUsages = 16;  ///< of one dialog
    struct Entry {
        DialogRef dialog;
        std::string peer;
        std::vector<UsageKey> usages;  ///< in the order they came; at most kMaxUsages
    };

    explicit DialogTable(Limits limits) : limits_(limits) {}

    /// Whether one more dialog with that peer is within the limits. Forks of a call that is within them are not asked.
    bool has_room(const std::string& peer) const;
    /// One more usage of that dialog, which is taken up if it is new. false: it has kMaxUsages.
    bool add(const DialogRef& dialog, const std::string& peer, UsageKey usage);
    /// That usage ended; with the last one the dialog goes. call: it was made by INVITE.
    void remove(const DialogId& id, UsageKey usage, bool call = false);

    struct Refuse {
        int status;  ///< 481 no such dialog, 500 an old CSeq, 400 one over 2^31
    };
    struct Ignore {};  ///< an ACK for nothing we know
    using Admission = std::variant<Entry*, Refuse, Ignore>;
    /// The dialog of a request with a To tag, which takes its CSeq down. Not for CANCEL.
    Admission admit(const Request& request);

    Entry* find(const DialogId& id);
    const Entry* find(const DialogId& id) const;
    /// All of a Call-ID, for Replaces.
    std::vector<const Entry*> of_call_id(const std::string& call_id) const;
    /// The last 64 calls that ended, oldest first.
    const std::deque<DialogId>& ended() const { return ended_; }
    std::size_t size() const { return entries_.size(); }

private:
    Limits limits_;
    std::map<DialogId, Entry> entries_;
    std::map<std::string, std::size_t> per_peer_;
    std::deque<DialogId> ended_;
};

}  // namespace stox::sip
