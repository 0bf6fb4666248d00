#pragma once
// Tables as a data form of type result.   (XEP-0004 §3.4)

#include "mapping/xmpp/data_form.h"
#include "plugin/engine/views.h"

#include <cstddef>
#include <vector>

namespace stox::engine {

/// Octets of cells and of what stands around them; with the envelope it is far below what one stanza may have.
inline constexpr std::size_t kMostForm = 200'000;

struct TableForm {
    xmpp::DataForm form;
    std::size_t left_out = 0;  ///< rows that had no room
};

/// One table becomes columns and items; one with a single row by nature, fields. Of several, a form has room for one table only,
/// and clients that show more than one form are rare: each becomes a field of lines that people can read.
TableForm to_form(const std::vector<Table>& tables, std::size_t most = kMostForm);

}  // namespace stox::engine
