#include "tests/dialog/wire.h"

#include <cstdio>
#include <cstdlib>

namespace stox::test {

using namespace sip;
using std::chrono::seconds;

namespace {

constexpr milliseconds kT1{500}, kT2{4000};
constexpr milliseconds kGiveUp = 64 * kT1;

std::string id_of(const std::string& branch, const std::string& method) { return branch + ' ' + method; }

}  // namespace

std::string host_of(const Request& request) {
    return request.routes.empty() ? request.uri.host : request.routes.front().uri.host;
}

// ---- Net ----

void Net::send(const std::string& host, Packet packet) {
    ++packets;
    const int copies = chance(trouble_.doubled) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
        if (chance(trouble_.loss)) continue;
        const auto jitter =
            trouble_.jitter.count() > 0 ? milliseconds(below(static_cast<unsigned>(trouble_.jitter.count()))) : milliseconds(0);
        in(trouble_.delay + jitter, [this, host, packet] { deliver(host, packet); });
    }
}

/// With STOX_DIALOG_TRACE set each packet that arrives is shown.
static void show(TimePoint now, const std::string& host, const Packet& packet) {
    static const bool wanted = std::getenv("STOX_DIALOG_TRACE") != nullptr;
    if (!wanted) return;
    const auto ms = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
    const auto& body = packet.request ? packet.request->body : packet.response->body;
    const auto what = packet.request ? packet.request->method + " " + std::to_string(packet.request->cseq)
                                     : std::to_string(packet.response->status) + " " + packet.method;
    std::printf("%9lld -> %-4s %-14s %-10s %s\n", static_cast<long long>(ms), host.c_str(), what.c_str(), packet.branch.c_str(),
                body.c_str());
}

void Net::deliver(const std::string& host, const Packet& packet) {
    show(now, host, packet);
    const auto from = packet.branch.substr(0, packet.branch.find('/'));
    if (forks_.contains(host)) return fork_request(host, packet, from);
    const auto node = nodes_.find(host);
    if (node != nodes_.end()) node->second->receive(packet, from);
}

/// A forking proxy: every branch's 2xx and provisionals go through, a refusal only when all have refused.   (RFC 3261 §16.7)
void Net::fork_request(const std::string& host, const Packet& packet, const std::string& caller) {
    for (const auto& phone : forks_[host]) {
        const auto branch = packet.branch + '@' + phone;
        auto& state = forked_[packet.branch];
        state.caller = caller;
        if (packet.request->method == "INVITE") state.pending.insert(phone);
        auto copy = packet;
        copy.branch = branch;
        nodes_.at(phone)->receive(copy, host);
    }
    if (packet.request->method == "CANCEL") {
        Packet answer{packet.branch, {}, Response{}, "CANCEL"};
        answer.response->status = 200;
        send(caller, std::move(answer));
    }
}

bool Net::fork_response(const std::string&, const Packet& packet) {
    const auto cut = packet.branch.find('@');
    if (cut == std::string::npos) return false;
    if (packet.method != "INVITE") return true;
    const auto branch = packet.branch.substr(0, cut), phone = packet.branch.substr(cut + 1);
    auto& state = forked_[branch];
    auto onward = packet;
    onward.branch = branch;
    const auto status = packet.response->status;
    if (status >= 300) {
        // The proxy acknowledges a refusal itself.
        Packet ack{packet.branch, Request{}, {}};
        ack.request->method = "ACK";
        nodes_.at(phone)->receive(ack, branch);
        state.pending.erase(phone);
        state.refusal = onward;
        if (!state.pending.empty() || state.accepted) return true;
    } else if (status >= 200) {
        state.pending.erase(phone);
        state.accepted = true;
        if (state.refusal && state.pending.empty()) state.refusal.reset();
    }
    send(state.caller, std::move(onward));
    return true;
}

void Net::run(milliseconds limit) {
    const auto end = now + limit;
    while (!queue_.empty()) {
        auto first = queue_.extract(queue_.begin());
        now = std::max(now, first.key());
        if (now > end) throw Broken("it does not end");
        first.mapped()();
    }
}

// ---- Node: transactions of clients ----

Node::Node(Net& net, std::string host, UserAgent::Settings settings)
    : net_(net),
      host_(std::move(host)),
      agent_(
          std::move(settings), [&net](std::uint32_t bound) { return net.below(bound); },
          [this] { return host_ + "-tag" + std::to_string(net_.random()); }) {
    net.attach(host_, this);
}

