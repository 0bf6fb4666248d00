#include "mapping/xmpp/data_form.h"

#include "mapping/xmpp/namespaces.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace stox::xmpp {

namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, 4> kFormTypes{"form", "submit", "cancel", "result"};
constexpr std::array<std::string_view, 10> kFieldTypes{"boolean",    "fixed",       "hidden",     "jid-multi",    "jid-single",
                                                       "list-multi", "list-single", "text-multi", "text-private", "text-single"};

template <std::size_t N>
std::optional<std::size_t> index_of(const std::array<std::string_view, N>& names, std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
}

std::string text_of(const std::string* text) { return text ? *text : std::string(); }

template <class Visit>
Result<void> each_child(const xml::Element& element, std::string_view name, Visit visit) {
    for (const auto& node : element.children) {
        const auto* child = std::get_if<xml::Element>(&node);
        if (!child || !child->is(ns::kDataForms, name)) continue;
        BOOST_OUTCOME_TRYV(visit(*child));
    }
    return ok();
}

Result<FormOption> decode_option(const xml::Element& element) {
    const auto* value = element.child(ns::kDataForms, "value");
    if (!value) return fail(Code::malformed, "an option without a value");
    return FormOption{text_of(element.attribute("label")), value->text()};
}

Result<FormField> decode_field(const xml::Element& element) {
    FormField field;
    field.var = text_of(element.attribute("var"));
    field.label = text_of(element.attribute("label"));
    field.required = element.child(ns::kDataForms, "required") != nullptr;
    if (const auto* type = element.attribute("type"))
        field.type = static_cast<FieldType>(index_of(kFieldTypes, *type).value_or(kFieldTypes.size() - 1));
    if (field.var.empty() && field.type != FieldType::fixed) return fail(Code::malformed, "a field without a name");
    std::size_t octets = field.var.size() + field.label.size();
    BOOST_OUTCOME_TRYV(each_child(element, "value", [&](const xml::Element& child) -> Result<void> {
        field.values.push_back(child.text());
        octets += field.values.back().size();
        return ok();
    }));
    BOOST_OUTCOME_TRYV(each_child(element, "option", [&](const xml::Element& child) -> Result<void> {
        BOOST_OUTCOME_TRY(option, decode_option(child));
        octets += option.label.size() + option.value.size();
        field.options.push_back(std::move(option));
        return ok();
    }));
    if (octets > DataForm::kMaxOctets) return fail(Code::too_large, "a field that is too long");
    return field;
}

Result<std::vector<FormField>> decode_fields(const xml::Element& element) {
    std::vector<FormField> fields;
    std::set<std::string> names;
    BOOST_OUTCOME_TRYV(each_child(element, "field", [&](const xml::Element& child) -> Result<void> {
        if (fields.size() == DataForm::kMaxFields) return fail(Code::too_large, "too many fields");
        BOOST_OUTCOME_TRY(field, decode_field(child));
        if (!field.var.empty() && !names.insert(field.var).second) return fail(Code::malformed, "two fields of one name");
        fields.push_back(std::move(field));
        return ok();
    }));
    return fields;
}

xml::Element form_element(std::string_view name) { return {std::string(ns::kDataForms), std::string(name)}; }

void add_text(xml::Element& to, std::string_view name, std::string_view text) { to.add(form_element(name)).add_text(text); }

void add_field(xml::Element& to, const FormField& field) {
    auto& element = to.add(form_element("field"));
    if (!field.var.empty()) element.set("var", field.var);
    if (field.type) element.set("type", kFieldTypes[static_cast<std::size_t>(*field.type)]);
    if (!field.label.empty()) element.set("label", field.label);
    if (field.required) element.add(form_element("required"));
    for (const auto& value : field.values) add_text(element, "value", value);
    for (const auto& option : field.options) {
        auto& added = element.add(form_element("option"));
        if (!option.label.empty()) added.set("label", option.label);
        add_text(added, "value", option.value);
    }
}

}  // namespace

const std::string* DataForm::value(std::string_view var) const {
    const auto found = std::ranges::find(fields, var, &FormField::var);
    return found == fields.end() || found->values.empty() ? nullptr : &found->values.front();
}

DataForm& DataForm::set_form_type(std::string_view form_type) {
    FormField field;
    field.var = kFormType;
    field.type = FieldType::hidden;
    field.values = {std::string(form_type)};
    fields.insert(fields.begin(), std::move(field));
    return *this;
}

Result<DataForm> decode_data_form(const xml::Element& element) {
    if (!element.is(ns::kDataForms, "x")) return fail(Code::malformed, "no data form");
    const auto type = index_of(kFormTypes, text_of(element.attribute("type")));
    if (!type) return fail(Code::malformed, "a data form of unknown type");
    DataForm form;
    form.type = static_cast<FormType>(*type);
    if (const auto* title = element.child(ns::kDataForms, "title")) form.title = title->text();
    BOOST_OUTCOME_TRYV(each_child(element, "instructions", [&](const xml::Element& child) -> Result<void> {
        form.instructions.push_back(child.text());
        return ok();
    }));
    BOOST_OUTCOME_TRY(fields, decode_fields(element));
    form.fields = std::move(fields);
    if (const auto* reported = element.child(ns::kDataForms, "reported")) {
        BOOST_OUTCOME_TRY(columns, decode_fields(*reported));
        form.reported = std::move(columns);
    }
    BOOST_OUTCOME_TRYV(each_child(element, "item", [&](const xml::Element& child) -> Result<void> {
        if (form.items.size() == DataForm::kMaxItems) return fail(Code::too_large, "too many items");
        BOOST_OUTCOME_TRY(item, decode_fields(child));
        form.items.push_back(std::move(item));
        return ok();
    }));
    return form;
}

xml::Element encode(const DataForm& form) {
    auto element = form_element("x");
    element.set("type", kFormTypes[static_cast<std::size_t>(form.type)]);
    if (!form.title.empty()) add_text(element, "title", form.title);
    for (const auto& line : form.instructions) add_text(element, "instructions", line);
    for (const auto& field : form.fields) add_field(element, field);
    if (!form.reported.empty()) {
        auto& reported = element.add(form_element("reported"));
        for (const auto& column : form.reported) add_field(reported, column);
    }
    for (const auto& row : form.items) {
        auto& item = element.add(form_element("item"));
        for (const auto& field : row) add_field(item, field);
    }
    return element;
}

}  // namespace stox::xmpp
