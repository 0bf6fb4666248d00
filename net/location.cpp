#include "net/location.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace stox::net {

namespace {

struct ServiceRow {
    std::string_view naptr_service;  ///< RFC 3263 §4.1
    Transport transport;
    std::string_view srv_prefix;  ///< RFC 3263 §4.2
};
constexpr std::array kServices{
    ServiceRow{"sips+d2t", Transport::tls, "_sips._tcp."},
    ServiceRow{"sip+d2t", Transport::tcp, "_sip._tcp."},
    ServiceRow{"sip+d2u", Transport::udp, "_sip._udp."},
};

constexpr std::uint16_t default_port(Transport transport) {
    return transport == Transport::tls ? 5061 : 5060;
}  // RFC 3261 §19.1.2

/// Whether the last label of a name may be one: a broken address such as 192.0.2.300 is not asked for.   (RFC 3261 §25.1,
/// toplabel)
bool ends_like_a_name(const DnsName& name) {
    const auto& text = name.text();
    const char first = text[text.rfind('.') + 1];  // npos + 1 is 0
    return first >= 'a' && first <= 'z';
}

std::vector<Address> in_family_order(std::vector<Address> six, std::vector<Address> four, const Capabilities& capabilities) {
    auto& first = capabilities.prefer_ipv6 ? six : four;
    auto& second = capabilities.prefer_ipv6 ? four : six;
    std::vector<Address> ordered;
    if (capabilities.order == FamilyOrder::grouped) {
        ordered = std::move(first);
        ordered.insert(ordered.end(), second.begin(), second.end());
        return ordered;
    }
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) ordered.push_back(first[i]);
        if (i < second.size()) ordered.push_back(second[i]);
    }
    return ordered;
}

}  // namespace

Location::Location(LocationRequest request, Capabilities capabilities, Random random)
    : request_(std::move(request)), capabilities_(std::move(capabilities)), random_(std::move(random)) {
    if (request_.transport == Transport::tls) request_.secure = true;
    // sips means TLS over TCP, whichever of the two the URI names (RFC 3261 §26.2.2).
    if (request_.secure && request_.transport == Transport::tcp) request_.transport = Transport::tls;
}

LocationActions Location::start(TimePoint now) {
    start_ = now;
    if (const auto readable = read_request(); !readable) {
        finish(readable.error());
        return std::exchange(out_, {});
    }
    if (stage_ == Stage::over) return std::exchange(out_, {});
    if (request_.port) {
        use_own_addresses(now);
    } else if (request_.transport) {
        use_services(default_services());
    } else {
        stage_ = Stage::naptr;
        ask(name_, RecordType::naptr);
    }
    return advance(now);
}

LocationActions Location::on_answer(const Question& question, Answer answer, TimePoint now) {
    const auto asked = asked_.find(question);
    if (stage_ == Stage::over || asked == asked_.end() || asked->second) return {};
    asked->second = std::move(answer);
    return advance(now);
}

LocationActions Location::on_time(TimePoint now) { return advance(now); }

std::optional<TimePoint> Location::next_timeout() const {
    switch (stage_) {
        case Stage::naptr:
            return start_ + kNaptrLimit;
        case Stage::services:
            return start_ + kSrvLimit;
        case Stage::addresses:
            return patience_over_ ? start_ + kDeadline : std::min(asked_addresses_ + kAddressPatience, start_ + kDeadline);
        case Stage::idle:
        case Stage::over:
            break;
    }
    return std::nullopt;
}

// The request

bool Location::supports(Transport transport) const {
    return std::ranges::find(capabilities_.transports, transport) != capabilities_.transports.end();
}

/// RFC 3263 §4.1 where no question decides it: the one the URI names, else UDP for sip and TLS over TCP for sips.
Result<Transport> Location::transport_without_dns() const {
    if (request_.secure && request_.transport.value_or(Transport::tls) != Transport::tls)
        return fail(Code::unsupported, request_.host + ": sips over " + std::string(to_string(*request_.transport)));
    if (request_.transport || request_.secure) {
        const auto wanted = request_.transport.value_or(Transport::tls);
        if (!supports(wanted))
            return fail(Code::unsupported, request_.host + ": no listener for " + std::string(to_string(wanted)));
        return wanted;
    }
    for (const auto transport : {Transport::udp, Transport::tcp, Transport::tls})
        if (supports(transport)) return transport;
    return fail(Code::unsupported, request_.host + ": no transport to send by");
}

