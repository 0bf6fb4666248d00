#include "mapping/xmpp/disco.h"

#include "mapping/xmpp/namespaces.h"

namespace stox::xmpp {

xml::Element encode(const DiscoInfo& info) {
    const std::string ns(ns::kDiscoInfo);
    xml::Element query(ns, "query");
    for (const auto& identity : info.identities) {
        auto& element = query.add({ns, "identity"});
        element.set("category", identity.category).set("type", identity.type);
        if (!identity.name.empty()) element.set("name", identity.name);
        if (!identity.lang.empty()) element.set_lang(identity.lang);
    }
    for (const auto& feature : info.features) query.add({ns, "feature"}).set("var", feature);
    return query;
}

}  // namespace stox::xmpp
