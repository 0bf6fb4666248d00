#include "plugin/host/worker.h"

#include "plugin/host/journal.h"
#include "plugin/host/levels.h"
#include "plugin/host/state_dir.h"
#include "plugin/host/tls_files.h"
#include "plugin/host/worker_abi.h"

#include <boost/asio/post.hpp>

#include <stdexcept>
#include <utility>

namespace stox::host {

namespace asio = boost::asio;
using engine::Level;

Worker::Worker(asio::io_context& loop)
    : loop_(loop),
      modules_({[this](ControlSessions::Id from, std::string_view line) { on_line(from, line); },
                [this](ControlSessions::Id id) { on_module_over(id); }}),
      claims_(loop),
      store_(loop, {[this] { begin_domains(); }, [this] { begin_domains(); },
                    [this](Level level, std::string text) { log(level, text); }}),
      sip_retry_(loop),
      administration_(for_administration()),
      admin_retry_(loop),
      metrics_(loop, for_metrics()) {}

Worker::Worker(asio::io_context& loop, int in, int out) : Worker(loop) {
    const auto module = modules_.add(loop, in, out, {});
    if (module == 0) throw std::runtime_error("no descriptor is left");
    modules_.speak_for(module, {});
    modules_.send(module, hello_line());
}

void Worker::log(Level level, std::string_view text, std::string_view domain) {
    const bool is_here = level != Level::error || domain.empty() || owner_of(std::string(domain));
    const bool traced = administration_.look_at(level, text, domain, is_here);
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
    if (const auto* server = owner_of(std::string(domain)))
        modules_.send_log(modules_.of(*server), line);
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

void Worker::perform(const Hello& command) {
    if (command.version == kControlVersion) {
        if (service_) module_came(command);
        return;
    }
    log(Level::error, "the module speaks control version " + std::to_string(command.version) + ", the worker " +
                          std::to_string(kControlVersion) + ": upgrade the older one and restart " +
                          (service_ ? "it, the worker by systemctl restart stoxd" : "the chat server"));
    if (!service_) return stop();
    module_left(from_);
    modules_.close(from_);
}

void Worker::perform(const EngineSet& command) {
    auto loaded = config::load_engine(command.config);
    if (auto* problems = std::get_if<std::vector<config::Problem>>(&loaded))
        return reply(config_error_line({}, *problems, options_.has_value()));
    auto& options = std::get<config::EngineOptions>(loaded);
    auto tls = read_tls(options);
    if (!tls.problems.empty()) return reply(config_error_line({}, tls.problems, options_.has_value()));
    server_tls_ = std::move(tls.credentials);
    log_level_ = parse_level(options.log_level);
    if (stox_memory_limit) stox_memory_limit(options.memory_limit_mib << 20U);
    if (sip_) keep_what_needs_a_restart(options);
    if (server_) tell_of_other_options(options);
    options_ = std::move(options);
    metrics_.use(options_->metrics);
    open_store();
    read_tls_of_domains();
    if (sip_) return tell_sip();
    sip_told_.clear();  // who asks anew is answered anew
    sip_patience_.begin(std::chrono::steady_clock::now());
    open_sip();
}

/// Servers that share a service share its options, and who comes last is heard.
void Worker::tell_of_other_options(const config::EngineOptions& options) {
    if (options_ && options == *options_) return;
    if (!options_of_.empty() && options_of_ != *server_)
        log(Level::warn, "options of the whole worker as " + options_of_ + " gave them are replaced by other ones of " + *server_ +
                             "; give the same in both");
    options_of_ = *server_;
}

void Worker::keep_what_needs_a_restart(config::EngineOptions& options) {
    const auto keep = [&](std::string_view name, auto member) {
        if ((*options_).*member == options.*member) return;
        log(Level::warn, std::string(name) + " is read at the start of the worker; " +
                             (service_ ? "systemctl restart stoxd" : "restart the chat server") + " to change it");
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

void Worker::stop() {
    if (stopping_) return;
    stopping_ = true;
    sip_retry_.cancel();
    admin_retry_.cancel();
    admin_socket_.reset();
    metrics_.close();
    control_socket_.reset();
    returns_.clear();
    claims_.clear();
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
