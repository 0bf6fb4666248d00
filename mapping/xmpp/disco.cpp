#include "mapping/xmpp/disco.h"

#include "mapping/xmpp/namespaces.h"

namespace stox::xmpp {

xml::Element encode(const DiscoInfo& info) {
    const std::string ns(ns::kDiscoInfo);
    xml::Element query(ns, "query");
    if (!info.node.empty()) query.set("node", info.node);
    for (const auto& identity : info.identities) {
        auto& element = query.add({ns, "identity"});
        element.set("category", identity.category).set("type", identity.type);
        if (!identity.name.empty()) element.set("name", identity.name);
        if (!identity.lang.empty()) element.set_lang(identity.lang);
    }
    for (const auto& feature : info.features) query.add({ns, "feature"}).set("var", feature);
    return query;
}

xml::Element encode(const DiscoItems& items) {
    const std::string ns(ns::kDiscoItems);
    xml::Element query(ns, "query");
    if (!items.node.empty()) query.set("node", items.node);
    for (const auto& item : items.items) {
        auto& element = query.add({ns, "item"});
        element.set("jid", item.jid);
        if (!item.node.empty()) element.set("node", item.node);
        if (!item.name.empty()) element.set("name", item.name);
    }
    return query;
}

}  // namespace stox::xmpp
