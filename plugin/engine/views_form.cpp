#include "plugin/engine/views_form.h"

#include "plugin/engine/views_text.h"

namespace stox::engine {

namespace {

using xmpp::FieldType, xmpp::FormField;

/// Octets of the markup around one cell, at most.
constexpr std::size_t kAround = 64;

FormField field_of(const Column& column, std::vector<std::string> values = {}) {
    FormField field;
    field.var = column.name;
    field.type = column.kind == ColumnKind::flag ? FieldType::boolean : FieldType::text_single;
    field.label = column.title;
    field.values = std::move(values);
    return field;
}

/// As the standard writes a boolean; everything else as people read it.
std::string value_of(const Column& column, const Cell& cell) {
    if (const auto* flag = std::get_if<bool>(&cell)) return *flag ? "1" : "0";
    return readable(column, cell);
}

void add_fields(const Table& table, TableForm& to) {
    for (const auto& row : table.rows)
        for (std::size_t n = 0; n < row.size(); ++n)
            to.form.fields.push_back(field_of(table.columns[n], {value_of(table.columns[n], row[n])}));
}

void add_items(const Table& table, std::size_t most, TableForm& to) {
    for (const auto& column : table.columns) to.form.reported.push_back(field_of(column));
    std::size_t octets = 0;
    for (const auto& row : table.rows) {
        std::vector<FormField> item;
        for (std::size_t n = 0; n < row.size(); ++n) {
            FormField field;
            field.var = table.columns[n].name;
            field.values = {value_of(table.columns[n], row[n])};
            octets +=
                field.var.size() + field.values.front().size() * 6 + kAround;  // an escaped character has six octets at most
            item.push_back(std::move(field));
        }
        if (octets > most)
            ++to.left_out;
        else
            to.form.items.push_back(std::move(item));
    }
}

void add_lines(const Table& table, std::size_t most, TableForm& to) {
    FormField field;
    field.var = table.name;
    field.type = FieldType::text_multi;
    field.label = table.title;
    auto text = to_text({table}, most);
    text.erase(0, text.find('\n') + 1);  // the title is the label
    for (std::size_t end; (end = text.find('\n')) != text.npos; text.erase(0, end + 1))
        field.values.push_back(text.substr(0, end));
    to.form.fields.push_back(std::move(field));
}

}  // namespace

TableForm to_form(const std::vector<Table>& tables, std::size_t most) {
    TableForm made;
    made.form.type = xmpp::FormType::result;
    for (const auto& table : tables) {
        if (table.single)
            add_fields(table, made);
        else if (tables.size() == 1)
            add_items(table, most, made);
        else
            add_lines(table, most / tables.size() / 6, made);
    }
    return made;
}

}  // namespace stox::engine
