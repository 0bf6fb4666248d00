// The worker's SIP: its listeners, whose certificates they show, and the way of requests to domains and back.

#include "plugin/engine/domain_table.h"
#include "plugin/engine/sip_checks.h"
#include "plugin/host/journal.h"
#include "plugin/host/sip_settings.h"
#include "plugin/host/tls_files.h"
#include "plugin/host/worker.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace stox::host {

namespace asio = boost::asio;
using engine::Level;

namespace {

constexpr std::chrono::seconds kAwayFor{5};  ///< what a sender is asked to wait for a domain that is expected

engine::LocalFailure to_engine(sip::Outcome::Local local) {
    switch (local) {
        case sip::Outcome::Local::timeout:
            return engine::LocalFailure::timeout;
        case sip::Outcome::Local::unsent:
            return engine::LocalFailure::unsent;
        case sip::Outcome::Local::transport:
            return engine::LocalFailure::transport;
        case sip::Outcome::Local::none:
            break;
    }
    return engine::LocalFailure::none;
}

Level to_engine(sip::LogLevel level) {
    switch (level) {
        case sip::LogLevel::error:
            return Level::error;
        case sip::LogLevel::warn:
            return Level::warn;
        case sip::LogLevel::debug:
            return Level::debug;
        case sip::LogLevel::info:
            break;
    }
    return Level::info;
}

sip::Response status(int code) {
    sip::Response response;
    response.status = code;
    return response;
}

}  // namespace

config::CertificateFiles Worker::server_files() const { return options_ ? options_->tls : config::CertificateFiles(); }

/// Of those that have no certificate of their own: the server's may be another now.
void Worker::read_tls_of_domains() {
    for (auto& [name, domain] : domains_) {
        if (!domain.host->options().tls.files.certificate.empty()) continue;
        auto tls = read_tls(domain.host->options(), server_files());
        for (const auto& problem : tls.problems)
            log(Level::error, problem.path + ": " + problem.text + "; what was read before it stays in use", name);
        if (tls.credentials) domain.tls = std::move(tls.credentials);
    }
}
void Worker::open_sip() {
    sip_retry_.cancel();
    auto settings = sip_settings(*options_);
    settings.log = [this](sip::LogLevel level, std::string_view text) { log(to_engine(level), text); };
    auto opened =
        sip::Endpoint::start(loop_, std::move(settings), [this](sip::IncomingRequest in) { on_request(std::move(in)); });
    if (!opened) return sip_not_opened(opened.error());
    sip_ = std::move(opened).value();
    tell_sip();
    for (const auto& [name, domain] : domains_) domain.host->set_addresses(own_addresses(sip_->listening(), *options_));
    auto locator = NextHopLocator::open(loop_, *options_);
    if (locator)
        locator_ = std::move(locator).value();
    else
        log(Level::error, "next hops with names cannot be located: " + locator.error().detail);
    modules_.send_all(listening_line(listening()));
    if (service_) write_journal(Level::info, "listening for SIP on " + row().listeners);
    begin_domains();
}

std::vector<config::Listener> Worker::listening() const {
    std::vector<config::Listener> listeners;
    for (const auto& address : sip_->listening()) listeners.push_back({address.transport, address.endpoint});
    return listeners;
}

void Worker::sip_not_opened(const Error& why) {
    const auto now = std::chrono::steady_clock::now();
    sip_retry_.expires_after(sip_patience_.pause(now));
    sip_retry_.async_wait([this](boost::system::error_code error) {
        if (!error && !stopping_ && !sip_) open_sip();
    });
    if (sip_patience_.lasts(now)) return;
    if (std::exchange(sip_told_, why.detail) != why.detail)
        log(Level::error, "cannot listen for SIP: " + why.detail + "; free the address or change bind. Trying again.");
    sip_given_up_ = true;
    begin_domains();
}

void Worker::tell_sip() {
    if (!sip_) return;
    const auto all = all_options();
    sip_->trust(peer_sources(all));
    sip::TlsSet credentials;
    if (server_tls_) credentials.push_back(server_tls_);
    bool certified = server_tls_ != nullptr;
    for (const auto& [name, domain] : domains_) {
        credentials.push_back(domain.tls);
        certified = certified || !domain.host->options().tls.files.certificate.empty();
    }
    const auto number = credentials.size();
    if (auto used = sip_->use_tls(std::move(credentials)); !used)
        return log(Level::error, used.error().detail + "; the certificates before it stay in use");
    const bool listens = std::ranges::any_of(options_->bind, [](const auto& one) { return one.transport == Transport::tls; });
    if (listens && !certified && !all.empty())
        log(Level::warn, "bind has a tls listener, but no certificate is configured: TLS clients are refused");
    else if (certified)
        log(Level::info, "certificates loaded for " + std::to_string(number) + " identities");
}

