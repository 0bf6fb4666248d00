#include "plugin/host/worker.h"

#include "plugin/engine/domain_table.h"
#include "plugin/engine/sip_checks.h"
#include "plugin/host/journal.h"
#include "plugin/host/levels.h"
#include "plugin/host/secrets.h"
#include "plugin/host/sip_settings.h"
#include "plugin/host/state_dir.h"
#include "plugin/host/tls_files.h"
#include "plugin/host/worker_abi.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace stox::host {

namespace asio = boost::asio;
using engine::Level;

namespace {

// The worker of a killed server has the addresses for a moment more: that is waited for in silence.
constexpr std::chrono::seconds kSipPatience{3}, kSipRetry{2};
constexpr std::chrono::milliseconds kSipFirstRetry{250};

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

Worker::Worker(asio::io_context& loop)
    : loop_(loop),
      modules_({[this](ControlSessions::Id from, std::string_view line) { on_line(from, line); },
                [this](ControlSessions::Id id) { on_module_over(id); }}),
      store_(loop, {[this] { begin_domains(); }, [this] { begin_domains(); },
                    [this](Level level, std::string text) { log(level, text); }}),
      sip_retry_(loop),
      administration_(for_administration()),
      admin_retry_(loop),
      metrics_(loop, for_metrics()) {}

Worker::Worker(asio::io_context& loop, int in, int out) : Worker(loop) {
    const auto module = modules_.add(loop, in, out, {});
    modules_.speak_for(module, {});
    modules_.send(module, hello_line());
}

void Worker::log(Level level, std::string_view text, std::string_view domain) {
    const bool traced = administration_.look_at(level, text, domain);
    if (level > log_level_ && !traced) return;
    if (!log_rate_.take(level, std::chrono::steady_clock::now())) return;
    if (const auto left_out = log_rate_.left_out()) {
        lost_log_lines_ += left_out;
        write_log(Level::warn, std::to_string(left_out) + " log lines were left out: too many came in a second", {});
    }
    // What the server writes of levels below info its own configuration says; a trace is to be seen.
    if (traced && level > Level::info)
        write_log(Level::info, "traced " + std::string(text), domain);
    else
        write_log(level, text, domain);
}

/// A domain's into the log of its own server; a service writes all of it down itself as well.
void Worker::write_log(Level level, std::string_view text, std::string_view domain) {
    if (service_) write_journal(level, text, domain);
    const auto line = log_line(to_string(level), text, domain);
    if (const auto known = domains_.find(std::string(domain)); known != domains_.end())
        modules_.send_log(modules_.of(known->second.server), line);
    else
        modules_.send_log_to_all(line);
}

void Worker::log_stranger(Level level, const Address& source, std::string text, std::string_view domain) {
    if (level > log_level_ && !administration_.traces_something()) return;
    if (const auto passed = strangers_.pass(source, "refused", std::move(text), std::chrono::steady_clock::now()))
        log(level, *passed, domain);
}

void Worker::on_line(ControlSessions::Id from, std::string_view line) {
    if (stopping_) return;
    from_ = from;
    const auto* server = modules_.server_of(from);
    server_ = server ? std::optional(*server) : std::nullopt;
    const auto command = parse_command(line);
    if (!command) return log(Level::error, "control line refused: " + command.error().detail);
    if (!may(command.value()))
        return log(Level::error, "control line refused: it came before its module said which server it is in");
    std::visit([this](const auto& one) { perform(one); }, command.value());
}

/// Under a service, sockets of modules stand where others may put theirs.
config::Attachment Worker::attachment(const DomainSet& command) const {
    auto attachment = command.attachment;
    if (service_ && !attachment.unix_path.empty()) attachment.owner = modules_.uid_of(from_);
    return attachment;
}

void Worker::perform(const Hello& command) {
    if (command.version == kControlVersion) {
        if (service_) module_came(command);
        return;
    }
    log(Level::error, "the module speaks control version " + std::to_string(command.version) + ", the worker " +
                          std::to_string(kControlVersion) + ": upgrade the older one and restart the chat server");
    if (!service_) return stop();
    module_left(from_);
    modules_.close(from_);
}

void Worker::perform(const EngineSet& command) {
    auto loaded = config::load_engine(command.config);
    if (auto* problems = std::get_if<std::vector<config::Problem>>(&loaded))
        return reply(config_error_line({}, *problems));
    auto& options = std::get<config::EngineOptions>(loaded);
    auto tls = read_tls(options);
    if (!tls.problems.empty()) return reply(config_error_line({}, tls.problems));
    server_tls_ = std::move(tls.credentials);
    log_level_ = parse_level(options.log_level);
    if (stox_memory_limit) stox_memory_limit(options.memory_limit_mib << 20U);
    if (sip_) keep_what_needs_a_restart(options);
    options_ = std::move(options);
    metrics_.use(options_->metrics);
    open_store();
    read_tls_of_domains();
    if (sip_) return tell_sip();
    sip_asked_ = std::chrono::steady_clock::now();
    open_sip();
}

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

void Worker::keep_what_needs_a_restart(config::EngineOptions& options) {
    const auto keep = [&](std::string_view name, auto member) {
        if ((*options_).*member == options.*member) return;
        log(Level::warn, std::string(name) + " is read at the start of the worker; restart the chat server to change it");
        options.*member = (*options_).*member;
    };
    keep("bind", &config::EngineOptions::bind);
    keep("public_address", &config::EngineOptions::public_address);
    keep("limits", &config::EngineOptions::limits);
    keep("dns_servers", &config::EngineOptions::dns_servers);
    if (store_.is_open()) keep("state_dir", &config::EngineOptions::state_dir);
}

void Worker::open_store() {
    store_.open(state_dir(*options_));
    for (auto& [name, domain] : domains_) domain.host->set_durability(durability());
    if (store_.is_open()) begin_domains();  // one whose rows could not be read tries again
}

store::Durability Worker::durability() const {
    return options_ && !options_->store_survives_power_cut ? store::Durability::normal : store::Durability::full;
}

/// Messages of the store go out at once, so there has to be a way. Without one, or without a store, everything else goes on.
void Worker::begin_domains() {
    open_admin_socket();
    if (stopping_ || !store_.is_settled() || !(sip_ || sip_given_up_)) return;
    for (auto& [name, domain] : domains_) domain.host->use(store_.get());
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
    const bool may_pass = std::chrono::steady_clock::now() - sip_asked_ < kSipPatience;
    sip_retry_.expires_after(may_pass ? kSipFirstRetry : kSipRetry);
    sip_retry_.async_wait([this](boost::system::error_code error) {
        if (!error && !stopping_ && !sip_) open_sip();
    });
    if (may_pass) return;
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

std::vector<config::DomainOptions> Worker::all_options() const {
    std::vector<config::DomainOptions> all;
    for (const auto& [name, domain] : domains_) all.push_back(domain.host->options());
    return all;
}

void Worker::perform(const DomainSet& command) {
    auto loaded = config::load_domain(command.domain, command.xmpp_domains, command.config);
    if (auto* problems = std::get_if<std::vector<config::Problem>>(&loaded))
        return refuse(command, *problems);
    auto& options = std::get<config::DomainOptions>(loaded);
    if (is_of_another(options.domain))
        return refuse(command, {{"domain", "another chat server has it; if that one is gone, restart the worker"}});
    if (waits_for_departure(command, options.domain)) return;

    auto all = all_options();
    std::erase_if(all, [&](const auto& other) { return other.domain == options.domain; });
    all.push_back(options);
    if (const auto problems = config::conflicts(all); !problems.empty()) return refuse(command, problems);

    auto secrets = read_secrets(options);
    auto problems = std::move(secrets.problems);
    auto tls = read_tls(options, server_files());
    std::ranges::move(tls.problems, std::back_inserter(problems));
    if (!problems.empty()) return refuse(command, problems);
    for (const auto& warning : secrets.warnings) log(Level::warn, warning, options.domain);

    if (const auto known = domains_.find(options.domain); known != domains_.end()) {
        known->second.tls = std::move(tls.credentials);
        known->second.server = *server_;
        known->second.confirmed = true;
        const auto server = attachment(command);
        if (known->second.host->is_attached_to(server)) reply(up_line(options.domain));
        known->second.host->change(std::move(options), std::move(secrets.secrets), server);
        return tell_sip();
    }
    const std::string name = options.domain;
    auto domain = make_domain(std::move(options), std::move(secrets.secrets));
    domain->set_durability(durability());
    if (sip_) domain->set_addresses(own_addresses(sip_->listening(), *options_));
    domain->start(attachment(command));
    domains_.emplace(name, Domain{std::move(domain), std::move(tls.credentials), *server_, true});
    tell_sip();
    begin_domains();
}

/// What was handed over before stays, but its server may listen elsewhere by now.
void Worker::refuse(const DomainSet& command, const std::vector<config::Problem>& problems) {
    reply(config_error_line(command.domain, problems));
    const auto known = domains_.find(command.domain);
    if (known == domains_.end() || known->second.server != *server_) return;
    known->second.confirmed = true;
    known->second.host->attach(attachment(command));
}

/// A domain belongs to the server that handed it over, as long as that one is here; and to that server's user as long as we run,
/// for what waits in the store is for nobody else.
bool Worker::is_of_another(const std::string& domain) const {
    const auto known = domains_.find(domain);
    if (known == domains_.end() || known->second.server == *server_) return false;
    const auto user = [](const std::string& server) { return server.substr(0, server.find(' ')); };
    return modules_.of(known->second.server) != 0 || user(known->second.server) != user(*server_);
}

void Worker::tell_owner(const std::string& domain, std::string line) {
    if (const auto known = domains_.find(domain); known != domains_.end())
        modules_.send(modules_.of(known->second.server), std::move(line));
}

/// What waits for a domain to leave: it comes back when nothing of it is left that could still write to the store.
bool Worker::waits_for_departure(const DomainSet& command, const std::string& domain) {
    const auto departing = departing_.find(domain);
    if (departing == departing_.end()) return false;
    departing->second = Returning{command, *server_};
    return true;
}

std::shared_ptr<DomainHost> Worker::make_domain(config::DomainOptions options, engine::Secrets secrets) {
    DomainHost::Services services;
    services.respond = [this](std::uint64_t transaction, sip::Response response) {
        if (sip_) sip_->respond(transaction, std::move(response));
    };
    services.send = [this, name = options.domain](engine::SendSip action, auto sent) {
        if (!sip_) return asio::post(loop_, [sent = std::move(sent)] { sent(status(503), engine::LocalFailure::unsent); });
        const auto& target = action.target;
        sip::NextHop next_hop{target.transport, target.endpoint, target.tls_name, name};
        next_hop.flow = static_cast<sip::Flow>(target.flow);
        next_hop.configured = target.configured;
        next_hop.open_within = action.open_within;
        sip_->send(std::move(action.request), std::move(next_hop), [sent = std::move(sent)](sip::Outcome outcome) {
            sent(std::move(outcome.response), to_engine(outcome.local));
        });
    };
    services.locate = [this](const config::NextHop& hop, auto located) { locate(hop, std::move(located)); };
    services.refused = [this](const Address& source, Transport transport) {
        ++refused_;
        if (sip_) sip_->refused(source, transport);
    };
    services.log = [this, name = options.domain](Level level, std::string text) { log(level, text, name); };
    services.wants_details = [this] { return log_level_ >= Level::debug || administration_.traces_something(); };
    services.audit = [this, name = options.domain](const std::string& text) { write_log(Level::info, text, name); };
    services.log_stranger = [this, name = options.domain](Level level, const Address& source, std::string text) {
        log_stranger(level, source, std::move(text), name);
    };
    services.link = [this, name = options.domain](bool up, std::string reason) {
        if (service_) write_journal(Level::info, up ? "attached" : "detached: " + reason, name);
        tell_owner(name, up ? up_line(name) : down_line(name, reason));
    };
    if (service_)
        services.taken = [this, name = options.domain](const StreamMark& mark) {
            tell_owner(name, taken_line(name, mark.stream, mark.count));
        };
    services.authorize = [this, name = options.domain](const engine::Authorize& asked, auto answered) {
        authorize(name, asked, std::move(answered));
    };
    services.administer = [this, name = options.domain](const engine::Administer& asked, auto done) {
        // Whoever administers the server administers all of it, whichever domain of it they asked.
        const bool whole = engine::admin_command(asked.order.verb).scope == engine::AdminScope::worker;
        asio::post(loop_, [this, asked, done = std::move(done), domain = whole ? std::string() : name] {
            done(administration_.carry_out(asked.order, domain, asked.who, "xmpp"));
        });
    };
    return std::make_shared<DomainHost>(loop_, std::move(options), std::move(secrets), std::move(services));
}

void Worker::locate(const config::NextHop& hop, std::function<void(std::vector<engine::Target>, std::string error)> located) {
    if (locator_) return locator_->locate(hop, std::move(located));
    asio::post(loop_, [located = std::move(located)] { located({}, "SIP is not open yet"); });
}

void Worker::perform(const DomainRemove& command) {
    if (const auto departing = departing_.find(command.domain);
        departing != departing_.end() && departing->second && departing->second->server == *server_)
        departing->second.reset();
    if (!domains_.contains(command.domain) || is_of_another(command.domain)) return reply(removed_line(command.domain));
    remove(command.domain, command.for_good);
}

void Worker::remove(const std::string& name, bool for_good) {
    const auto known = domains_.find(name);
    auto domain = known->second.host;
    const auto server = known->second.server;
    domains_.erase(known);
    administration_.forget(domain->options().domain);
    tell_sip();
    ++leaving_;
    departing_[domain->options().domain] = std::nullopt;
    const auto why = for_good ? engine::Shutdown::Why::removed : engine::Shutdown::Why::stop;
    domain->stop(why, [this, domain, server] {
        modules_.send(modules_.of(server), removed_line(domain->options().domain));
        auto returning = departing_.extract(domain->options().domain);
        if (!stopping_ && returning && returning.mapped()) {
            server_ = returning.mapped()->server;
            from_ = modules_.of(*server_);
            perform(returning.mapped()->command);
        }
        left();
    });
}

void Worker::perform(const StatusAsked& command) {
    const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started_);
    std::vector<DomainStatus> all;
    for (const auto& [name, domain] : domains_) all.push_back(domain.host->status());
    reply(status_line(command.id, uptime.count(), refused_, sip_ ? std::optional(sip_->counters()) : std::nullopt, all));
}

void Worker::perform(const Stop&) {
    if (!service_) return stop();
    module_left(from_);
    modules_.close(from_);
}

void Worker::perform(const Unknown& command) { reply(unsupported_line(command.type)); }

/// The domain in whose Contact that token stands: its host is ours and names no domain.
DomainHost* Worker::domain_of_token(const std::string& token) {
    if (token.empty()) return nullptr;
    const auto found = std::ranges::find_if(domains_, [&](const auto& one) { return one.second.host->contact_token() == token; });
    return found == domains_.end() ? nullptr : found->second.host.get();
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
    // A dialog that another worker had, before this one was started.
    const bool inside = !in.request.to.tag.empty();
    const int code = known && std::holds_alternative<engine::NotServed>(route) ? (inside ? 481 : 404) : 403;
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

void Worker::stop() {
    if (stopping_) return;
    stopping_ = true;
    sip_retry_.cancel();
    admin_retry_.cancel();
    admin_socket_.reset();
    metrics_.close();
    control_socket_.reset();
    returns_.clear();
    // Those that were removed just before may still be closing their streams.
    leaving_ += domains_.size();
    if (leaving_ == 0) return finish_stop();
    for (auto& [name, domain] : domains_) domain.host->stop(engine::Shutdown::Why::stop, [this] { left(); });
}

void Worker::left() {
    if (--leaving_ == 0 && stopping_) finish_stop();
}

void Worker::finish_stop() {
    // One more turn of the loop lets the last responses leave; then the rest of the lines.
    asio::post(loop_, [this] {
        sip_.reset();
        locator_.reset();
        domains_.clear();
        if (service_) give_up_writing();
        modules_.drain([this] { loop_.stop(); });
    });
}

}  // namespace stox::host
