#include "plugin/host/domain_host.h"

#include "mapping/core/assert.h"
#include "plugin/host/random.h"

#include <boost/asio/post.hpp>

#include <utility>

namespace stox::host {

using std::chrono::steady_clock;

namespace {

/// For a disk that does not answer; the engine itself is done before. The module waits 3 s for all of us.
constexpr std::chrono::milliseconds kDrainLimit{1'900};
constexpr std::chrono::milliseconds kLastWords{1'000};  ///< until the server confirms what its users were told at the very end
constexpr std::size_t kMaxEarly = 1'024;

UtcTime utc_now() { return std::chrono::time_point_cast<UtcTime::duration>(UtcTime::clock::now()); }

}  // namespace

DomainHost::DomainHost(boost::asio::io_context& loop, config::DomainOptions options, engine::Secrets secrets, Services services)
    : loop_(loop),
      options_(options),
      services_(std::move(services)),
      engine_(std::move(options), kernel_ids(), std::move(secrets)),
      timer_(loop),
      taken_(loop, services_.taken),
      drain_limit_(loop) {}

void DomainHost::start(config::Attachment attachment) {
    attachment_ = std::move(attachment);
    arm();
}

void DomainHost::use(store::Store* store) {
    if (stopping_ || store_) return;
    if (!store && !link_) drive(restored_from(fail(Code::unavailable, "there is no store"), utc_now()));
    if (!store) return open_link();
    store_ = std::make_unique<DomainStore>(loop_, *store, options_.domain);
    store_->load([this](Result<DomainStore::Loaded> loaded) { restored(std::move(loaded)); });
}

void DomainHost::restored(Result<DomainStore::Loaded> loaded) {
    if (loaded) {
        const auto& [records, unreadable, whole, why, taken] = loaded.value();
        if (unreadable != 0)
            services_.log(engine::Level::error, std::to_string(unreadable) + " rows of the store cannot be read and are left there: " +
                                                    engine::logfmt(why));
        has_store_ = true;
        if (taken) taken_.stored(*taken);
    } else {
        services_.log(engine::Level::error, "no message is accepted, for the store cannot be read: " + loaded.error().detail +
                                                "; see to the disk, then reload the configuration");
        boost::asio::post(loop_, [store = std::shared_ptr<DomainStore>(std::move(store_))] {});  // it is the one that calls
    }
    if (!stopping_) drive(restored_from(std::move(loaded), utc_now()));
    open_link();
}

void DomainHost::open_link() {
    if (link_ || stopping_) return;
    ComponentLink::Events events;
    events.up = [this](std::string stream) {
        taken_.begin(std::move(stream));
        link_changed(true, {});
    };
    events.down = [this](std::string reason) { link_changed(false, std::move(reason)); };
    events.stanza = [this](xmpp::Stanza&& stanza) { on_stanza(engine::StanzaIn{std::move(stanza), utc_now()}); };
    events.unreadable = [this](xmpp::Stanza envelope, Error why) {
        on_stanza(engine::UnreadableStanzaIn{std::move(envelope), std::move(why)});
    };
    events.nameless = [this](std::string why) {
        taken_.came();
        taken_.handled();
        services_.log(engine::Level::warn, "stanza refused reason=" + engine::logfmt(why));
    };
    events.refused = [this](std::string why) {
        services_.log(engine::Level::warn, "stanza refused reason=" + engine::logfmt(why));
    };
    link_ = std::make_unique<ComponentLink>(loop_, options_.domain, attachment_, std::move(events));
    link_->set_language(options_.language);
    link_->pause(!engine_.takes_stanzas());
    for (auto& request : std::exchange(early_, {})) on_sip(std::move(request));
}

void DomainHost::change(config::DomainOptions options, engine::Secrets secrets, config::Attachment attachment) {
    attach(std::move(attachment));
    if (link_) link_->set_language(options.language);
    options_ = options;
    drive(engine::OptionsChanged{std::move(options), std::move(secrets)});
}

void DomainHost::attach(config::Attachment attachment) {
    attachment_ = attachment;
    if (link_) link_->attach(std::move(attachment));
}

void DomainHost::link_changed(bool up, std::string reason) {
    const bool was_up = std::exchange(up_, up);
    if (up != was_up) since_ = steady_clock::now();
    if (up) {
        last_reason_.clear();
        services_.link(true, {});
        drive(engine::StreamUp{});
        return;
    }
    if (was_up || reason != last_reason_) services_.link(false, reason);
    last_reason_ = std::move(reason);
    if (!was_up) return;
    taken_.end(true);  // we live
    drive(engine::StreamDown{});
}

void DomainHost::on_stanza(engine::Input&& stanza) {
    taken_.came();
    drive(std::move(stanza));
    taken_.handled();
}

void DomainHost::on_sip(engine::SipRequestIn in) {
    // What the store holds comes first: a request may be the copy of one that is accepted already.
    if (!link_ && !stopping_ && early_.size() < kMaxEarly) return early_.push_back(std::move(in));
    in.congested = !link_ || link_->congested();
    const auto transaction = static_cast<std::uint64_t>(in.transaction);
    in.received = utc_now();
    if (drive(std::move(in))) return;
    sip::Response response;
    response.status = 500;
    services_.respond(transaction, std::move(response));
}

bool DomainHost::drive(engine::Input&& input) {
    std::vector<engine::Action> actions;
    engine_.log_details(services_.wants_details());
    try {
        actions = engine_.handle(std::move(input), steady_clock::now());
    } catch (const Bug& bug) {
        services_.log(engine::Level::error, std::string("internal error, please report it: ") + bug.what());
        return false;
    }
    taken_.wants(actions);
    for (auto& action : actions) std::visit([this](auto& one) { perform(std::move(one)); }, action);
    arm();
    if (link_) link_->pause(!engine_.takes_stanzas());
    close_if_drained();
    return true;
}

void DomainHost::perform(const engine::SendStanza& action) {
    if (link_) link_->send(action.stanza);
}

void DomainHost::perform(engine::RespondSip action) {
    responses_.sent(action.response);
    services_.respond(static_cast<std::uint64_t>(action.transaction), std::move(action.response));
}

void DomainHost::perform(const engine::SendSip& action) {
    auto sent = [weak = weak_from_this(), transaction = action.transaction](sip::Response&& response,
                                                                            engine::LocalFailure local) {
        auto self = weak.lock();
        if (!self) return;
        self->responses_.received(response, local);
        self->drive(engine::SipResponseIn{transaction, std::move(response), local});
    };
    services_.send(action, std::move(sent));
}

void DomainHost::perform(engine::HoldFlow action) {
    if (held_.insert(action.flow).second) services_.hold(action.flow);
}

void DomainHost::perform(engine::ReleaseFlow action) {
    if (held_.erase(action.flow) > 0) services_.release(action.flow);
}

void DomainHost::perform(engine::Locate action) {
    services_.locate(std::move(action.hop), [weak = weak_from_this(), location = action.location](
                                                std::vector<engine::Target> targets, std::string error) {
        if (auto self = weak.lock()) self->drive(engine::Located{location, std::move(targets), std::move(error)});
    });
}

void DomainHost::perform(engine::Commit action) {
    ++commits_due_;
    const auto mark = taken_.commits(action.commit);
    auto done = [weak = weak_from_this(), commit = action.commit](Result<void> result) {
        if (auto self = weak.lock()) self->committed(commit, std::move(result));
    };
    if (has_store_) return store_->commit(std::move(action.changes), durability_, std::move(done), mark);
    boost::asio::post(loop_, [done = std::move(done)] { done(fail(Code::unavailable, "there is no store")); });
}

void DomainHost::committed(engine::CommitId commit, Result<void> result) {
    --commits_due_;
    store_failing_ = !result && result.error().code == Code::unavailable;
    drive(engine::Committed{commit, std::move(result)});
    taken_.committed(commit);
}

void DomainHost::perform(engine::Refused action) { services_.refused(action.source, action.transport); }

void DomainHost::perform(engine::Authorize action) {
    services_.authorize(action, [weak = weak_from_this(), id = action.id](bool allowed) {
        if (auto self = weak.lock()) self->drive(engine::Authorized{id, allowed});
    });
}

void DomainHost::perform(engine::Administer action) {
    const auto id = action.id;
    services_.administer(std::move(action), [weak = weak_from_this(), id](engine::AdminOutcome outcome) {
        if (auto self = weak.lock()) self->drive(engine::Administered{id, std::move(outcome)});
    });
}

engine::AdminOutcome DomainHost::administer(const engine::AdminOrder& order) {
    try {
        auto outcome = engine_.administer(order);
        arm();  // what it asks for is done with the next tick
        return outcome;
    } catch (const Bug& bug) {
        services_.log(engine::Level::error, std::string("internal error, please report it: ") + bug.what());
        return {false, "An internal error; the log has it.", {}};
    }
}

engine::DomainRow DomainHost::row() const {
    auto row = engine_.domain_row();
    const auto since = std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - since_);
    row.since_seconds = static_cast<std::uint64_t>(since.count());
    row.store_failing = store_failing_;
    return row;
}

steady_clock::duration DomainHost::unattached_for() const { return up_ ? steady_clock::duration::zero() : steady_clock::now() - since_; }

void DomainHost::perform(engine::Log action) {
    std::string text;
    if (action.trace.bits != 0) text += "t=" + action.trace.to_string() + ' ';
    if (!action.peer.empty()) text += "peer=" + engine::logfmt(action.peer) + ' ';
    text += action.text;
    if (action.audit)
        services_.audit(std::move(text));
    else if (action.stranger)
        services_.log_stranger(action.level, *action.stranger, std::move(text));
    else
        services_.log(action.level, std::move(text));
}

void DomainHost::arm() {
    const auto due = closing_ ? std::nullopt : engine_.next_timeout();
    if (!due) {
        armed_.reset();
        timer_.cancel();
        return;
    }
    // Every message moves what is due; a timer that ends too early now and then costs less than one moved each time.
    if (armed_ && *armed_ <= *due) return;
    armed_ = due;
    timer_.expires_at(*due);
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        auto self = weak.lock();
        if (!error && self) self->timer_over();
    });
}

