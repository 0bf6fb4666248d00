#include "sip/client_transactions.h"

#include "sip/decode.h"
#include "sip/encode.h"
#include "sip/request_fields.h"

#include <sofia-sip/sip_header.h>

#include <algorithm>
#include <utility>

namespace stox::sip {

namespace {

/// A 2xx from one branch more is none that its caller hears of; that callee gives up after 64*T1.
constexpr std::size_t kMaxForks = 16;
/// As often as a callee repeats its 2xx in 64*T1 (RFC 3261 §13.3.1.4), and some that the network doubled.
constexpr unsigned kMaxAcks = 20;

const url_string_t* as_url(const std::string& text) { return reinterpret_cast<const url_string_t*>(text.c_str()); }

std::string key_of(const std::string& call_id, std::uint32_t cseq) { return std::to_string(cseq) + ' ' + call_id; }

std::string text(const char* chars) { return chars ? chars : std::string(); }

Outcome local_outcome(Outcome::Local local) {
    Outcome outcome;
    outcome.response.status = local == Outcome::Local::timeout ? 408 : 503;
    outcome.local = local;
    return outcome;
}

/// RFC 3261 §9.1: no CANCEL before a provisional response. nta would keep it back itself, but ends the process when a peer
/// answers what was never sent.
bool may_be_cancelled(nta_outgoing_t* transaction) {
    const int status = transaction ? nta_outgoing_status(transaction) : 0;
    return status >= 100 && status < 200;
}

}  // namespace

ClientTransactions::ClientTransactions(Stack& stack)
    : stack_(stack),
      over_(stack.loop, kT1x64, [this](std::uint64_t number) { end(number); }),
      unanswered_(stack.settings.max_unanswered, stack.settings.max_unanswered_of_address),
      numbers_(this) {}

Result<void> ClientTransactions::open() {
    stack_.sender.reset(nta_leg_tcreate(stack_.agent.get(), nullptr, nullptr, NTATAG_NO_DIALOG(1), TAG_END()));
    if (!stack_.sender) return fail(Code::unavailable, "the SIP stack cannot start");
    stray_.reset(nta_outgoing_default(stack_.agent.get(), &ClientTransactions::on_stray,
                                      numbers_.magic<nta_outgoing_magic_t>(numbers_.base())));
    if (!stray_) return fail(Code::unavailable, "the SIP stack cannot start");
    return ok();
}

ClientTransaction ClientTransactions::start(const Request& request, const NextHop& next_hop, ClientHandlers handlers) {
    const auto number = numbers_.next();
    // A failure can be told from inside the creation, so the transaction is known before it exists.
    auto& known = clients_[number];
    known.handlers = std::make_shared<const ClientHandlers>(std::move(handlers));
    known.is_invite = request.method == "INVITE";
    known.call_id = request.call_id;
    known.cseq = request.cseq;
    known.from_tag = request.from.tag;
    if (!next_hop.configured && next_hop.transport == Transport::udp) {
        Unanswered one{next_hop.endpoint.address, request.to.uri.user + '@' + request.to.uri.host};
        if (!has_room(one)) {
            answered(number, local_outcome(Outcome::Local::unsent));
            return static_cast<ClientTransaction>(number);
        }
        count(one);
        known.unanswered = std::move(one);
    }
    auto* raw = write(request, next_hop, number, nullptr);
    stack_.sofia->touched();

    const auto found = clients_.find(number);
    if (found == clients_.end() || found->second.answered) {
        if (raw) finished_.emplace_back(raw);
    } else if (!raw) {
        answered(number, local_outcome(failure_of(found->second)));
    } else {
        auto& client = found->second;
        client.transaction.reset(raw);
        client.has_left = stack_.transports->sent() != client.sent_before;
        client.branch = text(nta_outgoing_branch(raw));
        if (client.is_invite) invites_.emplace(key_of(client.call_id, client.cseq), number);
    }
    return static_cast<ClientTransaction>(number);
}

bool ClientTransactions::has_room(const Unanswered& one) const {
    const auto of_name = unanswered_of_name_.find(one.name);
    const bool full = of_name != unanswered_of_name_.end() && of_name->second >= stack_.settings.max_unanswered_of_name;
    return !full && unanswered_.has_room(one.address);
}

void ClientTransactions::count(const Unanswered& one) {
    unanswered_.add(one.address);
    ++unanswered_of_name_[one.name];
}

void ClientTransactions::uncount(const Unanswered& one) {
    unanswered_.remove(one.address);
    const auto of_name = unanswered_of_name_.find(one.name);
    if (--of_name->second == 0) unanswered_of_name_.erase(of_name);
}

nta_outgoing_t* ClientTransactions::write(const Request& request, const NextHop& next_hop, std::uint64_t number,
                                          const char* ack_branch) {
    auto message = request_fields(stack_.agent.get(), stack_.sender.get(), stack_.settings.user_agent, request);
    if (!message) return nullptr;
    const auto way = stack_.transports->way(next_hop);
    if (const auto client = clients_.find(number); client != clients_.end()) {
        client->second.has_way = way.port != nullptr;
        client->second.delivers = way.delivers;
        client->second.sent_before = stack_.transports->sent();
        client->second.began = std::chrono::steady_clock::now();
    }
    auto* raw = message.release();
    auto* made = nta_outgoing_mcreate(stack_.agent.get(), ack_branch ? nullptr : &ClientTransactions::on_response,
                                      numbers_.magic<nta_outgoing_magic_t>(number), as_url(way.url), raw,
                                      TAG_IF(way.port, NTATAG_TPORT(way.port)), TAG_IF(ack_branch, NTATAG_STATELESS(1)),
                                      TAG_IF(ack_branch, NTATAG_BRANCH_KEY(ack_branch)), NTATAG_PASS_100(1), TAG_END());
    if (!made) msg_destroy(raw);  // it takes only what becomes a transaction
    return made;
}

int ClientTransactions::on_response(nta_outgoing_magic_t* magic, nta_outgoing_t* raw, const sip_t* message) noexcept {
    const auto number = Numbered<ClientTransactions>::number(magic);
    if (auto* self = Numbered<ClientTransactions>::find(number)) self->responded(number, raw, message);
    return 0;
}

void ClientTransactions::responded(std::uint64_t number, nta_outgoing_t* raw, const sip_t* message) {
    const auto found = clients_.find(number);
    if (found == clients_.end() || found->second.answered) return;
    auto& client = found->second;
    if (!message || nta_sip_is_internal(message)) {
        // Without a message it is the silence of Timer F.
        const int status = message ? message->sip_status->st_status : nta_outgoing_status(raw);
        const bool timeout = status == 408 || status < 300;
        return answered(number, local_outcome(timeout ? Outcome::Local::timeout : failure_of(client)));
    }
    auto response = decode_response(*message);
    if (response.status >= 200) {
        if (client.is_invite && response.status < 300) return accepted(number, std::move(response));
        return answered(number, {std::move(response), Outcome::Local::none});
    }
    if (client.cancel_with) cancel_later_.push_back(number);
    stack_.turn.later([handlers = client.handlers, response = std::move(response)]() mutable {
        if (handlers->on_provisional) handlers->on_provisional(std::move(response));
    });
}

/// Whether it can have arrived when its transport failed. What is not known to have stayed here may have.
Outcome::Local ClientTransactions::failure_of(const Client& client) const {
    const bool kept_back = !client.has_way || (client.delivers && !*client.delivers);
    const bool being_created = !client.transaction;
    const bool has_left = being_created ? stack_.transports->sent() != client.sent_before : client.has_left;
    // What the network refused at once is told within a turn of nta's loop, before anything is sent a second time.
    const bool refused_at_once = !has_left && std::chrono::steady_clock::now() - client.began < kT1;
    return kept_back || refused_at_once ? Outcome::Local::unsent : Outcome::Local::transport;
}

int ClientTransactions::on_stray(nta_outgoing_magic_t* magic, nta_outgoing_t*, const sip_t* message) noexcept {
    auto* self = Numbered<ClientTransactions>::find(Numbered<ClientTransactions>::number(magic));
    if (self && message && message->sip_status) self->stray(*message);
    return 0;
}

/// Every 2xx to an INVITE comes here (guard.cpp): the transaction ends with the first, further ones are its owner's affair.
void ClientTransactions::stray(const sip_t& message) {
    const int status = message.sip_status->st_status;
    const auto* via = message.sip_via;
    if (status < 200 || status >= 300 || text(message.sip_cseq->cs_method_name) != "INVITE" || !via || via->v_next) return;
    const auto [first, last] = invites_.equal_range(key_of(text(message.sip_call_id->i_id), message.sip_cseq->cs_seq));
    const auto found = std::find_if(first, last, [&](const auto& one) {
        const auto& client = clients_.at(one.second);
        return client.branch == text(via->v_branch) &&
               (client.from_tag.empty() || client.from_tag == text(message.sip_from->a_tag));
    });
    if (found != last) accepted(found->second, decode_response(message));
}

void ClientTransactions::accepted(std::uint64_t number, Response response) {
    if (const auto* known = acceptance(number, response.to_tag)) {
        if (known->ack) acknowledge_later_.emplace_back(number, response.to_tag);
        return;
    }
    auto& acceptances = clients_.at(number).acceptances;
    if (acceptances.size() == kMaxForks) return;
    acceptances.push_back({response.to_tag});
    answered(number, {std::move(response), Outcome::Local::none});
}

void ClientTransactions::answered(std::uint64_t number, Outcome outcome) {
    auto& client = clients_.at(number);
    stack_.turn.later([handlers = client.handlers, outcome = std::move(outcome)]() mutable {
        if (handlers->on_final) handlers->on_final(std::move(outcome));
    });
    if (std::exchange(client.answered, true)) return;
    if (client.unanswered) uncount(*client.unanswered);
    if (client.transaction) finished_.push_back(std::move(client.transaction));
    stack_.sofia->touched();
    if (client.is_invite)
        over_.add(number);
    else
        end(number);
}

void ClientTransactions::end(std::uint64_t number) {
    const auto found = clients_.find(number);
    if (found == clients_.end()) return;
    const auto [first, last] = invites_.equal_range(key_of(found->second.call_id, found->second.cseq));
    const auto invite = std::find_if(first, last, [number](const auto& one) { return one.second == number; });
    if (invite != last) invites_.erase(invite);
    stack_.turn.later([handlers = std::move(found->second.handlers)] {
        if (handlers->on_end) handlers->on_end();
    });
    clients_.erase(found);
}

void ClientTransactions::cancel(ClientTransaction transaction, std::vector<Header> headers) {
    const auto found = clients_.find(static_cast<std::uint64_t>(transaction));
    if (found == clients_.end() || !found->second.is_invite || found->second.answered || found->second.cancel_with) return;
    found->second.cancel_with = std::move(headers);
    send_cancel(found->second);
}

void ClientTransactions::send_cancel(Client& client) {
    if (!client.cancel_with || !may_be_cancelled(client.transaction.get())) return;
    const auto lines = header_lines(*client.cancel_with);
    nta_outgoing_tcancel(client.transaction.get(), nullptr, nullptr, TAG_IF(!lines.empty(), SIPTAG_HEADER_STR(lines.c_str())),
                         TAG_END());
    stack_.sofia->touched();
}

ClientTransactions::Acceptance* ClientTransactions::acceptance(std::uint64_t number, const std::string& to_tag) {
    const auto found = clients_.find(number);
    if (found == clients_.end()) return nullptr;
    const auto known = std::ranges::find(found->second.acceptances, to_tag, &Acceptance::to_tag);
    return known == found->second.acceptances.end() ? nullptr : &*known;
}

void ClientTransactions::acknowledge(const Request& request, const NextHop& next_hop) {
    if (request.method != "ACK") return;
    Home home;
    Ack ack{request, next_hop, text(nta_agent_newtag(home.get(), "z9hG4bK%s", stack_.agent.get()))};
    const auto [first, last] = invites_.equal_range(key_of(request.call_id, request.cseq));
    for (auto invite = first; invite != last; ++invite)
        if (auto* known = acceptance(invite->second, request.to.tag)) return send_ack(known->ack.emplace(std::move(ack)));
    send_ack(ack);
}

void ClientTransactions::send_ack(Ack& ack) {
    if (++ack.sent > kMaxAcks) return;
    write(ack.request, ack.next_hop, 0, ack.branch.c_str());  // stateless: what comes back is no transaction to keep
    stack_.sofia->touched();
}

void ClientTransactions::after_step() {
    for (const auto number : std::exchange(cancel_later_, {}))
        if (const auto found = clients_.find(number); found != clients_.end()) send_cancel(found->second);
    for (const auto& [number, to_tag] : std::exchange(acknowledge_later_, {}))
        if (auto* known = acceptance(number, to_tag); known && known->ack) send_ack(*known->ack);
    finished_.clear();
}

}  // namespace stox::sip
