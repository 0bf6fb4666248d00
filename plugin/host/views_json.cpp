#include "plugin/host/views_json.h"

#include <nlohmann/json.hpp>

namespace stox::host {

using nlohmann::ordered_json;

namespace {

ordered_json row_of(const engine::Table& table, const std::vector<engine::Cell>& row) {
    auto object = ordered_json::object();
    for (std::size_t n = 0; n < row.size(); ++n)
        object[std::string(table.columns[n].name)] = std::visit([](const auto& value) { return ordered_json(value); }, row[n]);
    return object;
}

ordered_json rows_of(const engine::Table& table) {
    if (table.single) return table.rows.empty() ? ordered_json() : row_of(table, table.rows.front());
    auto rows = ordered_json::array();
    for (const auto& row : table.rows) rows.push_back(row_of(table, row));
    return rows;
}

}  // namespace

std::string to_json(const engine::AdminOutcome& outcome) {
    auto object = ordered_json::object();
    if (!outcome.done)
        object["error"] = outcome.note;
    else if (!outcome.note.empty())
        object["note"] = outcome.note;
    for (const auto& table : outcome.tables) object[std::string(table.name)] = rows_of(table);
    // Untrusted octets may stand in a cell.
    return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace stox::host
