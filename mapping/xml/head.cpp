#include "mapping/xml/head.h"

#include "mapping/xml/octet_set.h"

#include <algorithm>
#include <array>
#include <utility>

namespace stox::xml {

namespace {

/// A JID has at most 3,071 octets, and where it is escaped six for each of them.
constexpr std::size_t kMaxPiece = 20'000;
constexpr std::array<std::string_view, 5> kWanted{"xmlns", "from", "to", "id", "type"};
constexpr OctetSet kBehindName(" \t\r\n/>"), kBehindAttributeName(" \t\r\n="), kQuotesAndEnd("'\">");

/// Moves `octets` to `piece` up to `end`. One octet more than fits stays: what is too long is seen to be.
void move_to(std::string& piece, std::string_view& octets, const char* end) {
    const auto run = octets.substr(0, static_cast<std::size_t>(end - octets.data()));
    piece.append(run.substr(0, kMaxPiece + 1 - std::min(piece.size(), kMaxPiece + 1)));
    octets.remove_prefix(run.size());
}

const char* end_of(std::string_view octets) { return octets.data() + octets.size(); }

}  // namespace

void Head::take(std::string_view octets) {
    while (!octets.empty() && in_ != In::over) {
        if (in_ == In::name)
            take_name(octets);
        else if (in_ == In::tag)
            take_tag(octets);
        else
            take_quoted(octets);
    }
}

void Head::take_name(std::string_view& octets) {
    move_to(name_, octets, kBehindName.find(octets.data(), end_of(octets)));
    if (!octets.empty()) in_ = In::tag;
}

void Head::take_tag(std::string_view& octets) {
    move_to(attribute_, octets, kQuotesAndEnd.find(octets.data(), end_of(octets)));
    if (octets.empty()) return;
    quote_ = octets.front();
    in_ = quote_ == '>' ? In::over : In::quoted;
    move_to(attribute_, octets, octets.data() + 1);
}

void Head::take_quoted(std::string_view& octets) {
    const auto quote = octets.find(quote_);
    move_to(attribute_, octets, quote == octets.npos ? end_of(octets) : octets.data() + quote + 1);
    if (quote == octets.npos) return;
    in_ = In::tag;
    end_of_attribute();
}

void Head::end_of_attribute() {
    const char* const end = end_of(attribute_);
    const auto* begin = std::find_if_not(std::as_const(attribute_).data(), end, [](char c) { return kSpaces.has(c); });
    const std::string_view name(begin, static_cast<std::size_t>(kBehindAttributeName.find(begin, end) - begin));
    const bool wanted = std::ranges::find(kWanted, name) != kWanted.end();
    // A name that comes twice makes the head as malformed as the tag: its memory is bounded, its meaning nobody's care.
    if (wanted && attribute_.size() <= kMaxPiece && attributes_.size() < kWanted.size() * kMaxPiece)
        attributes_.append(1, ' ').append(begin, end);
    attribute_.clear();
}

std::string Head::text() const { return name_.size() > kMaxPiece ? std::string() : name_ + attributes_ + "/>"; }

}  // namespace stox::xml
