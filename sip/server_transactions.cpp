#include "sip/server_transactions.h"

#include "sip/decode.h"
#include "sip/encode.h"
#include "sip/guard.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_util.h>

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

/// An ACK acknowledges whatever else it says.
Request decode_ack(const sip_t& message) {
    if (auto request = decode_request(message)) return std::move(request).value();
    Request bare;
    bare.method = "ACK";
    bare.call_id = message.sip_call_id->i_id;
    bare.cseq = message.sip_cseq->cs_seq;
    return bare;
}

}  // namespace

ServerTransactions::ServerTransactions(Stack& stack, Endpoint::Events events)
    : stack_(stack),
      events_(std::move(events)),
      unacknowledged_(stack.loop, kT1x64 + kGrace, [this](std::uint64_t number) { unacknowledged(number); }),
      numbers_(this) {}

Result<void> ServerTransactions::open() {
    stack_.everything.reset(nta_leg_tcreate(stack_.agent.get(), &ServerTransactions::on_request,
                                            numbers_.magic<nta_leg_magic_t>(numbers_.base()), NTATAG_NO_DIALOG(1), TAG_END()));
    if (!stack_.everything) return fail(Code::unavailable, "the SIP stack cannot start");
    return ok();
}

int ServerTransactions::on_request(nta_leg_magic_t* magic, nta_leg_t*, nta_incoming_t* raw, const sip_t* message) noexcept {
    auto* self = Numbered<ServerTransactions>::find(Numbered<ServerTransactions>::number(magic));
    return self && message ? self->receive(raw, *message) : 503;
}

int ServerTransactions::receive(nta_incoming_t* raw, const sip_t& message) {
    Incoming transaction(raw);
    const auto refuse = [&](Response response) {
        answer_later_.emplace_back(std::move(transaction), std::move(response));
        return 0;
    };
    const auto method = nta_incoming_method(raw);
    // What comes here belongs to no INVITE that waits for it.   (RFC 3261 §9.2, §17.2.3)
    if (method == sip_method_ack) return finished_.push_back(std::move(transaction)), 0;
    if (method == sip_method_cancel) return refuse(made_here(481));
    if (waiting_ >= stack_.settings.max_transactions) return refuse(made_here(503, {{"Retry-After", "2"}}));

    auto request = decode_request(message);
    if (!request) return refuse(made_here(request.error().code == Code::unsupported ? 416 : 400));
    IncomingRequest in;
    in.transaction = numbers_.next();
    in.request = std::move(request).value();
    auto origin = stack_.transports->origin(raw);
    in.source = origin.source;
    in.transport = origin.transport;
    in.flow = origin.flow;
    in.tls = std::move(origin.tls);
    const bool is_invite = method == sip_method_invite;
    if (is_invite)
        nta_incoming_bind(raw, &ServerTransactions::on_ack_or_cancel, numbers_.magic<nta_incoming_magic_t>(in.transaction));
    servers_.emplace(in.transaction, Server{std::move(transaction), is_invite, is_invite && requires_100rel(message), false});
    ++waiting_;
    stack_.post([this, in = std::move(in)]() mutable { events_.request(std::move(in)); });
    return 0;
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
    stack_.post([this, number, ack = decode_ack(message)]() mutable {
        if (events_.acknowledged) events_.acknowledged(number, std::move(ack));
    });
}

void ServerTransactions::cancelled(std::uint64_t number) {
    const auto found = servers_.find(number);
    if (found == servers_.end() || found->second.answered) return;
    stack_.post([this, number] {
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
    stack_.post([this, number] {
        if (events_.unacknowledged) events_.unacknowledged(number);
    });
}

void ServerTransactions::finish(Servers::iterator found) {
    finished_.push_back(std::move(found->second.transaction));
    servers_.erase(found);
    stack_.sofia->touched();
}

void ServerTransactions::after_step() {
    for (auto& [transaction, response] : std::exchange(answer_later_, {})) write(transaction.get(), response);
    finished_.clear();
}

void ServerTransactions::respond(std::uint64_t number, const Response& response) {
    const auto found = servers_.find(number);
    if (found == servers_.end() || found->second.answered || response.status < 100 || response.status > 699) return;
    auto& server = found->second;
    // RFC 3262 §3. nta would make a reliable one of it, with an RSeq that nobody else knows of.
    if (server.reliable_only && response.status > 100 && response.status < 200 && !response.header("RSeq")) return;
    write(server.transaction.get(), response);
    stack_.sofia->touched();
    if (response.status < 200) return;
    --waiting_;
    if (!server.is_invite || response.status >= 300) {
        servers_.erase(found);
        return;
    }
    server.answered = true;
    if (nta_incoming_status(server.transaction.get()) < 200)  // there was no way to send it
        unacknowledged(number);
    else
        unacknowledged_.add(number);
}

void ServerTransactions::write(nta_incoming_t* transaction, const Response& response) {
    if (response.status > 100 && is_token(response.to_tag)) nta_incoming_tag(transaction, response.to_tag.c_str());
    const auto reason = response.reason.empty() ? std::string(reason_phrase(response.status)) : header_value(response.reason);
    const auto lines = header_lines(response.headers);
    const auto contacts = are_writable(response.contacts) ? name_addr_list(response.contacts) : std::string();
    const auto content_type = header_value(response.content_type);
    const char* phrase = reason.empty() ? "Unknown" : reason.c_str();
    const auto& server_name = stack_.settings.user_agent;
    Home home;
    auto* payload = home.payload(response.body);
    msg_t* message = nta_msg_create(stack_.agent.get(), 0);
    if (nta_incoming_complete_response(transaction, message, response.status, phrase,
                                       TAG_IF(!server_name.empty(), SIPTAG_SERVER_STR(server_name.c_str())),
                                       TAG_IF(!contacts.empty(), SIPTAG_CONTACT_STR(contacts.c_str())),
                                       TAG_IF(!lines.empty(), SIPTAG_HEADER_STR(lines.c_str())),
                                       TAG_IF(!content_type.empty(), SIPTAG_CONTENT_TYPE_STR(content_type.c_str())),
                                       TAG_IF(payload, SIPTAG_PAYLOAD(payload)), TAG_END()) >= 0) {
        nta_incoming_mreply(transaction, message);
    } else {
        // The library writes no message around a header that it cannot read. The peer is owed its final answer all the same.
        msg_destroy(message);
        if (response.status >= 200) nta_incoming_treply(transaction, response.status, phrase, TAG_END());
    }
    if (response.status >= 200) beware_of_acks(transaction);
}

}  // namespace stox::sip
