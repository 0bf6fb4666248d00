#pragma once
// How much a message takes: on a stream as XML, and in the store as the JSON that its row becomes.
//
// Bounds count what is kept, not what is of use: a stanza is stored whole, padding included.   (contract 6)

#include "plugin/engine/records.h"

#include <cstddef>

namespace stox::engine {

struct RowSize {
    std::size_t stanza = 0;  ///< octets of XML; of an OutboxRow with its error
    std::size_t row = 0;     ///< octets in the store: never less than there will be, and little more
};

/// Of the chat state that a stanza gets when its author was writing: added after a row was measured, and so counted with it.
constexpr std::size_t kChatStateOctets = 80;

/// More than kMaxRowOctets as `row`: no store takes it, and its exact size was not worth finding out.
RowSize size_of(const InboxRow& row);
RowSize size_of(const OutboxRow& row);
RowSize size_of(const ReceiptRow& row);
RowSize size_of(const ContactRow& row);
RowSize size_of(const WatcherRow& row);
RowSize size_of(const RecordValue& value);

}  // namespace stox::engine