/// Ends the search at once for an address; else name_ is what to ask for.
Result<void> Location::read_request() {
    const auto transport = transport_without_dns();
    if (!transport) return transport.error();
    fallback_ = transport.value();
    if (request_.port == 0) return fail(Code::malformed, request_.host + ": port 0");
    if (const auto address = Address::parse(request_.host)) {
        const bool four = address.value().is_v4();
        if (!(four ? capabilities_.ipv4 : capabilities_.ipv6))
            return fail(Code::unsupported, request_.host + (four ? ": no IPv4 here" : ": no IPv6 here"));
        if (request_.tls_name.empty()) request_.tls_name = address.value().to_string();
        const auto port = request_.port.value_or(default_port(fallback_));
        finish(std::vector{Target{fallback_, {address.value(), port}, request_.tls_name, request_.domain}});
        return ok();
    }
    auto name = DnsName::parse(request_.host);
    if (!name) return fail(Code::malformed, "host of a SIP URI: " + name.error().detail);
    if (name.value().is_root() || !ends_like_a_name(name.value()))
        return fail(Code::malformed, "host that is neither a name nor an address");
    if (!capabilities_.ipv4 && !capabilities_.ipv6) return fail(Code::unsupported, "neither IPv4 nor IPv6 here");
    name_ = std::move(name).value();
    if (request_.tls_name.empty()) request_.tls_name = name_.text();
    return ok();
}

// The search

void Location::ask(DnsName name, RecordType type) {
    if (late_ || asked_.size() >= kMaxQuestions) return;
    Question question{std::move(name), type, request_.domain};
    if (asked_.emplace(question, std::nullopt).second) out_.push_back(Ask{std::move(question)});
}

/// nullptr: not yet answered. What was never asked, because there was no time or too much to ask, counts as unanswered for good.
const Answer* Location::answer_to(const DnsName& name, RecordType type) const {
    static const Answer never = no_answer(AnswerStatus::timed_out);
    const auto asked = asked_.find({name, type, request_.domain});
    if (asked == asked_.end()) return &never;
    return asked->second ? &*asked->second : nullptr;
}

LocationActions Location::advance(TimePoint now) {
    late_ = now >= start_ + kDeadline;
    bool settled = true;
    while (settled) {
        switch (stage_) {
            case Stage::naptr:
                settled = naptr_settled(now);
                break;
            case Stage::services:
                settled = service_settled(now);
                break;
            case Stage::addresses:
                settled = addresses_settled(now);
                break;
            case Stage::idle:
            case Stage::over:
                settled = false;
        }
    }
    return std::exchange(out_, {});
}

bool Location::naptr_settled(TimePoint now) {
    const auto* answer = answer_to(name_, RecordType::naptr);
    if (!answer && now < start_ + kNaptrLimit) return false;
    auto services = answer ? services_of(*answer) : std::vector<Service>{};
    // The transport of the best NAPTR also holds for the host's own addresses, should no SRV be there (RFC 3263 §4.2).
    if (!services.empty()) fallback_ = services.front().transport;
    use_services(services.empty() ? default_services() : std::move(services));
    return true;
}

std::vector<Location::Service> Location::services_of(const Answer& naptr) const {
    std::vector<NaptrRecord> records;
    for (const auto& record : naptr.records)
        if (const auto* value = std::get_if<NaptrRecord>(&record)) records.push_back(*value);
    std::ranges::stable_sort(records, {}, [](const NaptrRecord& r) { return std::pair(r.order, r.preference); });
    std::vector<Service> services;
    for (const auto& record : records) {
        const auto row = std::ranges::find(kServices, std::string_view(record.service), &ServiceRow::naptr_service);
        if (row == kServices.end() || record.flags != "s" || record.replacement.is_root()) continue;
        if (!supports(row->transport) || (request_.secure && row->transport != Transport::tls)) continue;
        if (services.size() < kMaxServices) services.push_back({record.replacement, row->transport});
    }
    return services;
}

/// Those of the transport that the request names, else of all that we have, best first. A name too long for the prefix has none.
std::vector<Location::Service> Location::default_services() const {
    std::vector<Service> services;
    for (const auto transport : capabilities_.transports) {
        if (request_.secure ? transport != Transport::tls : request_.transport && transport != *request_.transport) continue;
        const auto row = std::ranges::find(kServices, transport, &ServiceRow::transport);
        if (auto name = DnsName::parse(std::string(row->srv_prefix) + name_.text()))
            services.push_back({std::move(name).value(), transport});
    }
    return services;
}

void Location::use_services(std::vector<Service> services) {
    stage_ = Stage::services;
    services_ = std::move(services);
    for (const auto& service : services_) ask(service.name, RecordType::srv);
}