void DomainHost::timer_over() {
    armed_.reset();
    const auto due = engine_.next_timeout();
    if (due && *due <= steady_clock::now())
        drive(engine::Tick{});
    else
        arm();
}

void DomainHost::stop(engine::Shutdown::Why why, std::function<void()> done) {
    stopping_ = true;
    for_good_ = why == engine::Shutdown::Why::removed;
    stopped_ = std::move(done);
    // A domain that goes for good is not waited for by a server that stops.
    drain_limit_.expires_after(kDrainLimit + (why == engine::Shutdown::Why::removed ? kLastWords : std::chrono::milliseconds(0)));
    drain_limit_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        auto self = weak.lock();
        if (!error && self && !self->closing_) self->close();
    });
    if (!drive(engine::Shutdown{why})) close();
}

void DomainHost::close_if_drained() {
    if (stopping_ && !closing_ && commits_due_ == 0 && engine_.drained()) close();
}

void DomainHost::close() {
    closing_ = true;
    for (auto& request : std::exchange(early_, {})) {
        request.congested = true;
        drive(std::move(request));
    }
    for (const auto flow : std::exchange(held_, {})) services_.release(flow);
    timer_.cancel();
    drain_limit_.cancel();
    taken_.end(commits_due_ == 0);  // whoever was refused at the end knows it
    if (for_good_ && has_store_ && services_.taken) store_->forget_taken();
    auto done = std::exchange(stopped_, nullptr);
    if (link_)
        link_->stop(std::move(done));
    else
        done();
}

DomainStatus DomainHost::status() const {
    const auto pending = engine_.pending();
    const auto since = std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - since_);
    return {options_.domain,
            up_,
            since.count(),
            pending.held_messages,
            pending.queued_messages,
            pending.transactions,
            pending.to_xmpp + pending.queued_messages + pending.transactions + pending.errors,
            engine_.peers()};
}

}  // namespace stox::host
