#pragma once
// Resources as ids of PIDF tuples, which are NCNames: they may hold few characters and no digit first.   (RFC 8048 §6.2, PRES-54)

#include <string>
#include <string_view>

namespace stox::presence {

/// "ID-balcony", or "IDX-" and lower-case hex digits where a character of the resource is none of a name. Two resources never
/// have the same id, and no id of ours begins otherwise.
std::string tuple_id(std::string_view resource);

/// The resource that such an id stands for; an id of another form is its own text. Nothing is prepared.
std::string tuple_resource(std::string_view id);

}  // namespace stox::presence
