#pragma once
// What is known of one contact, and what of it one user was told: the difference is what is to be told.
//
// A resource is told at most once a second, its latest state; what is the same as before is not told again. Nor are names more
// than so many, however a contact changes them: what was withdrawn counts as what was shown does.   (PRES-92)

#include "mapping/presence/state.h"
#include "plugin/engine/presence/pace.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stox::engine {

class ShownPresence {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds kApart{1};
    static constexpr std::size_t kMaxShown = 2 * presence::kMaxResources;  ///< as available, for a moment: those before and after
    using Told = Pace<kMaxShown, 4>;                                       ///< stanzas about all resources together

    /// A whole document: who does not stand in it is gone; of who is unknown what was known stays.   (PRES-73, PRES-75)
    void learn(const presence::Presentity& now_known, TimePoint now);
    /// A notification without a document: the first one says that nothing is known, later ones nothing.   (PRES-13, PRES-74)
    void learn_nothing();
    /// Who is there is shown as on the phone, which is dnd; of who is not known it says nothing.
    void set_on_the_phone(bool is) { on_the_phone_ = is; }
    /// Nothing is known any more. What is to be told at once: each resource that was shown is unavailable, or, if the user had
    /// asked and waits, the contact is.
    std::vector<presence::ResourcePresence> forget(TimePoint now);
    /// The same while nobody can be told: what was shown is withdrawn when somebody can.
    void withdraw();
    /// The user has asked, or may have missed what was told: all that is known is told again; if nothing is, then what comes
    /// next.
    void repeat();

    /// What may be told now, `most` of it.
    std::vector<presence::ResourcePresence> take_due(TimePoint now, std::size_t most);
    std::optional<TimePoint> next_timeout() const;

    /// Resources that the user sees as available.
    std::vector<std::string> shown() const;
    /// The same, as another life has left it. Nothing of it is known to be so.
    void restore(const std::vector<std::string>& shown);
    /// A notification came in this life.
    bool is_known() const { return known_; }

private:
    struct Entry {
        std::optional<presence::ResourcePresence> known{}, told{};
        TimePoint told_at{};
        bool again = false;   ///< to be told whatever was
        bool listed = false;  ///< the latest document names it
    };
    presence::ResourcePresence meant(const Entry& entry) const;
    bool differs(const Entry& entry) const;
    static bool appears(const Entry& entry);
    std::size_t shown_now() const;
    void drop_gone(TimePoint now);

    std::map<std::string, Entry> entries_;
    Told pace_;
    bool known_ = false;
    bool on_the_phone_ = false;
    bool asked_ = false;             ///< while nothing was known: what comes next is told whole
    bool nobody_ = false;            ///< to be told: the contact is unavailable
    TimePoint nobody_after_{};       ///< but not before
    std::optional<UtcTime> gone_{};  ///< when the last resource went, if the contact said so
};

}  // namespace stox::engine
