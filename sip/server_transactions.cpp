#include "sip/server_transactions.h"

#include "sip/decode.h"
#include "sip/encode.h"
#include "sip/guard.h"
#include "sip/response_fields.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_util.h>

#include <functional>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace stox::sip {

namespace {

/// nta tells of a missing ACK after 64*T1; when it could not even send the answer it tells nothing.
constexpr std::chrono::seconds kGrace{4};

/// nta puts an INVITE whose final response could not be sent aside, without a timer of its own.
void beware_of_acks(nta_incoming_t* transaction) {
    if (nta_incoming_method(transaction) != sip_method_invite || nta_incoming_status(transaction) >= 200) return;
    msg_t* message = nta_incoming_getrequest(transaction);
    const auto* request = sip_object(message);
    drop_acks_of(request->sip_call_id->i_id, request->sip_cseq->cs_seq);
    msg_destroy(message);
}

Response made_here(int status, std::vector<Header> headers = {}) {
    Response response;
    response.status = status;
    response.headers = std::move(headers);
    return response;
}

bool requires_100rel(const sip_t& message) { return message.sip_require && sip_has_feature(message.sip_require, "100rel"); }

/// Whether a repetition of the request would be refused just the same, so that nothing of it needs to be kept.   (RFC 3261
/// §8.2.7) In a dialog this holds for answers that left the dialog as it was.
bool needs_no_memory(const sip_t& request, int status) {
    if (status < 300) return false;
    if (!request.sip_to->a_tag) return true;
    return status == 400 || status == 401 || status == 403 || status == 481 || status == 503;
}

/// nta names the address only where the Via says another one; who asks for the port is owed both.   (RFC 3581 §4)
void tell_source(msg_t& message, const Address& source) {
    auto* via = sip_object(&message)->sip_via;
    if (!via->v_rport || via->v_received) return;
    const auto* received = su_strdup(msg_home(&message), ("received=" + source.to_string()).c_str());
    msg_header_replace_param(msg_home(&message), via->v_common, received);
}

/// What nta takes for a transaction, as measured: from 8 kB for a short message to 117 kB for one of 26 kB with 61 Vias.
std::size_t memory_of(msg_t& message) { return 8'192 + 4 * msg_size(&message); }

/// The same for each repetition of a request, and no other host's guess.
std::string stateless_tag(const sip_t& request) {
    static const auto salt = std::to_string(std::random_device{}());
    const auto* branch = request.sip_via->v_branch;
    return "z" + std::to_string(std::hash<std::string>{}(salt + request.sip_call_id->i_id + (branch ? branch : "") +
                                                         std::to_string(request.sip_cseq->cs_seq)));
}

std::string phrase(const Response& response) {
    const auto given = response.reason.empty() ? std::string(reason_phrase(response.status)) : header_value(response.reason);
    return given.empty() ? "Unknown" : given;
}

/// An ACK acknowledges whatever else it says.
std::shared_ptr<Request> decode_ack(const sip_t& message) {
    auto ack = std::make_shared<Request>();
    if (decode_request(message, *ack)) return ack;
    *ack = {};
    ack->method = "ACK";
    ack->call_id = message.sip_call_id->i_id;
    ack->cseq = message.sip_cseq->cs_seq;
    return ack;
}

}  // namespace

ServerTransactions::ServerTransactions(Stack& stack, Endpoint::Events events)
    : stack_(stack),
      events_(std::move(events)),
      overload_(stack.settings),
      open_acks_(stack.settings.max_open_acks, stack.settings.max_open_acks_of_source),
      unacknowledged_(stack.loop, kT1x64 + kGrace, [this](std::uint64_t number) { unacknowledged(number); }),
      repeating_(stack.loop, kT1x64, [this](std::uint64_t octets) { octets_ -= octets; }),
      numbers_(this) {}

int ServerTransactions::on_message(nta_agent_magic_t* magic, nta_agent_t*, msg_t* raw, sip_t* message) noexcept {
    Message owned(raw);
    auto* self = Numbered<ServerTransactions>::find(Numbered<ServerTransactions>::number(magic));
    // A response belongs to a transaction of ours or to nothing; an ACK here to an answer that was refused or is forgotten.
    if (self && message && message->sip_request && message->sip_request->rq_method != sip_method_ack)
        self->receive(std::move(owned));
    return 0;
}

void ServerTransactions::receive(Message message) {
    const auto& sip = *sip_object(message.get());
    Port port(nta_incoming_transport(stack_.agent.get(), nullptr, message.get()));
    auto origin = stack_.transports->origin(message.get(), port.get());
    Held held{std::move(message), std::move(port), origin.source.address, {}};
    const auto refuse = [&](Response response) { refuse_later_.emplace_back(std::move(held), std::move(response)); };
    // It belongs to no INVITE that waits for it.   (RFC 3261 §9.2)
    if (sip.sip_request->rq_method == sip_method_cancel) return refuse(made_here(481));
    if (!has_room(held)) return refuse(made_here(503, {{"Retry-After", "2"}}));
    held.request = std::make_unique<IncomingRequest>();
    auto& in = *held.request;
    if (auto read = decode_request(sip, in.request); !read)
        return refuse(made_here(read.error().code == Code::unsupported ? 416 : 400));

    const auto number = numbers_.next();
    in.transaction = number;
    tell_source(*held.message, origin.source.address);
    in.source = origin.source;
    in.transport = origin.transport;
    in.flow = origin.flow;
    in.tls = std::move(origin.tls);
    held_.emplace(number, std::move(held));
    ++waiting_;
    stack_.turn.later([this, number] { tell(number); });
}

/// For one more request; that there is none is counted and told.
bool ServerTransactions::has_room(const Held& held) {
    using Limit = Overload::Limit;
    const auto& sip = *sip_object(held.message.get());
    const bool new_call = sip.sip_request->rq_method == sip_method_invite && !sip.sip_to->a_tag;
    std::optional<Limit> over;
    if (waiting_ >= stack_.settings.max_transactions)
        over = Limit::requests;
    else if (octets_ >= stack_.settings.max_transaction_octets)
        over = Limit::memory;
    else if (new_call && open_acks_.is_full())
        over = Limit::acks;
    else if (new_call && !open_acks_.has_room(held.source))
        over = Limit::acks_of_source;
    if (over) overload_.refused(*over, held.source, std::chrono::steady_clock::now());
    return !over;
}

void ServerTransactions::count(Counters& counters) const {
    counters.requests = told_;
    counters.refused_requests = overload_.over_requests();
    counters.refused_memory = overload_.over_memory();
    counters.refused_open_acks = overload_.over_acks();
}

void ServerTransactions::tell(std::uint64_t number) {
    const auto found = held_.find(number);
    const auto* sip = sip_object(found->second.message.get());
    if (nta_incoming_find(stack_.agent.get(), sip, sip->sip_via)) {  // a repetition that came in the same turn as the first
        held_.erase(found);
        --waiting_;
        return;
    }
    const auto request = std::move(found->second.request);
    ++told_;
    events_.request(std::move(*request));
    if (held_.contains(number)) keep(number);
}

/// Makes a transaction of it: from now on nta knows its repetitions, its CANCEL and its ACK.
ServerTransactions::Servers::iterator ServerTransactions::keep(std::uint64_t number) {
    const auto node = held_.extract(number);
    auto& held = node.mapped();
    const auto& sip = *sip_object(held.message.get());
    const bool is_invite = sip.sip_request->rq_method == sip_method_invite;
    Server server{nullptr, is_invite, is_invite && requires_100rel(sip), memory_of(*held.message),
                  held.port && !tport_is_reliable(held.port.get())};
    server.source = held.source;
    server.transaction.reset(nta_incoming_create(stack_.agent.get(), nullptr, held.message.release(), nullptr,
                                                 TAG_IF(held.port, NTATAG_TPORT(held.port.get())), TAG_END()));
    if (!server.transaction) {  // out of memory
        --waiting_;
        return servers_.end();
    }
    if (is_invite)
        nta_incoming_bind(server.transaction.get(), &ServerTransactions::on_ack_or_cancel,
                          numbers_.magic<nta_incoming_magic_t>(number));
    stack_.sofia->touched();
    octets_ += server.octets;
    return servers_.emplace(number, std::move(server)).first;
}

int ServerTransactions::on_ack_or_cancel(nta_incoming_magic_t* magic, nta_incoming_t*, const sip_t* message) noexcept {
    const auto number = Numbered<ServerTransactions>::number(magic);
    auto* self = Numbered<ServerTransactions>::find(number);
    if (!self) return 0;
    if (!message || !message->sip_request)
        self->unacknowledged(number);
    else if (message->sip_request->rq_method == sip_method_ack)
        self->acknowledged(number, *message);
    else
        self->cancelled(number);
    return 0;
}

void ServerTransactions::acknowledged(std::uint64_t number, const sip_t& message) {
    const auto found = servers_.find(number);
    if (found == servers_.end() || !found->second.answered) return;
    finish(found);
    stack_.turn.later([this, number, ack = decode_ack(message)] {
        if (events_.acknowledged) events_.acknowledged(number, std::move(*ack));
    });
}

void ServerTransactions::cancelled(std::uint64_t number) {
    const auto found = servers_.find(number);
    if (found == servers_.end() || found->second.answered) return;
    stack_.turn.later([this, number] {
        if (events_.cancelled)
            events_.cancelled(number);
        else
            respond(number, made_here(487));
    });
}

void ServerTransactions::unacknowledged(std::uint64_t number) {
    const auto found = servers_.find(number);
    if (found == servers_.end() || !found->second.answered) return;
    finish(found);
    stack_.turn.later([this, number] {
        if (events_.unacknowledged) events_.unacknowledged(number);
    });
}

void ServerTransactions::finish(Servers::iterator found) {
    finished_.push_back(std::move(found->second.transaction));
    forget(found);
    stack_.sofia->touched();
}

void ServerTransactions::forget(Servers::iterator found) {
    if (found->second.answered) open_acks_.remove(found->second.source);
    if (found->second.repeats)
        repeating_.add(found->second.octets);
    else
        octets_ -= found->second.octets;
    servers_.erase(found);
}

void ServerTransactions::after_step() {
    for (auto& [held, response] : std::exchange(refuse_later_, {})) refuse(std::move(held), response);
    finished_.clear();
}

void ServerTransactions::respond(std::uint64_t number, const Response& response) {
    if (response.status < 100 || response.status > 699) return;
    if (const auto held = held_.find(number); held != held_.end()) {
        if (needs_no_memory(*sip_object(held->second.message.get()), response.status)) {
            --waiting_;
            return refuse(std::move(held_.extract(held).mapped()), response);
        }
        keep(number);
    }
    const auto found = servers_.find(number);
    if (found == servers_.end() || found->second.answered) return;
    auto& server = found->second;
    // RFC 3262 §3. nta would make a reliable one of it, with an RSeq that nobody else knows of.
    if (server.reliable_only && response.status > 100 && response.status < 200 && !response.header("RSeq")) return;
    write(server.transaction.get(), response);
    stack_.sofia->touched();
    if (response.status < 200) return;
    --waiting_;
    if (!server.is_invite || response.status >= 300) return forget(found);
    server.answered = true;
    open_acks_.add(server.source);
    if (nta_incoming_status(server.transaction.get()) < 200)  // there was no way to send it
        unacknowledged(number);
    else
        unacknowledged_.add(number);
}

void ServerTransactions::write(nta_incoming_t* transaction, const Response& response) {
    if (response.status > 100 && is_token(response.to_tag)) nta_incoming_tag(transaction, response.to_tag.c_str());
    const auto reason = phrase(response);
    auto message = response_fields(stack_.agent.get(), stack_.settings.user_agent, response);
    if (message && nta_incoming_complete_response(transaction, message.get(), response.status, reason.c_str(), TAG_END()) >= 0)
        nta_incoming_mreply(transaction, message.release());
    else if (response.status >= 200)  // the peer is owed its final answer all the same
        nta_incoming_treply(transaction, response.status, reason.c_str(), TAG_END());
    if (response.status >= 200) beware_of_acks(transaction);
}

void ServerTransactions::refuse(Held held, const Response& response) {
    auto message = response_fields(stack_.agent.get(), stack_.settings.user_agent, response);
    if (!message) message.reset(nta_msg_create(stack_.agent.get(), 0));
    auto* sip = sip_object(message.get());
    const auto& request = *sip_object(held.message.get());
    sip->sip_to = sip_to_dup(msg_home(message.get()), request.sip_to);
    const auto tag = is_token(response.to_tag) ? response.to_tag : stateless_tag(request);
    if (!request.sip_to->a_tag) sip_to_tag(msg_home(message.get()), sip->sip_to, tag.c_str());
    nta_msg_mreply(stack_.agent.get(), message.release(), sip, response.status, phrase(response).c_str(), held.message.release(),
                   TAG_IF(held.port, NTATAG_TPORT(held.port.get())), TAG_END());
    stack_.sofia->touched();
}

}  // namespace stox::sip
