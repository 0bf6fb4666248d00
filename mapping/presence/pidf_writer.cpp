#include "mapping/im/body.h"
#include "mapping/im/timestamps.h"
#include "mapping/presence/activities.h"
#include "mapping/presence/contact_priority.h"
#include "mapping/presence/namespaces.h"
#include "mapping/presence/pidf.h"
#include "mapping/presence/tuple_id.h"
#include "mapping/xml/writer.h"

#include <algorithm>
#include <chrono>

namespace stox::presence {

namespace {

using std::chrono::milliseconds, std::chrono::seconds;

constexpr const char* kPersonId = "person";  // no tuple of ours has such an id

milliseconds fraction(UtcTime time) { return time - std::chrono::floor<seconds>(time); }

/// Later than the document before, and with other milliseconds.
UtcTime stamp_after(UtcTime now, std::optional<UtcTime> after) {
    if (!after) return now;
    const auto stamp = std::max(now, *after + milliseconds(1));
    return fraction(stamp) == fraction(*after) ? stamp + milliseconds(1) : stamp;
}

xml::Element pidf(std::string name) { return {std::string(ns::kPidf), std::move(name)}; }

/// Those that the document tells about.   (PRES-52, PRES-60)
std::vector<ResourcePresence> told(Presentity presentity, bool& left_out) {
    left_out = put_in_order(presentity);
    auto& all = presentity.resources;
    std::erase_if(all, [](const ResourcePresence& one) { return one.availability == Availability::unknown; });
    if (all.empty()) all.push_back({{}, Availability::unavailable});
    if (!all.front().is_available()) all.resize(1);
    return std::move(all);
}

xml::Element status_of(const ResourcePresence& presence) {
    auto status = pidf("status");
    status.add(pidf("basic")).add_text(presence.is_available() ? "open" : "closed");
    if (const auto show = presence.shown(); show && presence.is_available())
        status.add({std::string(ns::kClient), "show"}).add_text(to_string(*show));
    return status;
}

xml::Element contact_of(const ResourcePresence& presence, sip::Uri uri) {
    if (!presence.resource.empty()) uri.parameters.push_back({"gr", sip::percent_encode_parameter(presence.resource)});
    auto contact = pidf("contact");
    const auto priority = presence.is_available() && presence.priority ? to_contact_priority(*presence.priority) : std::nullopt;
    if (priority) contact.set("priority", *priority);
    contact.add_text(uri.to_string());
    return contact;
}

/// In the order of the schema.   (RFC 3863 §4.4, PRES-63)
xml::Element tuple_of(const ResourcePresence& presence, const PidfSubject& subject, UtcTime stamp) {
    auto tuple = pidf("tuple");
    tuple.set("id", tuple_id(presence.resource));
    tuple.add(status_of(presence));
    tuple.add(contact_of(presence, subject.contact));
    for (const auto& [text, own_lang] : presence.statuses) {
        auto& note = tuple.add(pidf("note")).add_text(text);
        const auto& lang = own_lang.empty() ? presence.lang : own_lang;
        if (im::is_language_tag(lang)) note.set_lang(lang);
    }
    const auto since = presence.since ? std::min(std::chrono::floor<seconds>(*presence.since) + fraction(stamp), stamp) : stamp;
    tuple.add(pidf("timestamp")).add_text(im::write_precise_time(since));
    return tuple;
}

/// The activities of the most available one, since they are of a person and not of a device.   (RFC 4480 table 1, PRES-58)
std::optional<xml::Element> person_of(const ResourcePresence& presence) {
    auto activities = presence.is_available() ? write_activities(presence) : std::nullopt;
    if (!activities) return std::nullopt;
    xml::Element person(std::string(ns::kDataModel), "person");
    person.set("id", kPersonId).add(*std::move(activities));
    return person;
}

/// That of all of them, or none.   (PRES-56)
std::string common_language(const std::vector<ResourcePresence>& all) {
    const auto& lang = all.front().lang;
    const bool same = std::ranges::all_of(all, [&lang](const ResourcePresence& one) { return one.lang == lang; });
    return same && im::is_language_tag(lang) ? lang : std::string();
}

std::string document_of(const std::vector<ResourcePresence>& all, const PidfSubject& subject, UtcTime stamp) {
    auto root = pidf("presence");
    root.set("entity", subject.entity);
    for (const auto& one : all) root.add(tuple_of(one, subject, stamp));
    if (auto person = person_of(all.front())) root.add(*std::move(person));
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n" + xml::write(root);
}

}  // namespace

WrittenPidf write_pidf(const Presentity& presentity, const PidfSubject& subject, UtcTime now, std::optional<UtcTime> after) {
    WrittenPidf written;
    written.stamp = stamp_after(now, after);
    auto all = told(presentity, written.left_out);
    written.content_language = common_language(all);
    written.document = document_of(all, subject, written.stamp);
    if (written.document.size() <= kMaxPidf_octets) return written;
    written.left_out = true;
    for (auto& one : all) one.statuses.clear();
    written.document = document_of(all, subject, written.stamp);
    while (written.document.size() > kMaxPidf_octets && all.size() > 1) {
        all.pop_back();
        written.document = document_of(all, subject, written.stamp);
    }
    return written;
}

}  // namespace stox::presence
