#pragma once
// One domain in the worker: its Engine, its component stream, its timer. Feeds the engine and performs what it returns.

#include "plugin/config/options.h"
#include "plugin/engine/engine.h"
#include "plugin/host/component_link.h"
#include "plugin/host/control_lines.h"
#include "plugin/host/domain_store.h"
#include "plugin/host/response_counts.h"
#include "plugin/host/taken_report.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stox::host {

class DomainHost : public std::enable_shared_from_this<DomainHost> {
public:
    /// What a domain needs from the worker around it. `sent` is called once for each request, with its outcome.
    struct Services {
        std::function<void(std::uint64_t transaction, sip::Response)> respond;
        std::function<void(const engine::SendSip&, std::function<void(sip::Response&&, engine::LocalFailure)> sent)> send;
        /// Answered once, never from inside the call.
        std::function<void(config::NextHop, std::function<void(std::vector<engine::Target>, std::string error)> located)> locate;
        /// A connection is needed, or no longer.
        std::function<void(engine::Flow)> hold, release;
        /// A source that is to be banned when there are more like this.
        std::function<void(const Address&, Transport)> refused;
        std::function<void(engine::Level, std::string text)> log;
        std::function<bool()> wants_details;  ///< whether a line of Level::debug is of use to anybody
        std::function<void(std::string text)> audit;
        /// The same about a stranger who sent from there: not every line is to be written.
        std::function<void(engine::Level, const Address& source, std::string text)> log_stranger;
        std::function<void(bool up, std::string reason)> link;
        /// So much of a stream needs no copy any more; empty: nobody keeps copies.
        std::function<void(const StreamMark&)> taken;
        /// Answered once at most, never from inside the call.
        std::function<void(engine::Authorize, std::function<void(bool allowed)> answered)> authorize;
        std::function<void(engine::Administer, std::function<void(engine::AdminOutcome)> done)> administer;
    };

    DomainHost(boost::asio::io_context& loop, config::DomainOptions options, engine::Secrets secrets, Services services);

    /// The component stream is opened after use().
    void start(config::Attachment attachment);
    /// What the store holds of this domain is read, then the stream is opened. Null: none can be had for now, so no message is
    /// accepted; everything else goes on, and a later call may bring one.
    void use(store::Store* store);
    /// Of what is accepted from now on.
    void set_durability(store::Durability durability) { durability_ = durability; }
    /// Secrets may have changed where no option did.
    void change(config::DomainOptions options, engine::Secrets secrets, config::Attachment attachment);
    /// The same domain at another socket, or with another secret.
    void attach(config::Attachment attachment);
    bool is_attached_to(const config::Attachment& attachment) const { return up_ && attachment_ == attachment; }
    void on_sip(engine::SipRequestIn in);
    /// Where the worker is reached by SIP.
    void set_addresses(std::vector<sip::OwnAddress> addresses) { drive(engine::OwnAddresses{std::move(addresses)}); }
    /// The user of Contacts of this domain.
    const std::string& contact_token() const { return engine_.contact_token(); }
    /// Lets what is on its way come to its end for a moment, closes the stream, then calls done.
    void stop(engine::Shutdown::Why why, std::function<void()> done);

    const config::DomainOptions& options() const { return options_; }
    DomainStatus status() const;
    engine::DomainRow row() const;
    std::vector<engine::TrafficRow> traffic() const { return engine_.traffic_rows(); }
    std::vector<engine::ResponseRow> responses() const { return responses_.rows(options_.domain); }
    std::chrono::steady_clock::duration unattached_for() const;
    /// Orders whose command is `of_engine`.
    engine::AdminOutcome administer(const engine::AdminOrder& order);

private:
    /// False: the engine has a fault; what it was given is lost.
    bool drive(engine::Input&& input);
    void perform(const engine::SendStanza& action);
    void perform(engine::RespondSip action);
    void perform(const engine::SendSip& action);
    void perform(engine::HoldFlow action);
    void perform(engine::ReleaseFlow action);
    void perform(engine::Locate action);
    void perform(engine::Commit action);
    void perform(engine::Refused action);
    void perform(engine::Authorize action);
    void perform(engine::Administer action);
    void perform(engine::Log action);
    void arm();
    void timer_over();
    void restored(Result<DomainStore::Loaded> loaded);
    void open_link();
    void committed(engine::CommitId commit, Result<void> result);
    void close_if_drained();
    void close();
    void link_changed(bool up, std::string reason);
    void on_stanza(engine::Input&& stanza);

    boost::asio::io_context& loop_;
    config::DomainOptions options_;
    Services services_;
    engine::Engine engine_;
    boost::asio::steady_timer timer_;
    std::optional<std::chrono::steady_clock::time_point> armed_;  ///< when it ends
    config::Attachment attachment_;
    std::unique_ptr<DomainStore> store_;
    bool has_store_ = false;  ///< what it held is the engine's now
    store::Durability durability_ = store::Durability::full;
    std::size_t commits_due_ = 0;
    bool store_failing_ = false;  ///< the last commit found no room or no disk
    std::vector<engine::SipRequestIn> early_;  ///< came before what the store holds was known
    std::set<engine::Flow> held_;  ///< by the engine
    std::unique_ptr<ComponentLink> link_;
    TakenReport taken_;
    std::function<void()> stopped_;  ///< whom the end is told to
    bool stopping_ = false, closing_ = false, for_good_ = false;
    boost::asio::steady_timer drain_limit_;
    bool up_ = false;
    ResponseCounts responses_;
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
    std::string last_reason_;  ///< of the attempts that failed; the same one is told once
};

}  // namespace stox::host
