#include "sip/endpoint.h"

#include "sip/client_transactions.h"
#include "sip/guard.h"
#include "sip/server_transactions.h"
#include "sip/sofia_library.h"
#include "sip/stack.h"

#include <sofia-sip/tport_tag.h>

#include <utility>

namespace stox::sip {

struct Endpoint::Impl {
    Impl(boost::asio::io_context& loop, Settings settings, Events events)
        : stack(loop, std::move(settings)), server(stack, std::move(events)), client(stack) {}

    Result<void> open();

    // In this order: both sides let their transactions go while the agent lives.
    Stack stack;
    ServerTransactions server;
    ClientTransactions client;
};

Result<void> Endpoint::Impl::open() {
    init_sofia();
    auto made = SofiaLoop::create(stack.loop, stack.turn, [this] {
        server.after_step();
        client.after_step();
    });
    if (!made) return made.error();
    stack.sofia = std::move(made).value();

    const auto no_contact = reinterpret_cast<const url_string_t*>(-1);  // listeners are added one by one below
    const auto& settings = stack.settings;
    stack.agent.reset(nta_agent_create(
        stack.sofia->root(), no_contact, &ServerTransactions::on_message, server.agent_magic(), NTATAG_UA(1),
        // A request is no transaction before it is known to be worth one.
        NTATAG_STATELESS(1), NTATAG_MCLASS(guarded_messages()), NTATAG_MAXSIZE(static_cast<unsigned>(settings.max_message)),
        NTATAG_MAX_PROCEEDING(static_cast<unsigned>(settings.max_transactions) + 64), NTATAG_SERVER_RPORT(1),
        // The caller chose the transport; merged requests are its affair as well, and so is the 487.
        NTATAG_UDP_MTU(65'535), NTATAG_MERGE_482(0), NTATAG_CANCEL_487(0), TPTAG_SDWN_ERROR(1), TAG_END()));
    if (!stack.agent) return fail(Code::unavailable, "the SIP stack cannot start");
    BOOST_OUTCOME_TRYV(client.open());
    auto opened = Transports::open(stack.loop, stack.turn, *stack.sofia, stack.agent.get(), settings);
    if (!opened) return opened.error();
    stack.transports = std::move(opened).value();
    return ok();
}

Result<std::unique_ptr<Endpoint>> Endpoint::start(boost::asio::io_context& loop, Settings settings, Events events) {
    auto impl = std::make_unique<Impl>(loop, std::move(settings), std::move(events));
    if (auto opened = impl->open(); !opened) return opened.error();
    return std::unique_ptr<Endpoint>(new Endpoint(std::move(impl)));
}

Result<std::unique_ptr<Endpoint>> Endpoint::start(boost::asio::io_context& loop, Settings settings, OnRequest on_request) {
    return start(loop, std::move(settings), Events{std::move(on_request), {}, {}, {}});
}

Endpoint::Endpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Endpoint::~Endpoint() = default;

std::vector<ListenAddress> Endpoint::listening() const { return impl_->stack.transports->listening(); }

void Endpoint::respond(std::uint64_t transaction, const Response& response) { impl_->server.respond(transaction, response); }

ClientTransaction Endpoint::start(const Request& request, const NextHop& next_hop, ClientHandlers handlers) {
    return impl_->client.start(request, next_hop, std::move(handlers));
}

void Endpoint::send(const Request& request, const NextHop& next_hop, OnOutcome on_outcome) {
    impl_->client.start(request, next_hop, {{}, std::move(on_outcome), {}});
}

void Endpoint::hold(Flow flow) { impl_->stack.transports->edge().hold(flow); }
void Endpoint::release(Flow flow) { impl_->stack.transports->edge().release(flow); }
void Endpoint::refused(const Address& source, Transport transport) { impl_->stack.transports->edge().refused(source, transport); }
BanOrder Endpoint::ban(const Address& source, std::chrono::seconds length) {
    return impl_->stack.transports->edge().ban(source, length);
}
bool Endpoint::unban(const Address& source) { return impl_->stack.transports->edge().unban(source); }
std::vector<BannedSource> Endpoint::bans() const { return impl_->stack.transports->edge().bans(); }
void Endpoint::trust(std::vector<Prefix> sources) { impl_->stack.transports->edge().trust(std::move(sources)); }

Result<void> Endpoint::use_tls(TlsSet credentials) { return impl_->stack.transports->edge().use_tls(std::move(credentials)); }

Counters Endpoint::counters() const {
    auto counters = impl_->stack.transports->edge().counters();
    impl_->server.count(counters);
    return counters;
}

void Endpoint::cancel(ClientTransaction transaction, std::vector<Header> headers) {
    impl_->client.cancel(transaction, std::move(headers));
}

void Endpoint::acknowledge(Request ack, NextHop next_hop) { impl_->client.acknowledge(ack, next_hop); }

}  // namespace stox::sip
