#pragma once
// Messages of which somebody wants to hear more: which stanza is which imdn.Message-ID, and what is still to be told.
//
// A row lives until everything that was asked for was told, at most for kLongest. Beyond kRows the oldest is forgotten: its
// author hears nothing more, as of a recipient that sends no receipts.

#include "plugin/engine/records.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace stox::engine {

class Receipts {
public:
    static constexpr std::size_t kRows = 20'000;
    static constexpr std::chrono::hours kLongest{7 * 24};

    struct Entry {
        std::string key;  ///< of its record
        ReceiptRow row;
    };
    using Number = std::uint64_t;

    /// The keys of those that had to go for it.
    std::vector<std::string> add(Entry entry);
    /// A message that went to SIP under that imdn.Message-ID.
    std::optional<Number> find_sent(const std::string& imdn_id, const xmpp::Jid& contact) const;
    /// A message that came from SIP and is that stanza.
    std::optional<Number> find_received(const std::string& stanza_id, const xmpp::Jid& user, const xmpp::Jid& contact) const;
    /// Messages between the same two that came from SIP before that one and were not seen yet; the newest first, kOlder at most.
    static constexpr std::size_t kOlder = 20;
    std::vector<Number> unseen_before(Number number) const;

    /// A row as it was before something was told of it: until that is stored, it may have to be told again.
    struct Before {
        Number number;
        Entry entry;
    };
    Before before(Number number) const { return {number, entries_.at(number)}; }
    /// It was not told after all.
    void put_back(Before before);

    Entry& at(Number number) { return entries_.at(number); }
    Entry remove(Number number);
    /// The keys of those older than kLongest, which are gone from here.
    std::vector<std::string> forget_old(UtcTime now);
    /// The keys of all, which are gone from here.
    std::vector<std::string> clear();
    std::size_t size() const { return entries_.size(); }

private:
    void put(Number number, Entry entry);

    std::map<Number, Entry> entries_;
    std::unordered_map<std::string, Number> by_imdn_, by_stanza_;  ///< of what went to SIP; of what came from there
    Number last_ = 0;
};

}  // namespace stox::engine
