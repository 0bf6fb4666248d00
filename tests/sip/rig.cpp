#include "tests/sip/rig.h"

#include <boost/asio/post.hpp>

#include <future>
#include <stdexcept>

namespace stox::sip::test {

using std::chrono::seconds;

Rig::Rig(std::size_t max_transactions) : work_(loop_.get_executor()) {
    Endpoint::Settings settings;
    const stox::Endpoint any_port{Address::v4({127, 0, 0, 1}), 0};
    settings.listen = {{Transport::udp, any_port}, {Transport::tcp, any_port}};
    settings.user_agent = "stox-test";
    settings.max_transactions = max_transactions;
    thread_ = std::thread([this] { loop_.run(); });
    on_loop([&](Endpoint*) {
        auto started = Endpoint::start(loop_, settings, [this](IncomingRequest in) {
            const std::lock_guard lock(mutex_);
            requests_.push_back(std::move(in));
            arrived_.notify_one();
        });
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

IncomingRequest Rig::next_request() {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, seconds(10), [this] { return !requests_.empty(); }))
        throw std::runtime_error("no request came within 10 s");
    auto request = std::move(requests_.front());
    requests_.pop_front();
    return request;
}

bool Rig::has_request() {
    const std::lock_guard lock(mutex_);
    return !requests_.empty();
}

void Rig::on_loop(std::function<void(Endpoint*)> action) {
    std::promise<void> done;
    boost::asio::post(loop_, [&] {
        action(endpoint_.get());
        done.set_value();
    });
    done.get_future().wait();
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

std::string answer_to(const std::string& request, int code) {
    std::string answer = "SIP/2.0 " + std::to_string(code) + " Whatever\r\n";
    for (const std::string name : {"Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "}) {
        const auto at = request.find("\r\n" + name) + 2;
        answer += request.substr(at, request.find("\r\n", at) - at) + (name == "To: " ? ";tag=uas\r\n" : "\r\n");
    }
    return answer + "Content-Length: 0\r\n\r\n";
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

NextHop next_hop(Transport transport, unsigned port) {
    return {transport, {Address::v4({127, 0, 0, 1}), static_cast<std::uint16_t>(port)}};
}

}  // namespace stox::sip::test
