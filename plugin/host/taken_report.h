#pragma once
// What a module is told of the stanzas that need no copy any more, and what of that is stored: not once for each stanza.

#include "plugin/engine/engine.h"
#include "plugin/host/taken_stanzas.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stox::host {

class TakenReport {
public:
    /// Empty: nobody keeps copies.
    using Tell = std::function<void(const StreamMark&)>;

    TakenReport(boost::asio::io_context& loop, Tell tell);
    ~TakenReport() { *alive_ = false; }
    TakenReport(const TakenReport&) = delete;
    TakenReport& operator=(const TakenReport&) = delete;

    /// What the worker before us had stored of the stream before.
    void stored(const StreamMark& mark) { say(mark); }
    void begin(std::string stream);
    /// The stream is lost or closed.
    ///   whole  what was read is ours, whatever becomes of it; else what the store has not answered may be lost with us
    void end(bool whole);

    /// One comes, and the engine has it until handled().
    void came() { taken_.came(); }
    void handled();
    /// What the engine wants done about it.
    void wants(const std::vector<engine::Action>& actions);
    /// How much of the stream is to be stored with that commit; nothing: not all of the stanza in hand is in it.
    std::optional<StreamMark> commits(engine::CommitId commit);
    void committed(engine::CommitId commit);

private:
    void say_soon();
    void say(const StreamMark& mark);

    Tell tell_;
    TakenStanzas taken_;
    std::optional<StreamMark> told_;
    std::optional<engine::CommitId> last_;  ///< of the stanza in hand: with it all of that is stored
    boost::asio::steady_timer timer_;
    bool soon_ = false, open_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace stox::host
