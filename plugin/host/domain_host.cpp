#include "plugin/host/domain_host.h"

#include "mapping/core/assert.h"
#include "plugin/engine/sip_checks.h"
#include "plugin/host/random.h"

#include <boost/asio/post.hpp>

#include <utility>

namespace stox::host {

using std::chrono::steady_clock;

namespace {

UtcTime utc_now() { return std::chrono::time_point_cast<UtcTime::duration>(UtcTime::clock::now()); }

}  // namespace

DomainHost::DomainHost(boost::asio::io_context& loop, config::DomainOptions options, engine::Secrets secrets, Services services)
    : loop_(loop),
      options_(options),
      services_(std::move(services)),
      engine_(std::move(options), kernel_ids(), std::move(secrets)),
      timer_(loop) {}

void DomainHost::start(config::Attachment attachment) {
    ComponentLink::Events events;
    events.up = [this] { link_changed(true, {}); };
    events.down = [this](std::string reason) { link_changed(false, std::move(reason)); };
    events.stanza = [this](xmpp::Stanza stanza) { drive(engine::StanzaIn{std::move(stanza), utc_now()}); };
    events.unreadable = [this](xmpp::Stanza envelope, Error why) {
        drive(engine::UnreadableStanzaIn{std::move(envelope), std::move(why)});
    };
    events.refused = [this](std::string why) {
        services_.log(engine::Level::warn, "stanza refused reason=" + engine::logfmt(why));
    };
    link_ = std::make_unique<ComponentLink>(loop_, options_.domain, std::move(attachment), std::move(events));
    arm();
}

void DomainHost::change(config::DomainOptions options, engine::Secrets secrets, config::Attachment attachment) {
    link_->attach(std::move(attachment));
    options_ = options;
    drive(engine::OptionsChanged{std::move(options), std::move(secrets)});
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
    if (was_up) drive(engine::StreamDown{});
}

void DomainHost::on_sip(engine::SipRequestIn in) {
    if (link_ && link_->congested())
        return services_.respond(static_cast<std::uint64_t>(in.transaction), engine::try_later(config::PeerKind::proxy, 2));
    const auto transaction = static_cast<std::uint64_t>(in.transaction);
    in.received = utc_now();
    if (drive(std::move(in))) return;
    sip::Response response;
    response.status = 500;
    services_.respond(transaction, std::move(response));
}

bool DomainHost::drive(engine::Input input) {
    std::vector<engine::Action> actions;
    try {
        actions = engine_.handle(std::move(input), steady_clock::now());
    } catch (const Bug& bug) {
        services_.log(engine::Level::error, std::string("internal error, please report it: ") + bug.what());
        return false;
    }
    for (auto& action : actions) std::visit([this](auto& one) { perform(std::move(one)); }, action);
    arm();
    if (link_) link_->pause(!engine_.takes_stanzas());
    if (stopped_ && engine_.drained()) finish_stop();
    return true;
}

void DomainHost::perform(engine::SendStanza action) {
    if (link_) link_->send(action.stanza);
}

void DomainHost::perform(engine::RespondSip action) {
    services_.respond(static_cast<std::uint64_t>(action.transaction), std::move(action.response));
}

void DomainHost::perform(engine::SendSip action) {
    auto sent = [weak = weak_from_this(), transaction = action.transaction](sip::Response response, engine::LocalFailure local) {
        if (auto self = weak.lock()) self->drive(engine::SipResponseIn{transaction, std::move(response), local});
    };
    services_.send(std::move(action), std::move(sent));
}

void DomainHost::perform(engine::Locate action) {
    services_.locate(std::move(action.hop), [weak = weak_from_this(), location = action.location](
                                                std::vector<engine::Target> targets, std::string error) {
        if (auto self = weak.lock()) self->drive(engine::Located{location, std::move(targets), std::move(error)});
    });
}

/// Without a store what is written is gone with the process, and everything succeeds.
void DomainHost::perform(engine::Commit action) {
    boost::asio::post(loop_, [weak = weak_from_this(), commit = action.commit] {
        if (auto self = weak.lock()) self->drive(engine::Committed{commit, ok()});
    });
}

void DomainHost::perform(engine::Refused action) { services_.refused(action.source, action.transport); }

void DomainHost::perform(engine::Log action) {
    std::string text;
    if (action.trace.bits != 0) text += "t=" + action.trace.to_string() + ' ';
    if (!action.peer.empty()) text += "peer=" + engine::logfmt(action.peer) + ' ';
    text += action.text;
    if (action.stranger)
        services_.log_stranger(action.level, *action.stranger, std::move(text));
    else
        services_.log(action.level, std::move(text));
}

void DomainHost::arm() {
    const auto due = engine_.next_timeout();
    if (!due) {
        timer_.cancel();
        return;
    }
    timer_.expires_at(*due);
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        auto self = weak.lock();
        if (!error && self) self->drive(engine::Tick{});
    });
}

void DomainHost::stop(engine::Shutdown::Why why, std::function<void()> done) {
    stopped_ = std::move(done);
    // An engine with a fault will not say when it is done.
    if (!drive(engine::Shutdown{why})) finish_stop();
}

void DomainHost::finish_stop() {
    timer_.cancel();
    const auto done = std::exchange(stopped_, nullptr);
    if (link_)
        link_->stop(done);
    else
        done();
}

DomainStatus DomainHost::status() const {
    const auto pending = engine_.pending();
    const auto since = std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - since_);
    return {options_.domain, up_, since.count(), pending.held_messages, pending.queued_messages, pending.transactions,
            engine_.peers()};
}

}  // namespace stox::host
