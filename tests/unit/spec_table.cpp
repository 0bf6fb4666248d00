#include "tests/unit/spec_table.h"

#include <fstream>
#include <stdexcept>

namespace stox::test {

namespace {

std::string trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

std::string cell_text(std::string_view raw) {
    auto text = trimmed(raw);
    std::erase(text, '`');
    replace_all(text, "(pipe)", "|");
    replace_all(text, "(backtick)", "`");
    replace_all(text, "(space)", " ");
    return text;
}

SpecRow row_of(std::string_view text, int line) {
    SpecRow row{{}, line};
    text.remove_prefix(1);
    for (auto bar = text.find('|'); bar != std::string_view::npos; bar = text.find('|')) {
        row.cells.push_back(cell_text(text.substr(0, bar)));
        text.remove_prefix(bar + 1);
    }
    return row;
}

bool is_heading(std::string_view text, std::string_view heading) {
    const auto mark = text.find_first_not_of('#');
    return text.starts_with('#') && mark != std::string_view::npos && trimmed(text.substr(mark)).starts_with(heading);
}

}  // namespace

std::vector<SpecRow> spec_table(const std::string& file, std::string_view heading) {
    const auto path = std::string(STOX_SPEC_DIR) + '/' + file;
    std::ifstream in(path);
    std::vector<SpecRow> rows;
    bool under_heading = false;
    std::string text;
    for (int line = 1; std::getline(in, text); ++line) {
        if (!under_heading) {
            under_heading = is_heading(text, heading);
            continue;
        }
        if (text.starts_with('|'))
            rows.push_back(row_of(text, line));
        else if (!rows.empty() || text.starts_with('#'))
            break;
    }
    if (rows.size() < 3) throw std::runtime_error(path + ": no table under " + std::string(heading));
    rows.erase(rows.begin(), rows.begin() + 2);  // the head and its rule
    return rows;
}

}  // namespace stox::test
