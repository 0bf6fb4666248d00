#pragma once
// The tables of docs/spec as rows of text, so that tests drive what is written there and not a copy of it.

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace stox::test {

/// One row of a markdown table: the text of its cells, trimmed, backticks of code spans removed, and "(pipe)",
/// "(backtick)" and "(space)" replaced by what they stand for.
struct SpecRow {
    std::vector<std::string> cells;
    int line = 0;  ///< in the file, for messages

    friend void PrintTo(const SpecRow& row, std::ostream* out) { *out << row.cells.front() << ", line " << row.line; }
};

/// The rows, without head, of the first table under the first heading of docs/spec/<file> that starts with `heading`
/// after its '#' marks ("1.4 "). Throws when there is none, so that a renamed heading fails the test.
std::vector<SpecRow> spec_table(const std::string& file, std::string_view heading);

}  // namespace stox::test
