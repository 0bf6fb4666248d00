#include "mapping/presence/activities.h"

#include "mapping/im/lines.h"
#include "mapping/im/timestamps.h"
#include "mapping/presence/namespaces.h"

#include <algorithm>
#include <array>

namespace stox::presence {

namespace {

struct ActivityRow {
    std::string_view name;
    Show show;
};

// RFC 4480 §3.2. What is not here says nothing: looking-for-work, other, playing, spectator, tv, unknown, and words of other
// namespaces.   (PRES-77)
constexpr std::array kActivities{
    ActivityRow{"appointment", Show::dnd},
    ActivityRow{"away", Show::away},
    ActivityRow{"breakfast", Show::away},
    ActivityRow{"busy", Show::dnd},
    ActivityRow{"dinner", Show::away},
    ActivityRow{"holiday", Show::xa},
    ActivityRow{"in-transit", Show::away},
    ActivityRow{"lunch", Show::away},
    ActivityRow{"meal", Show::away},
    ActivityRow{"meeting", Show::dnd},
    ActivityRow{"on-the-phone", Show::dnd},
    ActivityRow{"performance", Show::dnd},
    ActivityRow{"permanent-absence", Show::xa},
    ActivityRow{"presentation", Show::dnd},
    ActivityRow{"shopping", Show::away},
    ActivityRow{"sleeping", Show::away},
    ActivityRow{"steering", Show::dnd},
    ActivityRow{"travel", Show::away},
    ActivityRow{"vacation", Show::xa},
    ActivityRow{"working", Show::dnd},
    ActivityRow{"worship", Show::away},
};

// The other way. Who is away for long is away: vacation and permanent-absence would say more than anybody knows.   (PRES-58)
constexpr std::array kShown{ActivityRow{"away", Show::away}, ActivityRow{"away", Show::xa}, ActivityRow{"busy", Show::dnd}};

constexpr std::array kStrongest{Show::dnd, Show::xa, Show::away};

/// An attribute with a time that cannot be read bounds nothing.
bool holds(const xml::Element& activities, UtcTime now) {
    const auto time = [&activities](const char* name) {
        const auto* text = activities.attribute(name);
        return text ? im::read_time(*text) : std::nullopt;
    };
    const auto from = time("from"), until = time("until");
    return (!from || *from <= now) && (!until || now < *until);
}

bool is_necessary(const xml::Element& element) {
    return std::ranges::any_of(element.attributes, [](const xml::Attribute& one) {
        return one.name == "mustUnderstand" && (one.ns.empty() || one.ns == ns::kPidf) &&
               (im::trim(one.value) == "true" || im::trim(one.value) == "1");
    });
}

}  // namespace

std::optional<Show> stronger(std::optional<Show> a, std::optional<Show> b) {
    for (const auto show : kStrongest)
        if (a == show || b == show) return show;
    return std::nullopt;
}

std::optional<Show> read_activities(const xml::Element& element, UtcTime now) {
    std::optional<Show> strongest;
    for (const auto& node : element.children) {
        const auto* activities = std::get_if<xml::Element>(&node);
        if (!activities || !activities->is(ns::kRpid, "activities") || !is_understood(*activities) || !holds(*activities, now))
            continue;
        for (const auto& row : kActivities)
            if (activities->child(ns::kRpid, row.name)) strongest = stronger(strongest, row.show);
    }
    return strongest;
}

std::optional<xml::Element> write_activities(const ResourcePresence& presence) {
    const auto* row = std::ranges::find_if(kShown, [&](const ActivityRow& one) { return one.show == presence.show; });
    if (!presence.on_the_phone && row == kShown.end()) return std::nullopt;
    xml::Element activities(std::string(ns::kRpid), "activities");
    activities.add({std::string(ns::kRpid), presence.on_the_phone ? "on-the-phone" : std::string(row->name)});
    return activities;
}

bool is_understood(const xml::Element& extension) {
    constexpr std::string_view kKnown[] = {ns::kPidf, ns::kDataModel, ns::kRpid};
    return std::ranges::none_of(extension.children, [&](const xml::Node& node) {
        const auto* part = std::get_if<xml::Element>(&node);
        return part && std::ranges::find(kKnown, part->ns) == std::end(kKnown) && is_necessary(*part);
    });
}

}  // namespace stox::presence
