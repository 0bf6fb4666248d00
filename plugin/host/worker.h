#pragma once
// The worker: one loop, one SIP endpoint, every domain of one chat server, driven by control lines.

#include "plugin/config/options.h"
#include "plugin/engine/engine.h"
#include "plugin/host/admin_socket.h"
#include "plugin/host/administration.h"
#include "plugin/host/control_lines.h"
#include "plugin/host/control_sessions.h"
#include "plugin/host/control_socket.h"
#include "plugin/host/domain_claims.h"
#include "plugin/host/domain_host.h"
#include "plugin/host/domain_users.h"
#include "plugin/host/log_rate.h"
#include "plugin/host/metrics/metrics_server.h"
#include "plugin/host/next_hop_locator.h"
#include "plugin/host/patience.h"
#include "plugin/host/service_access.h"
#include "plugin/host/worker_store.h"
#include "sip/edge/log_gate.h"
#include "sip/endpoint.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace stox::host {

class Worker {
public:
    /// Held by one module, whose end of input is the worker's end too.
    Worker(boost::asio::io_context& loop, int in, int out);

    /// One that modules come to and leave: their domains stay.
    struct Service {
        int listener;  ///< a unix socket that listens
        int end;       ///< readable when the worker is to stop; a duplicate is used
        ServiceAccess access;
        std::chrono::seconds return_within;
    };
    Worker(boost::asio::io_context& loop, Service service);

private:
    static constexpr std::size_t kMaxSessions = 32;
    static constexpr std::size_t kMaxSessionsOfUser = 8;  ///< but of root and the worker's own
    using SipSent = std::function<void(sip::Response&&, engine::LocalFailure)>;

    explicit Worker(boost::asio::io_context& loop);
    void on_module(int connection, uid_t uid);
    void module_came(const Hello& command);
    void give_up_writing();
    void on_module_over(ControlSessions::Id id);
    void module_left(ControlSessions::Id id);
    void expect_domains_again(const std::string& server);
    void remove_forgotten(const std::string& server);
    void on_line(ControlSessions::Id from, std::string_view line);
    bool may(const Command& command) const;
    void reply(std::string line) { modules_.send(from_, std::move(line)); }
    void refuse(const DomainSet& command, const std::vector<config::Problem>& problems);
    bool is_of_another(const std::string& domain) const;
    bool is_of_another_user(const std::string& domain, const std::string& server) const;
    config::Attachment attachment(const DomainSet& command) const;
    /// Also of a domain that is leaving. Null: nobody.
    const std::string* owner_of(const std::string& domain) const;
    /// To the module that handed the domain over.
    void tell_owner(const std::string& domain, std::string line);
    std::vector<config::Listener> listening() const;
    void remove(const std::string& domain, bool for_good);
    void write_log(engine::Level level, std::string_view text, std::string_view domain);
    void perform(const Hello& command);
    void perform(const EngineSet& command);
    void perform(const DomainSet& command);
    void perform(const DomainRemove& command);
    void perform(const StatusAsked& command);
    void perform(const AuthorizationAnswered& command);
    void perform(const AdminAsked& command);
    void perform(const MetricsAsked& command);
    void perform(const Stop& command);
    void perform(const Unknown& command);

    void wait_for(const std::string& domain, const DomainSet& command);
    void let_in(const std::string& domain);
    void let_in_after(const std::string& server);
    void read_tls_of_domains();
    config::CertificateFiles server_files() const;
    void keep_what_needs_a_restart(config::EngineOptions& options);
    void open_store();
    store::Durability durability() const;
    /// Domains wait for the store and for SIP, or for the news that they begin without.
    void begin_domains();
    void open_sip();
    void sip_not_opened(const Error& why);
    /// After a change of what domains say of certificates and peers: for handshakes and messages from now on.
    void tell_sip();
    void send_sip(const std::string& domain, const engine::SendSip& action, SipSent sent);
    void locate(const config::NextHop& hop, std::function<void(std::vector<engine::Target>, std::string error)> located);
    void on_request(sip::IncomingRequest in);
    DomainHost* domain_of_token(const std::string& token);
    bool awaits_domains() const;
    Administration::Worker for_administration();
    engine::WorkerRow row() const;
    MetricsServer::Events for_metrics();
    HealthFacts health() const;
    void open_admin_socket();
    void authorize(const std::string& domain, const engine::Authorize& asked, std::function<void(bool)> answered);
    void stop();
    void left();
    void finish_stop();
    std::vector<config::DomainOptions> all_options() const;
    std::shared_ptr<DomainHost> make_domain(config::DomainOptions options, engine::Secrets secrets);
    void log(engine::Level level, std::string_view text, std::string_view domain = {});
    /// Of lines that strangers cause, as many as an operator, and fail2ban, can read.
    void log_stranger(engine::Level level, const Address& source, std::string text, std::string_view domain = {});

    boost::asio::io_context& loop_;
    ControlSessions modules_;
    ControlSessions::Id from_ = 0;      ///< whose line is being carried out
    std::optional<std::string> server_;  ///< for which it speaks
    bool service_ = false;
    std::chrono::seconds return_within_{0};
    std::optional<boost::asio::posix::stream_descriptor> end_;
    std::unique_ptr<ControlSocket> control_socket_;
    DomainClaims claims_;
    std::map<std::string, boost::asio::steady_timer> returns_;  ///< servers whose domains are expected again
    std::optional<config::EngineOptions> options_;
    engine::Level log_level_ = engine::Level::info;
    LogRate log_rate_;
    sip::LogGate strangers_{std::chrono::seconds(0)};
    WorkerStore store_;
    std::unique_ptr<NextHopLocator> locator_;
    std::unique_ptr<sip::Endpoint> sip_;
    boost::asio::steady_timer sip_retry_;
    Administration administration_;
    std::unique_ptr<AdminSocket> admin_socket_;
    boost::asio::steady_timer admin_retry_;
    bool told_no_admin_socket_ = false;
    MetricsServer metrics_;
    struct Question {
        std::function<void(bool)> answered;
        std::chrono::steady_clock::time_point asked;
        ControlSessions::Id of;  ///< who was asked
    };
    std::map<std::string, Question> questions_;  ///< to the module, by their ids
    std::uint64_t last_question_ = 0;
    Patience sip_patience_;
    std::string sip_told_;      ///< why SIP is not open; the same reason is told once
    bool sip_given_up_ = false;  ///< nobody waits for it any more; it is tried again all the same
    struct Domain {
        std::shared_ptr<DomainHost> host;
        std::shared_ptr<const sip::TlsCredentials> tls;
        std::string server;     ///< that handed it over
        bool confirmed = true;  ///< since that server's module is here
    };
    std::map<std::string, Domain> domains_;
    std::map<std::string, std::string> leaving_domains_;  ///< and whose they were
    DomainUsers users_;
    std::shared_ptr<const sip::TlsCredentials> server_tls_;  ///< for clients that name no domain; null: no certificate
    const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    std::uint64_t refused_ = 0;  ///< requests of strangers
    std::uint64_t lost_log_lines_ = 0;
    bool stopping_ = false;
    std::size_t leaving_ = 0;  ///< domains whose streams are being closed
};

}  // namespace stox::host
