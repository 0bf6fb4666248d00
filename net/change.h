#pragma once
// What a source reports: elements that came, changed and went, and where it learnt them.

#include "net/element.h"

#include <optional>
#include <variant>
#include <vector>

namespace stox::net {

/// Where an element was learnt.
struct Home {
    int interface = 0;                ///< 0: it is the node's
    std::optional<DnsName> pvd = {};  ///< the explicit provisioning domain that the network named with it   (RFC 8801)
    bool validated = false;           ///< that name was authenticated, not only claimed   (RFC 7556 §7.2.2)
    friend bool operator==(const Home&, const Home&) = default;
};

/// It is there, or is so from now on.
struct Learnt {
    Home home;
    Element element;
};
/// What has this identity (net/element.h) is gone; nothing happens if it was not there.
struct Withdrawn {
    Home home;
    Element element;
};
/// The source will say everything of these kinds again, after it may have missed something. What it has not said when the dump
/// ends is gone. A dump that begins again starts anew.
struct DumpBegins {
    std::vector<ElementKind> kinds;
};
struct DumpEnds {
    std::vector<ElementKind> kinds;
};
using Change = std::variant<Learnt, Withdrawn, DumpBegins, DumpEnds>;

}  // namespace stox::net
