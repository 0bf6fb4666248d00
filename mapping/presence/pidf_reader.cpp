#include "mapping/address.h"
#include "mapping/im/body.h"
#include "mapping/im/lines.h"
#include "mapping/im/timestamps.h"
#include "mapping/prepare.h"
#include "mapping/presence/activities.h"
#include "mapping/presence/contact_priority.h"
#include "mapping/presence/namespaces.h"
#include "mapping/presence/pidf.h"
#include "mapping/presence/tuple_id.h"
#include "mapping/xml/reader.h"

#include <algorithm>

namespace stox::presence {

namespace {

constexpr xml::Limits kLimits{.stanza_octets = kMaxPidf_octets, .depth = 32, .attributes = 64, .children = 4'096};

/// Calls `take(child)` for each child element.
template <class Take>
void for_each_child(const xml::Element& element, Take take) {
    for (const auto& node : element.children)
        if (const auto* child = std::get_if<xml::Element>(&node)) take(*child);
}

std::string_view lang_of(const xml::Element& element, std::string_view inherited) {
    const auto* own = element.lang();
    return own && im::is_language_tag(*own) ? std::string_view(*own) : inherited;
}

/// Reads one document: first what holds for all tuples, then the tuples, then what they say of each other.
class Reader {
public:
    Reader(std::string_view content_language, UtcTime now) : now_(now) {
        if (im::is_language_tag(content_language)) lang_ = content_language;
    }
    Result<Pidf> read(const xml::Element& root);

private:
    using Notes = std::vector<xmpp::LangText>;

    /// What one tuple says by itself.
    struct Tuple {
        ResourcePresence presence;
        bool says_basic = false;
    };

    void read_person(const xml::Element& person);
    void read_tuple(const xml::Element& tuple);
    void read_status(const xml::Element& tuple, Tuple& read) const;
    bool read_name(const xml::Element& tuple, std::string& resource) const;
    void add_note(Notes& notes, const xml::Element& note, std::string_view inherited);
    void settle();

    const UtcTime now_;
    std::string lang_;  ///< of the stanza
    std::string_view root_lang_;
    std::optional<Show> person_show_;
    Notes document_notes_, person_notes_;
    std::vector<Tuple> tuples_;
    Pidf pidf_;
};

Result<Pidf> Reader::read(const xml::Element& root) {
    if (!root.is(ns::kPidf, "presence")) return fail(Code::malformed, "no PIDF");
    if (const auto* entity = root.attribute("entity")) pidf_.entity = im::trim(*entity);
    root_lang_ = lang_of(root, lang_);
    if (lang_.empty()) lang_ = root_lang_;
    person_show_ = read_activities(root, now_);
    std::size_t count = 0;
    for_each_child(root, [this](const xml::Element& child) {
        if (child.is(ns::kDataModel, "person") && is_understood(child)) read_person(child);
        if (child.is(ns::kPidf, "note")) add_note(document_notes_, child, root_lang_);
    });
    for_each_child(root, [this, &count](const xml::Element& child) {
        if (!child.is(ns::kPidf, "tuple")) return;
        if (++count <= kMaxResources)
            read_tuple(child);
        else
            pidf_.left_out = true;
    });
    if (count > 0 && tuples_.empty()) return fail(Code::incomplete, "no tuple with a usable name");
    settle();
    return std::move(pidf_);
}

void Reader::read_person(const xml::Element& person) {
    person_show_ = stronger(person_show_, read_activities(person, now_));
    const auto inherited = lang_of(person, root_lang_);
    for_each_child(person, [&](const xml::Element& child) {
        if (child.is(ns::kDataModel, "note") || child.is(ns::kPidf, "note")) add_note(person_notes_, child, inherited);
    });
}

void Reader::read_tuple(const xml::Element& tuple) {
    Tuple read;
    auto& presence = read.presence;
    presence.lang = lang_;
    if (!read_name(tuple, presence.resource)) {
        pidf_.left_out = true;
        return;
    }
    read_status(tuple, read);
    const auto inherited = lang_of(tuple, root_lang_);
    for_each_child(tuple, [&](const xml::Element& child) {
        if (child.is(ns::kPidf, "note")) add_note(presence.statuses, child, inherited);
    });
    if (const auto* contact = tuple.child(ns::kPidf, "contact"))
        if (const auto* priority = contact->attribute("priority")) presence.priority = from_contact_priority(*priority);
    if (const auto* timestamp = tuple.child(ns::kPidf, "timestamp")) presence.since = im::read_time(timestamp->text());
    tuples_.push_back(std::move(read));
}

void Reader::read_status(const xml::Element& tuple, Tuple& read) const {
    auto& presence = read.presence;
    std::optional<Show> explicit_show, activities = read_activities(tuple, now_);
    presence.availability = Availability::unknown;
    if (const auto* status = tuple.child(ns::kPidf, "status")) {
        activities = stronger(activities, read_activities(*status, now_));
        const auto* show = status->child(ns::kClient, "show");
        if (show && is_understood(*show)) explicit_show = read_show(im::trim(show->text()));
        const auto* basic = status->child(ns::kPidf, "basic");
        const auto text = basic ? basic->text() : std::string();
        if (im::same_word(im::trim(text), "open")) presence.availability = Availability::available;
        if (im::same_word(im::trim(text), "closed")) presence.availability = Availability::unavailable;
    }
    read.says_basic = presence.availability != Availability::unknown;
    presence.show = explicit_show ? explicit_show : stronger(activities, person_show_);
}

/// False: it has a name, but none that a resource can have.
bool Reader::read_name(const xml::Element& tuple, std::string& resource) const {
    if (const auto* contact = tuple.child(ns::kPidf, "contact"))
        if (const auto uri = sip::Uri::parse(im::trim(contact->text())))
            if (auto gr = gr_to_resource(uri.value()); gr && !gr.value().empty()) {
                resource = std::move(gr).value();
                return true;
            }
    if (const auto* device = tuple.child(ns::kDataModel, "deviceID"))
        if (auto name = prepare_resource(im::trim(device->text()))) {
            resource = std::move(name).value();
            return true;
        }
    const auto* id = tuple.attribute("id");
    const auto meant = id ? tuple_resource(im::trim(*id)) : std::string();
    if (meant.empty()) return true;
    auto name = prepare_resource(meant);
    if (!name) name = prepare_resource(im::trim(*id));
    if (!name) return false;
    resource = std::move(name).value();
    return true;
}

void Reader::add_note(Notes& notes, const xml::Element& note, std::string_view inherited) {
    if (!add_status(notes, note.text(), lang_of(note, inherited), lang_)) pidf_.left_out = true;
}

/// What a tuple does not say itself: whether it is open, and the notes of the person, else of the document.   (PRES-75, PRES-79)
void Reader::settle() {
    for (auto& [presence, says_basic] : tuples_)
        if (!says_basic && presence.show) presence.availability = Availability::available;
    const bool any_open = std::ranges::any_of(tuples_, [](const Tuple& one) { return one.presence.is_available(); });
    for (auto& [presence, says_basic] : tuples_) {
        if (!says_basic && any_open) presence.availability = Availability::available;
        if (!presence.is_available()) presence.show = std::nullopt, presence.priority = std::nullopt;
        if (presence.statuses.empty()) presence.statuses = person_notes_.empty() ? document_notes_ : person_notes_;
        pidf_.presentity.resources.push_back(std::move(presence));
    }
    put_in_order(pidf_.presentity);
    if (cut_statuses(pidf_.presentity)) pidf_.left_out = true;
}

}  // namespace

Result<Pidf> read_pidf(std::string_view document, std::string_view content_language, UtcTime now) {
    auto root = xml::read_document(document, kLimits, xml::Remarks::passed_over);
    // A prefix that nobody declared: to a peer that is no better than a tag that nobody closed.
    if (!root) return fail(root.error().code == Code::unsupported ? Code::malformed : root.error().code, root.error().detail);
    return Reader(content_language, now).read(root.value());
}

}  // namespace stox::presence
