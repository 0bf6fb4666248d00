#include "tests/sip/rig.h"

#include <boost/asio/post.hpp>

#include <future>
#include <stdexcept>

namespace stox::sip::test {

using std::chrono::seconds;

Rig::Rig(Bounds bounds, Cancellations cancellations) : work_(loop_.get_executor()) {
    Endpoint::Settings settings;
    const stox::Endpoint any_port{Address::v4({127, 0, 0, 1}), 0};
    settings.listen = {{Transport::udp, any_port}, {Transport::tcp, any_port}};
    settings.user_agent = "stox-test";
    settings.max_transactions = bounds.max_transactions;
    settings.max_transaction_octets = bounds.max_transaction_octets;
    settings.max_open_acks = bounds.max_open_acks;
    settings.max_open_acks_of_source = bounds.max_open_acks_of_source;
    settings.max_unanswered = bounds.max_unanswered;
    settings.max_unanswered_of_address = bounds.max_unanswered_of_address;
    settings.max_unanswered_of_name = bounds.max_unanswered_of_name;
    thread_ = std::thread([this] { loop_.run(); });
    on_loop([&](Endpoint*) {
        Endpoint::Events events;
        events.request = [this](IncomingRequest in) {
            Response answer;
            answer.status = answer_at_once;
            if (answer.status) endpoint_->respond(in.transaction, std::move(answer));
            requests_.push(std::move(in));
        };
        if (cancellations == Cancellations::told)
            events.cancelled = [this](std::uint64_t transaction) { cancelled.push(transaction); };
        events.acknowledged = [this](std::uint64_t transaction, Request ack) {
            acknowledged.push({transaction, std::move(ack)});
        };
        events.unacknowledged = [this](std::uint64_t transaction) { unacknowledged.push(transaction); };
        auto started = Endpoint::start(loop_, settings, std::move(events));
        if (started) endpoint_ = std::move(started).value();
    });
    if (!endpoint_) throw std::runtime_error("no free port on loopback");
}

Rig::~Rig() {
    on_loop([this](Endpoint*) { endpoint_.reset(); });
    loop_.stop();
    thread_.join();
}

unsigned Rig::port(Transport transport) const {
    for (const auto& address : endpoint_->listening())
        if (address.transport == transport) return address.endpoint.port;
    throw std::runtime_error("not listening");
}

IncomingRequest Rig::next_request() { return requests_.next(); }

bool Rig::has_request() { return !requests_.empty(); }

void Rig::on_loop(std::function<void(Endpoint*)> action) {
    std::promise<void> done;
    boost::asio::post(loop_, [&] {
        action(endpoint_.get());
        done.set_value();
    });
    done.get_future().wait();
}

Counters Rig::counters() {
    Counters counters;
    on_loop([&](Endpoint* endpoint) { counters = endpoint->counters(); });
    return counters;
}

void Rig::respond(std::uint64_t transaction, Response response) {
    on_loop([&](Endpoint* endpoint) { endpoint->respond(transaction, std::move(response)); });
}

Outcome Rig::send(Request request, NextHop hop) {
    auto outcome = std::make_shared<std::promise<Outcome>>();
    auto future = outcome->get_future();
    on_loop([&](Endpoint* endpoint) {
        endpoint->send(std::move(request), hop, [outcome](Outcome what) { outcome->set_value(std::move(what)); });
    });
    if (future.wait_for(seconds(40)) != std::future_status::ready) throw std::runtime_error("no outcome within 40 s");
    return future.get();
}

std::shared_ptr<Call> Rig::start(Request request, NextHop hop) {
    auto call = std::make_shared<Call>();
    on_loop([&](Endpoint* endpoint) {
        ClientHandlers handlers;
        handlers.on_provisional = [call](Response response) { call->provisionals.push(std::move(response)); };
        handlers.on_final = [call](Outcome outcome) { call->finals.push(std::move(outcome)); };
        handlers.on_end = [call] { call->ended.push(true); };
        call->transaction = endpoint->start(std::move(request), hop, std::move(handlers));
    });
    return call;
}

void Rig::cancel(const Call& call, std::vector<Header> headers) {
    on_loop([&](Endpoint* endpoint) { endpoint->cancel(call.transaction, std::move(headers)); });
}

void Rig::acknowledge(Request ack, NextHop hop) {
    on_loop([&](Endpoint* endpoint) { endpoint->acknowledge(std::move(ack), hop); });
}

void Rig::start_sending(Request request, NextHop hop, Endpoint::OnOutcome on_outcome) {
    on_loop([&](Endpoint* endpoint) { endpoint->send(std::move(request), hop, std::move(on_outcome)); });
}

Response status(int code) {
    Response response;
    response.status = code;
    return response;
}

std::string message_text(const std::string& branch, const std::string& headers, const std::string& body) {
    return "MESSAGE sip:romeo@montague.test SIP/2.0\r\n"
           "Via: SIP/2.0/UDP 127.0.0.1:5999;branch=z9hG4bK" +
           branch +
           ";rport\r\n"
           "From: \"Juliet \\\"J\\\"\" <sip:juliet@capulet.test>;tag=a1\r\n"
           "To: <sip:romeo@montague.test>\r\n"
           "Call-ID: c" +
           branch + "\r\nCSeq: 7 MESSAGE\r\n" + headers +
           "Content-Type: text/plain;charset=utf-8\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string answer_to(const std::string& request, int code, const std::string& to_tag, const std::string& headers) {
    std::string answer = "SIP/2.0 " + std::to_string(code) + " Whatever\r\n";
    for (const std::string name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
        answer += name + ": " + header_of(request, name);
        const bool tagless = name == "To" && tag_of(header_of(request, name)).empty();
        answer += tagless && !to_tag.empty() && code > 100 ? ";tag=" + to_tag + "\r\n" : "\r\n";
    }
    return answer + headers + "Content-Length: 0\r\n\r\n";
}

std::string request_text(const std::string& method, const std::string& id, unsigned cseq, const std::string& branch,
                         const std::string& to_tag, const std::string& headers, const std::string& transport) {
    return method + " sip:romeo@montague.test SIP/2.0\r\nVia: SIP/2.0/" + transport + " 127.0.0.1:5999;branch=z9hG4bK" + branch +
           ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:juliet@capulet.test>;tag=a1\r\nTo: <sip:romeo@montague.test>" +
           (to_tag.empty() ? "" : ";tag=" + to_tag) + "\r\nCall-ID: c-" + id + "\r\nCSeq: " + std::to_string(cseq) + ' ' +
           method + "\r\n" + headers + "Content-Length: 0\r\n\r\n";
}

std::string header_of(const std::string& message, const std::string& name) {
    const auto at = message.find("\r\n" + name + ": ");
    if (at == message.npos) throw std::runtime_error("no " + name + " in " + message);
    const auto begin = at + name.size() + 4;
    return message.substr(begin, message.find("\r\n", begin) - begin);
}

std::string tag_of(const std::string& value) {
    const auto at = value.find(";tag=");
    return at == value.npos ? "" : value.substr(at + 5, value.find(';', at + 5) - at - 5);
}

Request message_value(const std::string& body) {
    Request request;
    request.method = "MESSAGE";
    request.uri = Uri::parse("sip:juliet@capulet.test").value();
    request.from = {"", Uri::parse("sip:romeo@montague.test").value(), "ft1"};
    request.to = {"", request.uri, ""};
    request.call_id = "call1";
    request.cseq = 1;
    request.content_type = "text/plain;charset=utf-8";
    request.body = body;
    return request;
}

NameAddr address(const std::string& uri, std::string tag) { return {"", Uri::parse(uri).value(), std::move(tag)}; }

Request invite_value(const std::string& call_id) {
    Request request;
    request.method = "INVITE";
    request.uri = Uri::parse("sip:juliet@capulet.test").value();
    request.from = address("sip:romeo@montague.test", "ft1");
    request.to = address("sip:juliet@capulet.test");
    request.call_id = call_id;
    request.cseq = 7;
    request.contacts = {address("sip:romeo@127.0.0.1:5998")};
    return request;
}

NextHop next_hop(Transport transport, unsigned port) {
    return {transport, {Address::v4({127, 0, 0, 1}), static_cast<std::uint16_t>(port)}};
}

}  // namespace stox::sip::test
