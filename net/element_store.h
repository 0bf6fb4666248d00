#pragma once
// Who said which element, where, until when, and whether it still holds. One store for all sources; nothing overwrites what
// another source or another domain said.

#include "net/change.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace stox::net {

class ElementStore {
public:
    static constexpr std::size_t kMaxOfKind = 1'024;    ///< of one interface
    static constexpr std::size_t kMaxRoutes = 4'096;    ///< likewise
    static constexpr std::size_t kMaxExplicitPvds = 8;  ///< likewise

    struct Held {
        std::string source;
        Home home;
        Element element;
        bool confirmed = true;  ///< false: learnt before its interface went down, and not again since
        bool said = true;       ///< in the dump that runs
    };
    /// Source, interface, explicit domain, kind, identity.
    using Key = std::tuple<std::string, int, std::string, ElementKind, std::string>;
    using Elements = std::map<Key, Held>;

    void apply(std::string_view source, const Change& change, TimePoint now);
    /// Drops what has ended.
    void expire(TimePoint now);

    const Elements& elements() const { return elements_; }
    /// Counts the attachments of all interfaces: another number each time one comes up. 0: it is not up.
    std::uint64_t attachment(int interface) const;
    std::size_t dropped() const { return dropped_; }  ///< for a limit, since the start

private:
    void learn(std::string_view source, const Learnt& learnt, TimePoint now);
    void withdraw(std::string_view source, const Withdrawn& withdrawn);
    void attach(int interface);
    void detach(int interface);
    void forget(int interface);
    bool has_room(const Home& home, ElementKind kind) const;
    Elements::iterator erase(Elements::iterator element);

    Elements elements_;
    std::map<std::pair<int, ElementKind>, std::size_t> counts_;
    std::map<std::pair<int, std::string>, std::size_t> explicit_pvds_;  ///< elements of each
    std::map<int, std::uint64_t> attachments_;
    std::uint64_t last_attachment_ = 0;
    std::size_t dropped_ = 0;
};

}  // namespace stox::net
