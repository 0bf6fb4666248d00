#include "sip/endpoint.h"

#include "mapping/core/handle.h"
#include "sip/decode.h"
#include "sip/encode.h"
#include "sip/guard.h"
#include "sip/sofia_library.h"
#include "sip/sofia_loop.h"
#include "sip/transports.h"

#include <boost/asio/post.hpp>

#include <sofia-sip/nta.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/tport_tag.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace stox::sip {

namespace {

using Agent = Handle<nta_agent_t, &nta_agent_destroy>;
using Leg = Handle<nta_leg_t, &nta_leg_destroy>;
using Incoming = Handle<nta_incoming_t, &nta_incoming_destroy>;
using Outgoing = Handle<nta_outgoing_t, &nta_outgoing_destroy>;

const url_string_t* as_url(const std::string& text) { return reinterpret_cast<const url_string_t*>(text.c_str()); }

sip_payload_t* payload_of(su_home_t* home, const std::string& body) {
    return body.empty() ? nullptr : sip_payload_create(home, body.data(), static_cast<isize_t>(body.size()));
}

Response made_here(int status) {
    Response response;
    response.status = status;
    return response;
}

}  // namespace

/// Callbacks of nta carry numbers, never addresses: a number whose owner is gone is looked up and not found.
struct Endpoint::Impl {
    Impl(boost::asio::io_context& loop_, Settings settings_, OnRequest on_request_)
        : loop(loop_), settings(std::move(settings_)), on_request(std::move(on_request_)), number(++last_number) {
        registry.emplace(number, this);
    }
    ~Impl() { registry.erase(number); }

    Result<void> open();
    int receive(nta_incoming_t* raw, const sip_t& message);
    void after_step();
    void reply(nta_incoming_t* transaction, const Response& response);
    void send(Request request, NextHop next_hop, OnOutcome on_outcome);
    int outcome(std::uint64_t id, nta_outgoing_t* raw, const sip_t* message);
    void deliver(OnOutcome on_outcome, Outcome outcome);

    static int on_incoming(nta_leg_magic_t* magic, nta_leg_t*, nta_incoming_t* raw, const sip_t* message) noexcept;
    static int on_response(nta_outgoing_magic_t* magic, nta_outgoing_t* raw, const sip_t* message) noexcept;

    // One endpoint's number in the upper bits, so that the number of a transaction finds its endpoint too.
    static constexpr unsigned kShift = 48;
    inline static std::uint64_t last_number = 0;
    inline static std::unordered_map<std::uint64_t, Impl*> registry;
    static Impl* find(std::uint64_t id) {
        const auto found = registry.find(id >> kShift);
        return found == registry.end() ? nullptr : found->second;
    }
    std::uint64_t next_id() { return (number << kShift) | ++last_id; }

    struct Pending {
        Outgoing transaction;
        OnOutcome on_outcome;
    };

    boost::asio::io_context& loop;
    Settings settings;
    OnRequest on_request;
    const std::uint64_t number;
    std::uint64_t last_id = 0;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);

    std::unique_ptr<SofiaLoop> sofia;
    Agent agent;
    Leg everything;  ///< the default leg: every request that starts outside a dialog of ours, which is every one
    std::unique_ptr<Transports> transports;
    std::unordered_map<std::uint64_t, Incoming> incoming;
    std::unordered_map<std::uint64_t, Pending> outgoing;
    // Nothing is freed or answered inside a callback of nta's; it waits here until its loop has turned.
    std::vector<std::pair<Incoming, Response>> answer_later;
    std::vector<Outgoing> finished;
    std::vector<Incoming> acknowledgements;
};

