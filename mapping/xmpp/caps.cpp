#include "mapping/xmpp/caps.h"

#include "mapping/xmpp/namespaces.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <vector>

namespace stox::xmpp {

namespace {

std::string joined(std::vector<std::string> parts) {
    std::ranges::sort(parts);
    std::string text;
    for (const auto& part : parts) text += part + '<';
    return text;
}

}  // namespace

std::string caps_version(const DiscoInfo& info) {
    std::vector<std::string> identities;
    for (const auto& one : info.identities) identities.push_back(one.category + '/' + one.type + '/' + one.lang + '/' + one.name);
    const auto text = joined(std::move(identities)) + joined(info.features);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) return {};
    std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> base64{};
    const int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
    return {base64.begin(), base64.begin() + length};
}

xml::Element caps(std::string_view node, const DiscoInfo& info) {
    xml::Element element(std::string(ns::kCaps), "c");
    return element.set("hash", "sha-1").set("node", node).set("ver", caps_version(info));
}

}  // namespace stox::xmpp
