#pragma once
// Where a SIP request may be sent: the ordered targets of a host.   (RFC 3263 §4, RFC 7984, RFC 2782)
//
// A machine without sockets and without a clock: it says what to ask the DNS, takes the answers in any order, and ends with the
// targets. Every question carries the provisioning domain of the request, so the chain NAPTR, SRV, address stays in one (RFC 6731
// §4.7).

#include "net/dns.h"
#include "net/srv_order.h"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace stox::net {

struct LocationRequest {
    std::string host;  ///< maddr of the URI if it has one, else its host: a name, or an address with or without brackets
    std::optional<std::uint16_t> port;
    std::optional<Transport> transport;  ///< the transport parameter of the URI
    bool secure = false;                 ///< a sips URI; transport tls says the same
    std::string tls_name;                ///< the host of the URI where `host` is its maddr; empty: `host`
    ProvisioningDomain domain = ProvisioningDomain::host_default;
};

/// How the addresses of one name are mixed. Those of two SRV targets never are.   (RFC 7984 §4)
enum class FamilyOrder {
    interleaved,  ///< in turn, so that a dead family costs one attempt   (RFC 8305 §4)
    grouped,      ///< the preferred family first
};

/// What this machine can send by.
struct Capabilities {
    bool ipv4 = true;
    bool ipv6 = true;
    bool prefer_ipv6 = true;
    FamilyOrder order = FamilyOrder::interleaved;
    /// Best first: the order in which SRV records are looked at for a domain that publishes no NAPTR.
    std::vector<Transport> transports{Transport::tls, Transport::tcp, Transport::udp};
};

struct Target {
    Transport transport = Transport::udp;
    Endpoint endpoint;
    std::string tls_name;  ///< whom the certificate must name: the host of the URI, never an SRV target   (RFC 5922 §4)
    ProvisioningDomain domain = ProvisioningDomain::host_default;
    friend bool operator==(const Target&, const Target&) = default;
};

/// To be asked; the answer goes to Location::on_answer.
struct Ask {
    Question question;
};
/// The end, exactly once: 1 to kMaxTargets targets in the order in which they are to be tried, one after the other, or why there
/// are none. errors  malformed: no host; unsupported: a transport or family that we do not have; unavailable: what the DNS says
struct Located {
    Result<std::vector<Target>> targets;
};
using LocationAction = std::variant<Ask, Located>;
using LocationActions = std::vector<LocationAction>;

class Location {
public:
    static constexpr std::size_t kMaxTargets = 32;
    static constexpr std::size_t kMaxServices = 8;    ///< SRV names looked at
    static constexpr std::size_t kMaxHosts = 16;      ///< SRV targets whose addresses are looked up, of one service
    static constexpr std::size_t kMaxQuestions = 64;  ///< of one location: what a hostile domain can make us ask
    /// From the start: then NAPTR counts as not there; SRV as not there; all is over.
    static constexpr std::chrono::milliseconds kNaptrLimit{1'500}, kSrvLimit{3'500}, kDeadline{5'000};
    /// Once addresses are asked for: then those that came are enough.
    static constexpr std::chrono::milliseconds kAddressPatience{1'000};

    Location(LocationRequest request, Capabilities capabilities, Random random);

    /// First and once.
    LocationActions start(TimePoint now);
    /// An answer to what was not asked, or a second one, changes nothing.
    LocationActions on_answer(const Question& question, Answer answer, TimePoint now);
    LocationActions on_time(TimePoint now);
    /// When on_time is due; nullopt before the start and after the end.
    std::optional<TimePoint> next_timeout() const;

private:
    enum class Stage { idle, naptr, services, addresses, over };
    struct Service {
        DnsName name;
        Transport transport;
    };
    struct Host {
        DnsName name;
        std::uint16_t port;
    };

    bool supports(Transport transport) const;
    Result<void> read_request();
    Result<Transport> transport_without_dns() const;
    void ask(DnsName name, RecordType type);
    const Answer* answer_to(const DnsName& name, RecordType type) const;

    LocationActions advance(TimePoint now);
    bool naptr_settled(TimePoint now);
    bool service_settled(TimePoint now);
    bool addresses_settled(TimePoint now);

    void use_services(std::vector<Service> services);
    std::vector<Service> services_of(const Answer& naptr) const;
    std::vector<Service> default_services() const;
    void use_hosts(std::vector<Host> hosts, Transport transport, TimePoint now);
    void use_own_addresses(TimePoint now);
    std::vector<Address> addresses_of(const DnsName& name) const;
    std::vector<Target> targets() const;
    void finish(Result<std::vector<Target>> result);
    std::string reasons() const;

    LocationRequest request_;
    Capabilities capabilities_;
    Random random_;
    DnsName name_;
    Transport fallback_ = Transport::udp;  ///< for the host's own addresses

    Stage stage_ = Stage::idle;
    TimePoint start_{}, asked_addresses_{};
    bool patience_over_ = false;
    bool late_ = false;  ///< the deadline has passed: nothing more is asked
    std::map<Question, std::optional<Answer>> asked_;
    std::vector<Service> services_;
    std::size_t service_ = 0;   ///< the one being looked at
    bool declined_ = false;     ///< a service said "." (RFC 2782)
    bool named_hosts_ = false;  ///< a service named hosts
    std::vector<Host> hosts_;
    Transport transport_ = Transport::udp;  ///< of hosts_
    LocationActions out_;
};

}  // namespace stox::net
