#pragma once
// Presence as both sides understand it: what each resource of somebody says about itself.

#include "mapping/core/utc_time.h"
#include "mapping/xmpp/stanza.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stox::presence {

inline constexpr std::size_t kMaxResources = 32;        ///< of one presentity
inline constexpr std::size_t kMaxStatuses = 8;          ///< languages of one resource
inline constexpr std::size_t kMaxStatus_octets = 1024;  ///< of one status
inline constexpr std::size_t kMaxAll_octets = 8'192;    ///< of all statuses of one presentity, each where it stands

enum class Availability {
    available,
    unavailable,
    unknown,  ///< not said: what was known before stays (RFC 3863 §4.1.4)
};

/// How available. Without one: simply available.   (RFC 6121 §4.7.2.1)
enum class Show { chat, away, dnd, xa };

std::string_view to_string(Show show);
/// nullopt: none of the four.
std::optional<Show> read_show(std::string_view text);

struct ResourcePresence {
    std::string resource;  ///< prepared; empty: the bare address
    Availability availability = Availability::available;
    std::optional<Show> show{};              ///< of an available one alone
    std::optional<std::int8_t> priority{};   ///< of an available one alone; absent: not said, which XMPP takes for 0
    std::vector<xmpp::LangText> statuses{};  ///< one for each language; without a language: in `lang`
    std::optional<UtcTime> since{};          ///< when this became so, where that is known
    std::string lang{};                      ///< may be empty
    /// In a call, which SIP has a word for and XMPP has not: there it is dnd. Only for documents that we write.   (PRES-108)
    bool on_the_phone = false;

    bool is_available() const { return availability == Availability::available; }
    std::optional<Show> shown() const { return on_the_phone ? Show::dnd : show; }
    friend bool operator==(const ResourcePresence&, const ResourcePresence&) = default;
};

/// All resources of one presentity, the most available first; each of them once.
struct Presentity {
    std::vector<ResourcePresence> resources{};

    friend bool operator==(const Presentity&, const Presentity&) = default;
};

/// The most available first, for many phones show the first alone: chat, available, dnd, away, xa, unavailable, unknown.
/// Who is busy is there after all, who is away is not. Of equals the one of higher priority, then the one that came first.
/// Of two with the same resource the more available one stays; over kMaxResources the last are left out.
/// returns  true: some were too many
bool put_in_order(Presentity& presentity);

/// Over kMaxAll_octets the statuses of the last are left out: one text of a person, or of a document, is that of every tuple, and
/// what was short there is long here.
/// returns  true: some were too many
bool cut_statuses(Presentity& presentity);

/// Takes out who was told to be unavailable: a document says so once.   (PRES-52)
void forget_unavailable(Presentity& presentity);

/// Adds a status in a language that has none yet: an empty text says nothing, and of two the first stays.
/// Blanks around a text are no part of it; a language that is no tag is none.
/// lang     of the text; empty, or the same as `stanza_lang`: kept without one
/// returns  false: it was too long, and is cut between two characters, or was one too many
bool add_status(std::vector<xmpp::LangText>& statuses, std::string_view text, std::string_view lang,
                std::string_view stanza_lang);

}  // namespace stox::presence
