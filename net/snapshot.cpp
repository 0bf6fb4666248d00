#include "net/snapshot.h"

#include <algorithm>

namespace stox::net {

Outcome<PvdPtr> Snapshot::find(PvdRef ref) const {
    if (ref == PvdRef::none()) return fail_at(Stage::no_pvd, ref, "the domain that has nothing");
    const auto wanted = ref == PvdRef::unspecified() ? default_pvd : ref;
    const auto found = std::ranges::find_if(pvds, [&](const PvdPtr& pvd) { return pvd->ref == wanted; });
    if (found != pvds.end()) return *found;
    if (ref == PvdRef::unspecified()) return fail_at(Stage::no_pvd, ref, "there is no provisioning domain yet");
    return fail_at(Stage::gone, ref, "the attachment has ended");
}

PvdPtr Snapshot::named(std::string_view name) const {
    const auto found = std::ranges::find_if(pvds, [&](const PvdPtr& pvd) { return pvd->name == name || pvd->id.text == name; });
    return found == pvds.end() ? nullptr : *found;
}

std::vector<PvdPtr> Snapshot::list(std::optional<Family> family) const {
    if (!family) return pvds;
    std::vector<PvdPtr> listed;
    std::ranges::copy_if(pvds, std::back_inserter(listed), [&](const PvdPtr& pvd) { return pvd->has(*family); });
    return listed;
}

const Interface* Snapshot::interface(int index) const {
    const auto found = std::ranges::find(interfaces, index, &Interface::index);
    return found == interfaces.end() ? nullptr : &*found;
}

}  // namespace stox::net
