// The worker's domains: handed over by modules, changed, waited for, and taken out again.

#include "plugin/host/journal.h"
#include "plugin/host/secrets.h"
#include "plugin/host/tls_files.h"
#include "plugin/host/sip_settings.h"
#include "plugin/host/worker.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace stox::host {

namespace asio = boost::asio;
using engine::Level;

namespace {

constexpr const char* kElsewhere = "another chat server has it; it is attached here as soon as that one lets go of it";
constexpr const char* kOfAnotherUser =
    "another user's chat server had it first; it is attached here when that one takes it out of its configuration. If that one is "
    "gone, restart the worker";

constexpr const char* kTooMany =
    "more domains have been here than the worker remembers the owners of (10000; of one user among others 5000); restart it, and those that are gone "
    "are forgotten";

constexpr const char* kTakenOver = "another chat server waits for it now";

std::string user_of(const std::string& server) { return server.substr(0, server.find(' ')); }

}  // namespace

/// Under a service, sockets of modules stand where others may put theirs.
config::Attachment Worker::attachment(const DomainSet& command) const {
    auto attachment = command.attachment;
    if (service_ && !attachment.unix_path.empty() && !attachment.owner) attachment.owner = modules_.uid_of(from_);
    return attachment;
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
    claims_.drop(options.domain, *server_);
    if (is_of_another(options.domain) || leaving_domains_.contains(options.domain)) return wait_for(options.domain, command);

    // Its module has left, and who is to listen at that socket is known no more.
    const auto server = attachment(command);
    if (service_ && !server.unix_path.empty() && !server.owner)
        return log(Level::error, "not attached: its module left, nobody knows whose socket that is", options.domain);
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
        if (known->second.host->is_attached_to(server)) reply(up_line(options.domain));
        known->second.host->change(std::move(options), std::move(secrets.secrets), server);
        return tell_sip();
    }
    const std::string name = options.domain;
    if (service_ && !users_.put(name, user_of(*server_))) return refuse(command, {{{}, kTooMany}});
    auto domain = make_domain(std::move(options), std::move(secrets.secrets));
    domain->set_durability(durability());
    if (sip_) domain->set_addresses(own_addresses(sip_->listening(), *options_));
    domain->start(server);
    domains_.emplace(name, Domain{std::move(domain), std::move(tls.credentials), *server_, true});
    tell_sip();
    begin_domains();
}

/// What was handed over before stays, but its server may listen elsewhere by now.
void Worker::refuse(const DomainSet& command, const std::vector<config::Problem>& problems) {
    const auto known = domains_.find(command.domain);
    const bool kept = known != domains_.end() && known->second.server == *server_;
    reply(config_error_line(command.domain, problems, kept));
    if (!kept) return;
    known->second.confirmed = true;
    known->second.host->attach(attachment(command));
}

/// A domain belongs to the server that handed it over, as long as that one is here; and to that server's user as long as we run,
/// for what waits in the store is for nobody else.
bool Worker::is_of_another(const std::string& domain) const {
    if (is_of_another_user(domain, *server_)) return true;
    const auto known = domains_.find(domain);
    return known != domains_.end() && known->second.server != *server_ && modules_.of(known->second.server) != 0;
}

/// Also when it is not here: only for good it ceases to be that user's.
bool Worker::is_of_another_user(const std::string& domain, const std::string& server) const {
    return users_.is_of_another(domain, user_of(server));
}

const std::string* Worker::owner_of(const std::string& domain) const {
    if (const auto known = domains_.find(domain); known != domains_.end()) return &known->second.server;
    const auto leaving = leaving_domains_.find(domain);
    return leaving == leaving_domains_.end() ? nullptr : &leaving->second;
}

void Worker::tell_owner(const std::string& domain, std::string line) {
    if (const auto* server = owner_of(domain)) modules_.send(modules_.of(*server), std::move(line));
}

/// For the other server to let go of it; or until nothing of what it was before is left that could still write to the store.
void Worker::wait_for(const std::string& domain, const DomainSet& command) {
    const bool of_another_user = is_of_another_user(domain, *server_);
    if (const auto* before = claims_.of(domain); before && before->server != *server_) {
        // Nobody takes the place of one who has more right to it.
        if (of_another_user && !is_of_another_user(domain, before->server))
            return reply(config_error_line(command.domain, {{{}, kOfAnotherUser}}, false));
        modules_.send(modules_.of(before->server), config_error_line(before->command.domain, {{{}, kTakenOver}}, false));
    }
    auto kept = command;
    kept.attachment = attachment(command);  // its module may have left by then
    claims_.put(domain, {std::move(kept), *server_}, [this, domain, server = *server_, named = command.domain] {
        const bool foreign = is_of_another_user(domain, server);
        if (!domains_.contains(domain) && !foreign) return;  // it is leaving
        modules_.send(modules_.of(server),
                      config_error_line(named, {{{}, foreign ? kOfAnotherUser : kElsewhere}}, false));
    });
}

/// Whoever waits for it; one of another user goes on waiting.
void Worker::let_in(const std::string& domain) {
    const auto* waiting = claims_.of(domain);
    if (stopping_ || !waiting || is_of_another_user(domain, waiting->server)) return;
    auto claim = claims_.take(domain);
    from_ = modules_.of(claim->server);
    server_ = std::move(claim->server);
    perform(claim->command);
}

std::shared_ptr<DomainHost> Worker::make_domain(config::DomainOptions options, engine::Secrets secrets) {
    DomainHost::Services services;
    services.respond = [this](std::uint64_t transaction, sip::Response response) {
        if (sip_) sip_->respond(transaction, std::move(response));
    };
    services.send = [this, name = options.domain](const engine::SendSip& action, SipSent sent) {
        send_sip(name, action, std::move(sent));
    };
    services.hold = [this](engine::Flow flow) {
        if (sip_) sip_->hold(static_cast<sip::Flow>(flow));
    };
    services.release = [this](engine::Flow flow) {
        if (sip_) sip_->release(static_cast<sip::Flow>(flow));
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

void Worker::perform(const DomainRemove& command) {
    claims_.drop(command.domain, *server_);
    if (!domains_.contains(command.domain) || is_of_another(command.domain)) return reply(removed_line(command.domain));
    remove(command.domain, command.for_good);
}

void Worker::remove(const std::string& name, bool for_good) {
    auto leaving = domains_.extract(name);
    auto domain = leaving.mapped().host;
    leaving_domains_[name] = leaving.mapped().server;  // which hears of it to the end
    tell_sip();
    ++leaving_;
    const auto why = for_good ? engine::Shutdown::Why::removed : engine::Shutdown::Why::stop;
    domain->stop(why, [this, domain, name, for_good] {
        tell_owner(name, removed_line(name));
        leaving_domains_.erase(name);
        administration_.forget(name);
        if (for_good) users_.forget(name);
        let_in(name);
        left();
    });
}

}  // namespace stox::host