NameAddr Node::contact() const {
    NameAddr address;
    address.uri.user = "u";
    address.uri.host = host_;
    return address;
}

void Node::run(const std::function<void(UserAgent::Actions&)>& input) {
    UserAgent::Actions actions;
    input(actions);
    for (auto& action : actions) queue_.push_back(std::move(action));
    if (running_) return;
    running_ = true;
    for (std::size_t i = 0; i < queue_.size(); ++i) {
        const auto action = queue_[i];
        perform(action);
    }
    queue_.clear();
    running_ = false;
    wake();
}

/// A timer for the agent's next deadline.
void Node::wake() {
    const auto next = agent_.next_timeout();
    if (!next || (woken_ && *woken_ <= *next)) return;
    woken_ = next;
    net_.at(*next, [this, at = *next] {
        if (woken_ != at) return;
        woken_.reset();
        run([this](auto& out) { agent_.tick(net_.now, out); });
    });
}

void Node::perform(const Action& action) {
    if (const auto* send = std::get_if<SendRequest>(&action)) {
        check_cseq(send->request);
        auto branch = host_ + '/' + std::to_string(++last_branch_);
        if (send->request.method == "INVITE") invites_[send->key] = branch;
        start(send->key, send->request, std::move(branch));
    } else if (const auto* ack = std::get_if<SendAck>(&action)) {
        if (ack->request.method != "ACK" || !invites_.contains(ack->invite)) throw Broken("ACK for no INVITE");
        acknowledged_.emplace(invites_.at(ack->invite), ack->request.to.tag);
        net_.send(host_of(ack->request), {host_ + '/' + std::to_string(++last_branch_), ack->request});
    } else if (const auto* cancel = std::get_if<SendCancel>(&action)) {
        const auto branch = invites_.at(cancel->invite);
        const auto found = clients_.find(id_of(branch, "INVITE"));
        if (found == clients_.end()) throw Broken("CANCEL for no INVITE");
        if (found->second.status == 0) throw Broken("CANCEL before a provisional");
        if (found->second.cancelled) throw Broken("two CANCELs");
        found->second.cancelled = true;
        auto request = found->second.request;
        request.method = "CANCEL";
        start(RequestKey::none, request, branch);
    } else if (const auto* respond_now = std::get_if<Respond>(&action)) {
        respond(respond_now->transaction, respond_now->response);
    } else {
        application(action);
    }
}

void Node::check_cseq(const Request& request) {
    auto& last = cseqs_[request.call_id + ' ' + request.from.tag + ' ' + request.to.tag];
    if (request.cseq <= last) throw Broken("CSeq does not rise: " + request.method);
    last = request.cseq;
}

void Node::start(RequestKey key, const Request& request, std::string branch) {
    const auto id = id_of(branch, request.method);
    const auto host = host_of(request);
    clients_[id] = {key, request, host, branch, 0, false, kT1, net_.now + kGiveUp, 0};
    net_.send(host, {branch, request});
    net_.in(kT1, [this, id] { repeat(id, 0); });
}

/// Timers A, B, E and F.
void Node::repeat(const std::string& id, unsigned generation) {
    const auto found = clients_.find(id);
    if (found == clients_.end() || found->second.generation != generation) return;
    auto& client = found->second;
    const bool invite = client.request.method == "INVITE";
    if (client.status >= 200 || (invite && client.status >= 100)) return;
    if (net_.now >= client.deadline) {
        client.status = 408;
        Response timeout;
        timeout.status = 408;
        const auto key = client.key;
        if (key != RequestKey::none) run([&](auto& out) { agent_.receive({key, timeout}, net_.now, out); });
        return;
    }
    net_.send(client.host, {client.branch, client.request});
    client.interval = invite ? 2 * client.interval : std::min(2 * client.interval, kT2);
    const auto pause = std::min<TimePoint::duration>(client.interval, client.deadline - net_.now);
    net_.at(net_.now + pause, [this, id, generation] { repeat(id, generation); });
}

