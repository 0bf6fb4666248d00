// Any octets as dialog information. What is read is bounded; a table takes it whatever it held before, in any order.

#include "mapping/core/assert.h"
#include "mapping/presence/dialog_info.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stox::presence;
    const std::string_view octets(reinterpret_cast<const char*>(data), size);
    const auto half = octets.substr(0, octets.find('\0'));
    DialogList list;
    list.take({0, true, {}, {{"before", DialogState::confirmed}}});
    for (const auto document : {half, octets.substr(std::min(half.size() + 1, octets.size()))}) {
        const auto info = read_dialog_info(document);
        if (!info) continue;
        STOX_ASSERT(info.value().dialogs.size() <= kMaxDialogs);
        for (const auto& dialog : info.value().dialogs)
            STOX_ASSERT(!dialog.id.empty() && dialog.id.size() <= kMaxDialogId_octets);
        const auto outcome = list.take(info.value());
        STOX_ASSERT(list.size() <= kMaxDialogs);
        STOX_ASSERT(outcome != DialogList::Outcome::taken_with_gap || !info.value().is_full);
        // A whole state, or the same once more, is all there is to know.
        if (info.value().is_full)
            STOX_ASSERT(outcome == DialogList::Outcome::stale || list.size() <= info.value().dialogs.size());
        const bool before = list.is_on_the_phone();
        list.take(info.value());
        STOX_ASSERT(list.is_on_the_phone() == before && list.show().has_value() == before);
    }
    return 0;
}