/// The first service with targets is used and no other: what comes after it is another transport, and a failure of TLS is no
/// reason to go on in clear (RFC 3263 §4.2).
bool Location::service_settled(TimePoint now) {
    if (service_ == services_.size()) {
        if (named_hosts_ || declined_)
            finish(fail(Code::unavailable,
                        name_.text() + (named_hosts_ ? ": its SRV targets have no address we can reach" + reasons()
                                                     : ": says by SRV that SIP is not available there")));
        else
            use_own_addresses(now);
        return stage_ != Stage::over;
    }
    const auto& service = services_[service_];
    const auto* answer = answer_to(service.name, RecordType::srv);
    if (!answer && now < start_ + kSrvLimit) return false;
    std::vector<SrvRecord> records;
    if (answer)
        for (const auto& record : answer->records)
            if (const auto* value = std::get_if<SrvRecord>(&record)) records.push_back(*value);
    const auto refused = std::erase_if(records, [](const SrvRecord& r) { return r.target.is_root(); });
    declined_ = declined_ || (refused > 0 && records.empty());
    std::erase_if(records, [](const SrvRecord& r) { return r.port == 0; });
    if (records.empty()) {
        ++service_;
        return true;
    }
    named_hosts_ = true;
    std::vector<Host> hosts;
    for (auto& record : in_srv_order(std::move(records), random_))
        if (hosts.size() < kMaxHosts) hosts.push_back({std::move(record.target), record.port});
    use_hosts(std::move(hosts), service.transport, now);
    return true;
}

/// Where no SRV was found, or none was to be looked for.
void Location::use_own_addresses(TimePoint now) {
    service_ = services_.size();
    use_hosts({{name_, request_.port.value_or(default_port(fallback_))}}, fallback_, now);
}

void Location::use_hosts(std::vector<Host> hosts, Transport transport, TimePoint now) {
    stage_ = Stage::addresses;
    asked_addresses_ = now;
    hosts_ = std::move(hosts);
    transport_ = transport;
    patience_over_ = false;
    for (const auto& host : hosts_) {
        if (capabilities_.ipv6) ask(host.name, RecordType::aaaa);
        if (capabilities_.ipv4) ask(host.name, RecordType::a);
    }
}

bool Location::addresses_settled(TimePoint now) {
    patience_over_ = now >= asked_addresses_ + kAddressPatience;
    const bool all = std::ranges::all_of(hosts_, [this](const Host& host) {
        return (!capabilities_.ipv6 || answer_to(host.name, RecordType::aaaa)) &&
               (!capabilities_.ipv4 || answer_to(host.name, RecordType::a));
    });
    auto found = targets();
    if (!all && !late_ && (!patience_over_ || found.empty())) return false;
    if (!found.empty()) {
        finish(std::move(found));
    } else if (service_ < services_.size()) {
        ++service_;
        stage_ = Stage::services;
    } else {
        finish(fail(Code::unavailable, name_.text() + ": no address" + reasons()));
    }
    return stage_ != Stage::over;
}

std::vector<Address> Location::addresses_of(const DnsName& name) const {
    std::vector<Address> six, four;
    for (const auto type : {RecordType::aaaa, RecordType::a}) {
        const auto* answer = answer_to(name, type);
        if (!answer) continue;
        for (const auto& record : answer->records) {
            const auto* address = std::get_if<Address>(&record);
            if (address && address->is_v4() == (type == RecordType::a)) (address->is_v4() ? four : six).push_back(*address);
        }
    }
    return in_family_order(std::move(six), std::move(four), capabilities_);
}

std::vector<Target> Location::targets() const {
    std::vector<Target> found;
    for (const auto& host : hosts_)
        for (const auto& address : addresses_of(host.name)) {
            Target target{transport_, {address, host.port}, request_.tls_name, request_.domain};
            if (found.size() < kMaxTargets && std::ranges::find(found, target) == found.end()) found.push_back(std::move(target));
        }
    return found;
}

void Location::finish(Result<std::vector<Target>> result) {
    stage_ = Stage::over;
    out_.push_back(Located{std::move(result)});
}

/// What was asked in vain, in brackets; a few, for one log line.
std::string Location::reasons() const {
    constexpr std::size_t kShown = 6;
    std::string text;
    std::size_t shown = 0;
    for (const auto& [question, answer] : asked_) {
        if (answer && answer->status == AnswerStatus::found) continue;
        if (++shown > kShown) break;
        text += (text.empty() ? " (" : "; ") + question.to_string() + ": ";
        text += to_string(answer ? answer->status : AnswerStatus::timed_out);
        if (answer && !answer->detail.empty()) text += ", " + answer->detail;
    }
    if (text.empty()) return text;
    return text + (shown > kShown ? "; ...)" : ")");
}

}  // namespace stox::net
