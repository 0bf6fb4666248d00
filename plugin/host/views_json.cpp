#include "plugin/host/views_json.h"

#include "plugin/host/room.h"

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

/// Untrusted octets may stand in a cell.
std::string dump(const ordered_json& value) { return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

ordered_json rows_of(const engine::Table& table, Room& room) {
    if (table.single) return table.rows.empty() ? ordered_json() : row_of(table, table.rows.front());
    auto rows = ordered_json::array();
    for (const auto& row : table.rows)
        if (auto one = row_of(table, row); room.takes(dump(one).size() + 1)) rows.push_back(std::move(one));
    return rows;
}

}  // namespace

std::string to_json(const engine::AdminOutcome& outcome, std::size_t most) {
    auto object = ordered_json::object();
    if (!outcome.done)
        object["error"] = outcome.note;
    else if (!outcome.note.empty())
        object["note"] = outcome.note;
    Room room(most);
    for (const auto& table : outcome.tables) object[std::string(table.name)] = rows_of(table, room);
    if (room.left_out() > 0) object["left_out"] = room.left_out();
    return dump(object);
}

}  // namespace stox::host
