#include "mapping/xmpp/delay.h"

#include "mapping/im/timestamps.h"
#include "mapping/xmpp/namespaces.h"

namespace stox::xmpp {

xml::Element delay(const std::string& by, UtcTime at) {
    xml::Element element{std::string(ns::kDelay), "delay"};
    element.set("from", by).set("stamp", im::write_precise_time(at));
    return element;
}

}  // namespace stox::xmpp