void Node::receive_response(const Packet& packet) {
    const auto found = clients_.find(id_of(packet.branch, packet.method));
    if (found == clients_.end()) return;
    auto& client = found->second;
    const auto& response = *packet.response;
    const bool invite = packet.method == "INVITE", success = response.status >= 200 && response.status < 300;
    if (invite && response.status >= 300) {
        Packet ack{packet.branch, client.request};
        ack.request->method = "ACK";
        net_.send(client.host, std::move(ack));
    }
    // After a final only further 2xx of an INVITE that had one go up, for 64*T1 (RFC 6026 timer M); a timer that fired is final.
    const bool accepted = client.status >= 200 && client.status < 300;
    if (client.status >= 200 && !(invite && accepted && success)) return;
    if (invite && success) {
        if (!accepted) client.deadline = net_.now + kGiveUp;
        if (net_.now > client.deadline) return;
        accepted_.emplace(packet.branch, response.to_tag);
    }
    client.status = response.status;
    const auto key = client.key;
    if (key != RequestKey::none) run([&](auto& out) { agent_.receive({key, response}, net_.now, out); });
}

// ---- Node: transactions of servers ----

void Node::receive(const Packet& packet, const std::string& from) {
    if (packet.response)
        receive_response(packet);
    else
        receive_request(packet, from);
}

void Node::receive_request(const Packet& packet, const std::string& from) {
    const auto& request = *packet.request;
    if (request.method == "ACK") {
        const auto invite = server_ids_.find(id_of(packet.branch, "INVITE"));
        if (invite != server_ids_.end()) {
            servers_.at(invite->second).acknowledged = true;
            return;
        }
        return run([&](auto& out) { agent_.receive({0, request, from, contact(), false}, net_.now, out); });
    }
    const auto id = id_of(packet.branch, request.method);
    if (const auto known = server_ids_.find(id); known != server_ids_.end()) {
        const auto& server = servers_.at(known->second);
        const bool accepted =
            server.last && server.request.method == "INVITE" && server.last->status >= 200 && server.last->status < 300;
        if (server.last && !accepted) respond(known->second, *server.last);
        return;
    }
    const auto transaction = ++last_transaction_;
    server_ids_[id] = transaction;
    servers_[transaction] = {from, packet.branch, request, {}, false, kT1, {}};
    if (request.method != "CANCEL") {
        run([&](auto& out) { agent_.receive({transaction, request, from, contact(), false}, net_.now, out); });
        return;
    }
    Response answer;
    const auto invite = server_ids_.find(id_of(packet.branch, "INVITE"));
    answer.status = invite == server_ids_.end() ? 481 : 200;
    respond(transaction, answer);
    if (invite == server_ids_.end()) return;
    const auto& last = servers_.at(invite->second).last;
    if (!last || last->status < 200) run([&](auto& out) { agent_.cancelled(invite->second, net_.now, out); });
}

void Node::respond(TransactionId transaction, Response response) {
    const auto found = servers_.find(transaction);
    if (found == servers_.end()) throw Broken("response to no request");
    auto& server = found->second;
    const bool invite = server.request.method == "INVITE";
    if (server.last && server.last->status >= 200 && *server.last != response)
        throw Broken("two finals to one " + server.request.method + ": " + std::to_string(server.last->status) + " and " +
                     std::to_string(response.status));
    const bool first_refusal = invite && response.status >= 300 && (!server.last || server.last->status < 200);
    server.last = response;
    Packet packet{server.branch, {}, response, server.request.method};
    if (!net_.fork_response(host_, packet)) net_.send(server.from, std::move(packet));
    if (!first_refusal) return;
    server.deadline = net_.now + kGiveUp;
    net_.in(kT1, [this, transaction] { repeat_refusal(transaction); });
}

/// Timers G and H.
void Node::repeat_refusal(TransactionId transaction) {
    auto& server = servers_.at(transaction);
    if (server.acknowledged || net_.now >= server.deadline) return;
    net_.send(server.from, {server.branch, {}, server.last, "INVITE"});
    server.interval = std::min(2 * server.interval, kT2);
    net_.in(server.interval, [this, transaction] { repeat_refusal(transaction); });
}

void Node::check_end() const {
    for (const auto& [id, server] : servers_)
        if (!server.last || server.last->status < 200) throw Broken(host_ + " never answered a " + server.request.method);
    for (const auto& accepted : accepted_)
        if (!acknowledged_.contains(accepted)) throw Broken(host_ + " never acknowledged a 2xx");
    if (agent_.next_timeout()) throw Broken(host_ + " has a timer left");
    if (agent_.usages() || agent_.dialogs() || agent_.requests())
        throw Broken(host_ + " has left " + std::to_string(agent_.usages()) + " usages, " + std::to_string(agent_.dialogs()) +
                     " dialogs, " + std::to_string(agent_.requests()) + " requests");
}

}  // namespace stox::test
