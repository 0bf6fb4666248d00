#pragma once
// Data forms (XEP-0004) as values: what is asked, what was filled in, and tables of results.

#include "mapping/core/result.h"
#include "mapping/xml/element.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stox::xmpp {

enum class FormType { form, submit, cancel, result };

enum class FieldType {
    boolean,
    fixed,
    hidden,
    jid_multi,
    jid_single,
    list_multi,
    list_single,
    text_multi,
    text_private,
    text_single,
};

struct FormOption {
    std::string label;  ///< may be empty
    std::string value;

    friend bool operator==(const FormOption&, const FormOption&) = default;
};

struct FormField {
    std::string var;                ///< may be empty for fixed alone
    std::optional<FieldType> type;  ///< absent in a submission, and in the items of a table
    std::string label;              ///< for people; may be empty
    bool required = false;
    std::vector<std::string> values;  ///< one, but for the types named multi and for fixed
    std::vector<FormOption> options;  ///< of list_single and list_multi

    friend bool operator==(const FormField&, const FormField&) = default;
};

struct DataForm {
    static constexpr std::size_t kMaxFields = 256;              ///< of a form that is read, and of one item
    static constexpr std::size_t kMaxItems = 4'096;             ///< of a table that is read
    static constexpr std::size_t kMaxOctets = 65'536;           ///< of the values of one field that is read
    static constexpr std::string_view kFormType = "FORM_TYPE";  ///< XEP-0068

    FormType type = FormType::form;
    std::string title;
    std::vector<std::string> instructions;
    std::vector<FormField> fields;
    std::vector<FormField> reported;            ///< the columns of a table of results
    std::vector<std::vector<FormField>> items;  ///< its rows

    /// The first value of that field, or null when it is not there or has none.
    const std::string* value(std::string_view var) const;
    /// Adds the hidden field that says what the fields mean.   (XEP-0068)
    DataForm& set_form_type(std::string_view form_type);

    friend bool operator==(const DataForm&, const DataForm&) = default;
};

/// errors  malformed: no form, an unknown type of form, a field other than fixed without a name, an option without a value,
///         two fields of one name; too_large: over one of the limits. A field of unknown type is text_single (XEP-0004 §3.3).
Result<DataForm> decode_data_form(const xml::Element& element);

xml::Element encode(const DataForm& form);

}  // namespace stox::xmpp