Result<void> Endpoint::Impl::open() {
    init_sofia();
    auto made = SofiaLoop::create(loop, [this] { after_step(); });
    if (!made) return made.error();
    sofia = std::move(made).value();

    const auto no_contact = reinterpret_cast<const url_string_t*>(-1);  // listeners are added one by one below
    agent.reset(nta_agent_create(sofia->root(), no_contact, nullptr, nullptr, NTATAG_UA(1), NTATAG_MCLASS(guarded_messages()),
                                 NTATAG_MAXSIZE(static_cast<unsigned>(settings.max_message)),
                                 NTATAG_MAX_PROCEEDING(static_cast<unsigned>(settings.max_transactions) + 64),
                                 NTATAG_SERVER_RPORT(1),
                                 // The caller chose the transport; merged requests are its affair as well.
                                 NTATAG_UDP_MTU(65'535), NTATAG_MERGE_482(0), TPTAG_SDWN_ERROR(1), TAG_END()));
    if (!agent) return fail(Code::unavailable, "the SIP stack cannot start");
    everything.reset(nta_leg_tcreate(agent.get(), &Impl::on_incoming, reinterpret_cast<nta_leg_magic_t*>(number << kShift),
                                     NTATAG_NO_DIALOG(1), TAG_END()));
    if (!everything) return fail(Code::unavailable, "the SIP stack cannot start");
    auto opened = Transports::open(loop, agent.get(), settings);
    if (!opened) return opened.error();
    transports = std::move(opened).value();
    return ok();
}

int Endpoint::Impl::on_incoming(nta_leg_magic_t* magic, nta_leg_t*, nta_incoming_t* raw, const sip_t* message) noexcept {
    auto* self = find(reinterpret_cast<std::uint64_t>(magic));
    return self && message ? self->receive(raw, *message) : 503;
}

int Endpoint::Impl::receive(nta_incoming_t* raw, const sip_t& message) {
    Incoming transaction(raw);
    const auto refuse = [&](int status, std::vector<Header> headers = {}) {
        auto response = made_here(status);
        response.headers = std::move(headers);
        answer_later.emplace_back(std::move(transaction), std::move(response));
        return 0;
    };
    const bool is_ack = nta_incoming_method(raw) == sip_method_ack;
    if (!is_ack && incoming.size() >= settings.max_transactions) return refuse(503, {{"Retry-After", "2"}});

    auto request = decode_request(message);
    if (!request) return refuse(request.error().code == Code::unsupported ? 416 : 400);
    IncomingRequest in;
    in.transaction = next_id();
    in.request = std::move(request).value();
    auto origin = transports->origin(raw);
    in.source = origin.source;
    in.transport = origin.transport;
    in.flow = origin.flow;
    in.tls_names = std::move(origin.tls_names);
    if (is_ack)
        acknowledgements.push_back(std::move(transaction));
    else
        incoming.emplace(in.transaction, std::move(transaction));
    boost::asio::post(loop, [this, still = std::weak_ptr(alive), in = std::move(in)]() mutable {
        if (!still.expired()) on_request(std::move(in));
    });
    return 0;
}

void Endpoint::Impl::after_step() {
    for (auto& [transaction, response] : std::exchange(answer_later, {})) reply(transaction.get(), response);
    finished.clear();
    acknowledgements.clear();
}

void Endpoint::Impl::reply(nta_incoming_t* transaction, const Response& response) {
    const auto reason = response.reason.empty() ? std::string(reason_phrase(response.status)) : header_value(response.reason);
    const auto lines = header_lines(response.headers);
    const auto content_type = header_value(response.content_type);
    su_home_t home[1] = {SU_HOME_INIT(home)};
    auto* payload = payload_of(home, response.body);
    const char* phrase = reason.empty() ? "Unknown" : reason.c_str();
    const int sent = nta_incoming_treply(transaction, response.status, phrase,
                                         TAG_IF(!settings.user_agent.empty(), SIPTAG_SERVER_STR(settings.user_agent.c_str())),
                                         TAG_IF(!lines.empty(), SIPTAG_HEADER_STR(lines.c_str())),
                                         TAG_IF(!content_type.empty(), SIPTAG_CONTENT_TYPE_STR(content_type.c_str())),
                                         TAG_IF(payload, SIPTAG_PAYLOAD(payload)), TAG_END());
    su_home_deinit(home);
    // The library writes no message around a header that it cannot read. The peer is owed its answer all the same.
    if (sent < 0) nta_incoming_treply(transaction, response.status, phrase, TAG_END());
}

void Endpoint::Impl::deliver(OnOutcome on_outcome, Outcome outcome) {
    boost::asio::post(loop,
                      [still = std::weak_ptr(alive), on_outcome = std::move(on_outcome), outcome = std::move(outcome)]() mutable {
                          if (!still.expired()) on_outcome(std::move(outcome));
                      });
}

void Endpoint::Impl::send(Request request, NextHop next_hop, OnOutcome on_outcome) {
    su_home_t home[1] = {SU_HOME_INIT(home)};
    const auto target = request.uri.to_string();
    // Parsed first: the creation of a request ends the process when it is given text that is no URL.
    const url_t* url = check_writable(request) ? url_make(home, target.c_str()) : nullptr;
    if (!url) {
        su_home_deinit(home);
        return deliver(std::move(on_outcome), {made_here(503), Outcome::Local::transport});
    }
    const auto id = next_id();
    const auto way = transports->way(next_hop);
    const auto from = name_addr_value(request.from), to = name_addr_value(request.to);
    const auto content_type = header_value(request.content_type);
    const auto cseq = std::to_string(request.cseq) + ' ' + request.method;
    const auto hops = std::to_string(request.max_forwards);
    const auto lines = header_lines(request.headers);
    auto* payload = payload_of(home, request.body);

    // A failure can be told from inside the creation, so the transaction is known before it exists.
    outgoing.emplace(id, Pending{nullptr, std::move(on_outcome)});
    auto* raw = nta_outgoing_tcreate(
        everything.get(), &Impl::on_response, reinterpret_cast<nta_outgoing_magic_t*>(id), as_url(way.url),
        sip_method_code(request.method.c_str()), request.method.c_str(), reinterpret_cast<const url_string_t*>(url),
        SIPTAG_FROM_STR(from.c_str()), SIPTAG_TO_STR(to.c_str()), SIPTAG_CALL_ID_STR(request.call_id.c_str()),
        SIPTAG_CSEQ_STR(cseq.c_str()), SIPTAG_MAX_FORWARDS_STR(hops.c_str()),
        TAG_IF(!settings.user_agent.empty(), SIPTAG_USER_AGENT_STR(settings.user_agent.c_str())),
        TAG_IF(!lines.empty(), SIPTAG_HEADER_STR(lines.c_str())),
        TAG_IF(!content_type.empty(), SIPTAG_CONTENT_TYPE_STR(content_type.c_str())), TAG_IF(payload, SIPTAG_PAYLOAD(payload)),
        TAG_IF(way.port, NTATAG_TPORT(way.port)), TAG_END());
    su_home_deinit(home);
    sofia->touched();

    const auto pending = outgoing.find(id);
    if (pending == outgoing.end()) {
        if (raw) finished.emplace_back(raw);
    } else if (raw) {
        pending->second.transaction.reset(raw);
    } else {
        deliver(std::move(pending->second.on_outcome), {made_here(503), Outcome::Local::transport});
        outgoing.erase(pending);
    }
}

int Endpoint::Impl::on_response(nta_outgoing_magic_t* magic, nta_outgoing_t* raw, const sip_t* message) noexcept {
    const auto id = reinterpret_cast<std::uint64_t>(magic);
    auto* self = find(id);
    return self ? self->outcome(id, raw, message) : 0;
}

int Endpoint::Impl::outcome(std::uint64_t id, nta_outgoing_t* raw, const sip_t* message) {
    const int status = message && message->sip_status ? message->sip_status->st_status : nta_outgoing_status(raw);
    if (message && status < 200) return 0;
    const auto pending = outgoing.find(id);
    if (pending == outgoing.end()) return 0;
    Outcome outcome;
    if (!message || nta_sip_is_internal(message)) {
        const bool timeout = status == 408 || status < 300;
        outcome = {made_here(timeout ? 408 : 503), timeout ? Outcome::Local::timeout : Outcome::Local::transport};
    } else {
        outcome.response = decode_response(*message);
    }
    deliver(std::move(pending->second.on_outcome), std::move(outcome));
    if (pending->second.transaction) finished.push_back(std::move(pending->second.transaction));
    outgoing.erase(pending);
    sofia->touched();
    return 0;
}

Result<std::unique_ptr<Endpoint>> Endpoint::start(boost::asio::io_context& loop, Settings settings, OnRequest on_request) {
    auto impl = std::make_unique<Impl>(loop, std::move(settings), std::move(on_request));
    if (auto opened = impl->open(); !opened) return opened.error();
    return std::unique_ptr<Endpoint>(new Endpoint(std::move(impl)));
}

Endpoint::Endpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Endpoint::~Endpoint() = default;

std::vector<ListenAddress> Endpoint::listening() const { return impl_->transports->listening(); }

void Endpoint::respond(std::uint64_t transaction, Response response) {
    const auto found = impl_->incoming.find(transaction);
    if (found == impl_->incoming.end()) return;
    impl_->reply(found->second.get(), response);
    if (response.status >= 200) impl_->incoming.erase(found);
    impl_->sofia->touched();
}

void Endpoint::send(Request request, NextHop next_hop, OnOutcome on_outcome) {
    impl_->send(std::move(request), next_hop, std::move(on_outcome));
}

void Endpoint::hold(Flow flow) { impl_->transports->edge().hold(flow); }
void Endpoint::release(Flow flow) { impl_->transports->edge().release(flow); }
void Endpoint::refused(const Address& source) { impl_->transports->edge().refused(source); }
void Endpoint::trust(std::vector<Prefix> sources) { impl_->transports->edge().trust(std::move(sources)); }

Result<void> Endpoint::reload_tls(std::vector<TlsIdentity> identities) {
    return impl_->transports->edge().reload_tls(identities);
}

Counters Endpoint::counters() const { return impl_->transports->edge().counters(); }

}  // namespace stox::sip
