#include "plugin/engine/devices.h"

#include <algorithm>

namespace stox::engine {

namespace {

/// What tells one device of a contact from another: its instance id keeps through reboots and new addresses (RFC 5626 §4.1).
std::string key_of(const sip::NameAddr& device) {
    for (const auto& parameter : device.parameters)
        if (parameter.name == "+sip.instance" && parameter.value) return *parameter.value;
    return device.uri.to_string();
}

}  // namespace

void Devices::saw_gruu(const xmpp::Jid& full) {
    if (full.resource.size() > kLongest_octets) return;
    auto& devices = contacts_[full.bare().to_string()];
    if (std::ranges::find(devices, full.resource, &Device::resource) == devices.end()) add(devices, {full.resource, {}, {}});
}

std::string Devices::resource_of(const xmpp::Jid& contact, const sip::NameAddr& device, IdGenerator& ids) {
    auto key = key_of(device);
    if (key.size() > kLongest_octets) return {};
    auto& devices = contacts_[contact.bare().to_string()];
    const auto known = std::ranges::find_if(devices, [&](const Device& one) { return one.uri && one.key == key; });
    if (known != devices.end()) {
        known->uri = device.uri;  // the same instance behind another address
        return known->resource;
    }
    return add(devices, {"sip-" + ids.wire_id(), std::move(key), device.uri}).resource;
}

bool Devices::is_gruu(const xmpp::Jid& full) const {
    const auto* device = find(full);
    return device && !device->uri;
}

std::optional<sip::Uri> Devices::behind(const xmpp::Jid& full) const {
    const auto* device = find(full);
    return device ? device->uri : std::nullopt;
}

const Devices::Device* Devices::find(const xmpp::Jid& full) const {
    const auto* devices = full.is_bare() ? nullptr : contacts_.find(full.bare().to_string());
    if (!devices) return nullptr;
    const auto found = std::ranges::find(*devices, full.resource, &Device::resource);
    return found == devices->end() ? nullptr : &*found;
}

Devices::Device& Devices::add(std::vector<Device>& devices, Device device) {
    if (devices.size() == kOfOneContact) devices.erase(devices.begin());
    return devices.emplace_back(std::move(device));
}

}  // namespace stox::engine
