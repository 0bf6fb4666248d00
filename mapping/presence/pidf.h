#pragma once
// The Presence Information Data Format (RFC 3863) with what RFC 8048 and RPID (RFC 4480) add to it, read and written.
//
// What XMPP has no word for (extensions, partial documents, CIPID, geopriv, moods) is passed over; the tuple around it counts.

#include "mapping/core/result.h"
#include "mapping/presence/state.h"
#include "mapping/sip/uri.h"

#include <optional>
#include <string>
#include <string_view>

namespace stox::presence {

inline constexpr std::string_view kPidfType = "application/pidf+xml";
inline constexpr std::size_t kMaxPidf_octets = 65'536;  ///< of a document, read or written

struct Pidf {
    std::string entity;  ///< as written, may be empty. Whom a NOTIFY is about, its dialog knows
    Presentity presentity;
    bool left_out = false;  ///< more than a bound of state.h takes was there, or a tuple with a name that no resource can have

    friend bool operator==(const Pidf&, const Pidf&) = default;
};

/// Each tuple is a resource: named by the `gr` of its contact, else by its deviceID, for these stay the same from document to
/// document; else by its id. One without any of them is the bare address. Of two with one name the more available one counts.
/// (PRES-72, PRES-73) A tuple that says neither open nor closed is open when it or its person shows something, or another tuple
/// is open; else it is unknown.   (PRES-75) A document without tuples is one: nobody is available.   (PRES-74) content_language
/// the first tag of the header, or "" now               what the times of activities are compared with errors  malformed,
/// forbidden: no well-formed XML, DTDs and entities, no PIDF (400); too_large: over kMaxPidf_octets, or more children or
///         attributes of one element than any presence has (413); incomplete: a PIDF with tuples, none of which has a usable
///         name, so that nothing is learnt (200, and what was known stays)
Result<Pidf> read_pidf(std::string_view document, std::string_view content_language, UtcTime now);

/// Whom a document is about.
struct PidfSubject {
    std::string entity;  ///< "pres:juliet@example.com"
    sip::Uri contact;    ///< the address of record; tuples add their `gr`
};

struct WrittenPidf {
    std::string document;
    std::string content_language;  ///< empty: tuples differ in it, or have none
    UtcTime stamp{};               ///< of this document: the `after` of the next one
    bool left_out = false;         ///< over kMaxResources or kMaxPidf_octets: notes first, then who is least available
};

/// A whole document: one tuple for each resource, the most available first; then, if that one shows something, a <person> who
/// does what comes nearest to it. Who is unavailable stands in it as closed, so that the caller forgets it (forget_unavailable)
/// when this is sent (PRES-52); who is unknown does not stand in it. When nobody is available there is a single tuple, and it is
/// closed. now    the time of a tuple that does not know since when it is so after  the stamp of the document before. No time in
/// this document is one of that document's: whole seconds are those of the
///        presence, and the milliseconds are the document's own, never those of the one before.   (RFC 3863 §4.1.7, PRES-61)
WrittenPidf write_pidf(const Presentity& presentity, const PidfSubject& subject, UtcTime now, std::optional<UtcTime> after = {});

}  // namespace stox::presence
