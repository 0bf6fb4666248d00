#pragma once
// RPID (RFC 4480): what somebody is doing, and which show that is.

#include "mapping/presence/state.h"
#include "mapping/xml/element.h"

#include <optional>

namespace stox::presence {

/// What counts of two, either of which may say nothing: dnd before xa before away.   (PRES-77)
std::optional<Show> stronger(std::optional<Show> a, std::optional<Show> b);

/// What the <activities> directly inside `element` come to: the strongest of those that hold at `now`, for a calendar says
/// beforehand what will be (RFC 4480 §3.1). nullopt: none of them says whether somebody can be reached.
std::optional<Show> read_activities(const xml::Element& element, UtcTime now);

/// The <activities> of somebody; nullopt: there is no word for what they show.   (PRES-58)
std::optional<xml::Element> write_activities(const ResourcePresence& presence);

/// False for an extension with a part that its author calls necessary and that we do not know.   (RFC 3863 §4.2.3)
bool is_understood(const xml::Element& extension);

}  // namespace stox::presence
