#include "plugin/engine/views_text.h"

#include <algorithm>

namespace stox::engine {

namespace {

using Lines = std::vector<std::vector<std::string>>;

/// So many characters; what is no UTF-8 counts as it comes.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string plain(std::string text) {
    for (auto& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return text;
}

Lines cells_of(const Table& table) {
    Lines lines;
    if (table.single) {
        for (const auto& row : table.rows)
            for (std::size_t n = 0; n < row.size(); ++n)
                lines.push_back({std::string(table.columns[n].title) + ':', plain(readable(table.columns[n], row[n]))});
        return lines;
    }
    auto& head = lines.emplace_back();
    for (const auto& column : table.columns) head.emplace_back(column.title);
    for (const auto& row : table.rows) {
        auto& line = lines.emplace_back();
        for (std::size_t n = 0; n < row.size(); ++n) line.push_back(plain(readable(table.columns[n], row[n])));
    }
    return lines;
}

std::vector<std::string> aligned(const Lines& lines) {
    std::vector<std::size_t> widths;
    for (const auto& line : lines)
        for (std::size_t n = 0; n < line.size(); ++n) {
            if (widths.size() == n) widths.push_back(0);
            widths[n] = std::max(widths[n], width(line[n]));
        }
    std::vector<std::string> all;
    for (const auto& line : lines) {
        auto& text = all.emplace_back();
        for (std::size_t n = 0; n < line.size(); ++n) {
            text += line[n];
            if (n + 1 < line.size()) text += std::string(widths[n] - width(line[n]) + 2, ' ');
        }
        text.erase(text.find_last_not_of(' ') + 1);
    }
    return all;
}

}  // namespace

std::string to_text(const std::vector<Table>& tables, std::size_t most) {
    std::string text;
    std::size_t left_out = 0;
    for (const auto& table : tables) {
        if (!text.empty()) text += '\n';
        text += std::string(table.title) + '\n';
        if (table.rows.empty()) {
            text += "  none\n";
            continue;
        }
        for (const auto& line : aligned(cells_of(table))) {
            if (left_out > 0 || text.size() + line.size() > most)
                ++left_out;
            else
                text += "  " + line + '\n';
        }
    }
    if (left_out > 0) text += std::to_string(left_out) + " more lines were left out\n";
    return text;
}

}  // namespace stox::engine