void Worker::send_sip(const std::string& domain, const engine::SendSip& action, SipSent sent) {
    if (!sip_) return asio::post(loop_, [sent = std::move(sent)] { sent(status(503), engine::LocalFailure::unsent); });
    const auto& target = action.target;
    sip::NextHop next_hop{target.transport, target.endpoint, target.tls_name, domain};
    next_hop.flow = static_cast<sip::Flow>(target.flow);
    next_hop.configured = target.configured;
    if (target.heard) next_hop.heard = sip::HeardFrom{target.heard->transport, target.heard->endpoint};
    next_hop.open_within = action.open_within;
    sip_->send(action.request, next_hop, [sent = std::move(sent)](sip::Outcome&& outcome) {
        sent(std::move(outcome.response), to_engine(outcome.local));
    });
}

void Worker::locate(const config::NextHop& hop, std::function<void(std::vector<engine::Target>, std::string error)> located) {
    if (locator_) return locator_->locate(hop, std::move(located));
    asio::post(loop_, [located = std::move(located)] { located({}, "SIP is not open yet"); });
}

/// The domain in whose Contact that token stands: its host is ours and names no domain.
DomainHost* Worker::domain_of_token(const std::string& token) {
    if (token.empty()) return nullptr;
    const auto found = std::ranges::find_if(domains_, [&](const auto& one) { return one.second.host->contact_token() == token; });
    return found == domains_.end() ? nullptr : found->second.host.get();
}

/// One that is leaving is mostly handed over again at once; a service that began just now does not know all of them yet.
bool Worker::awaits_domains() const {
    return !leaving_domains_.empty() || (service_ && std::chrono::steady_clock::now() - started_ < return_within_);
}

void Worker::on_request(sip::IncomingRequest in) {
    const auto to_domain = [&in](DomainHost& host) {
        engine::SipRequestIn request{engine::ServerTransaction{in.transaction}, std::move(in.request), in.source, in.transport,
                                     std::move(in.tls)};
        request.flow = static_cast<engine::Flow>(in.flow);
        host.on_sip(std::move(request));
    };
    if (auto* domain = domain_of_token(in.request.uri.user)) return to_domain(*domain);
    engine::Domains all;
    for (const auto& [name, domain] : domains_) all.push_back(&domain.host->options());
    const engine::Sender sender{in.source.address, in.tls, {}};
    const auto route = engine::route(all, in.request.uri.host, sender);
    if (const auto* name = std::get_if<std::string>(&route))
        return to_domain(*domains_.at(*name).host);
    if (in.request.method == "ACK") return;
    // A proxy probes the address it sends to, whose host is no domain of ours.
    const bool known = engine::is_peer(all, sender);
    if (known && in.request.method == "OPTIONS" && in.request.uri.user.empty()) {
        auto refusal = engine::check_request(in.request, true);
        return sip_->respond(in.transaction, refusal ? std::move(refusal->response) : engine::capabilities());
    }
    if (awaits_domains()) {
        auto later = status(503);
        later.headers = {{"Retry-After", std::to_string(kAwayFor.count())}};
        return sip_->respond(in.transaction, std::move(later));
    }
    // A dialog that another worker had, before this one was started: also with somebody who is known by a password alone, and so
    // is no stranger before asked for it.
    const bool inside = !in.request.to.tag.empty();
    const bool expected = known || (inside && std::ranges::any_of(all, [](const auto* one) { return engine::has_digest_users(*one); }));
    const int code = expected && std::holds_alternative<engine::NotServed>(route) ? (inside ? 481 : 404) : 403;
    log_stranger(code == 403 ? Level::warn : Level::info, in.source.address,
                 std::string(code == 403 ? "security event=refused" : "request refused") +
                     " method=" + engine::logfmt(in.request.method) + " src=" + in.source.to_string() +
                     " transport=" + std::string(to_string(in.transport)) + " to=" + engine::logfmt(in.request.uri.to_string()) +
                     " status=" + std::to_string(code) + " reason=\"no domain for it\"");
    if (code == 403) {
        ++refused_;
        sip_->refused(in.source.address, in.transport);
    }
    sip_->respond(in.transaction, status(code));
}

}  // namespace stox::host
