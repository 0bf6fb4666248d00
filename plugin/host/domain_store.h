#pragma once
// The store as one domain sees it: its rows as values, its commits answered.

#include "plugin/engine/engine.h"
#include "plugin/host/store/store.h"
#include "plugin/host/taken_stanzas.h"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stox::host {

/// On the loop's thread; answers come there, never from inside a call, and none once it is destroyed. What was given to commit()
/// is written all the same.
class DomainStore {
public:
    struct Loaded {
        std::vector<engine::Record> records;  ///< of each collection the longest-standing first
        std::size_t unreadable = 0;           ///< left where they are
        bool whole = true;                    ///< see store::Store::is_whole
        std::string why;                      ///< the first of them is
        std::optional<StreamMark> taken;      ///< what was written last with a commit
    };

    DomainStore(boost::asio::io_context& loop, store::Store& store, std::string domain);
    ~DomainStore();
    DomainStore(const DomainStore&) = delete;
    DomainStore& operator=(const DomainStore&) = delete;

    /// errors  those of store::Store::load_all
    void load(std::function<void(Result<Loaded>)> loaded);
    /// All or nothing, after all that was given before. taken: written with it, in the place of the one before.
    void commit(std::vector<engine::RecordChange> changes, store::Durability durability, std::function<void(Result<void>)> done,
                const std::optional<StreamMark>& taken = std::nullopt);

    /// The domain is gone for good: nothing is left that a stream's number could be wanted for.
    void forget_taken();

private:
    struct Load;
    void load_next(std::shared_ptr<Load> load);
    void read_on(std::shared_ptr<Load> load);
    void load_taken(std::shared_ptr<Load> load);
    std::string taken_collection() const { return "taken/" + domain_; }
    Result<std::vector<store::Change>> encode(std::vector<engine::RecordChange> changes, store::Durability durability) const;

    boost::asio::io_context& loop_;
    store::Store& store_;
    std::string domain_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// What an engine is told of that. Nothing that is missing in it is taken for erased unless every row was read.
/// loaded  an error also where no store could be opened
engine::Restored restored_from(Result<DomainStore::Loaded> loaded, UtcTime read);

}  // namespace stox::host
