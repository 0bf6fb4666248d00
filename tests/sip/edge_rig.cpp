#include "tests/sip/edge_rig.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cctype>
#include <future>
#include <stdexcept>

namespace stox::sip::test {

using std::chrono::seconds;

Endpoint::Settings on_loopback(std::vector<Transport> transports) {
    Endpoint::Settings settings;
    for (const auto transport : transports) settings.listen.push_back({transport, {Address::v4({127, 0, 0, 1}), 0}});
    return settings;
}

std::string options_text(const std::string& transport, const std::string& branch) {
    return "OPTIONS sip:romeo@montague.test SIP/2.0\r\nVia: SIP/2.0/" + transport + " nowhere.invalid:5999;branch=z9hG4bK" +
           branch + ";rport\r\nFrom: <sip:juliet@capulet.test>;tag=a1\r\nTo: <sip:romeo@montague.test>\r\nCall-ID: " + branch +
           "\r\nCSeq: 7 OPTIONS\r\nContact: <sip:juliet@nowhere.invalid>\r\nContent-Length: 0\r\n\r\n";
}

EdgeRig::EdgeRig(Endpoint::Settings settings) : work_(loop_.get_executor()) {
    settings.log = [this](LogLevel, std::string_view text) {
        const std::lock_guard lock(mutex_);
        log_.emplace_back(text);
        news_.notify_all();
    };
    std::string problem;
    std::promise<void> started;
    boost::asio::post(loop_, [&] {
        auto made = Endpoint::start(loop_, settings, [this](IncomingRequest in) {
            const auto transaction = in.transaction;
            const bool waits = in.request.call_id.starts_with("wait");
            {
                const std::lock_guard lock(mutex_);
                requests_.push_back(std::move(in));
                news_.notify_all();
            }
            if (waits) return;
            Response response;
            response.status = 200;
            endpoint_->respond(transaction, std::move(response));
        });
        if (made)
            endpoint_ = std::move(made).value();
        else
            problem = made.error().detail;
        started.set_value();
    });
    thread_ = std::thread([this] { loop_.run(); });
    started.get_future().wait();
    if (endpoint_) return;
    loop_.stop();
    thread_.join();
    throw std::runtime_error(problem);
}

EdgeRig::~EdgeRig() {
    end_after([](Endpoint&) {});
    loop_.stop();
    thread_.join();
}

unsigned EdgeRig::port(Transport transport) const {
    for (const auto& address : endpoint_->listening())
        if (address.transport == transport) return address.endpoint.port;
    throw std::runtime_error("not listening");
}

void EdgeRig::on_loop(const std::function<void(Endpoint&)>& action) {
    std::promise<void> done;
    boost::asio::post(loop_, [&] {
        action(*endpoint_);
        done.set_value();
    });
    done.get_future().wait();
}

void EdgeRig::end_after(const std::function<void(Endpoint&)>& action) {
    std::promise<void> done;
    boost::asio::post(loop_, [&] {
        if (endpoint_) action(*endpoint_);
        endpoint_.reset();
        done.set_value();
    });
    done.get_future().wait();
}

Outcome EdgeRig::send(Request request, NextHop next_hop) {
    auto outcome = std::make_shared<std::promise<Outcome>>();
    auto future = outcome->get_future();
    on_loop([&](Endpoint& endpoint) {
        endpoint.send(std::move(request), std::move(next_hop), [outcome](Outcome what) { outcome->set_value(std::move(what)); });
    });
    if (future.wait_for(seconds(40)) != std::future_status::ready) throw std::runtime_error("no outcome within 40 s");
    return future.get();
}

std::vector<IncomingRequest> EdgeRig::requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
}

IncomingRequest EdgeRig::request(const std::string& call_id) {
    std::unique_lock lock(mutex_);
    const auto find = [&] { return std::ranges::find(requests_, call_id, [](const auto& in) { return in.request.call_id; }); };
    if (!news_.wait_for(lock, seconds(10), [&] { return find() != requests_.end(); }))
        throw std::runtime_error("no request " + call_id + " within 10 s");
    return *find();
}

std::string EdgeRig::log_line(const std::string& part) {
    std::unique_lock lock(mutex_);
    const auto find = [&] { return std::ranges::find_if(log_, [&](const auto& line) { return line.find(part) != line.npos; }); };
    news_.wait_for(lock, seconds(10), [&] { return find() != log_.end(); });
    return find() == log_.end() ? std::string() : *find();
}

bool EdgeRig::counted(const std::function<bool(const Counters&)>& as_wanted) {
    for (int tries = 0; tries < 2'000; ++tries) {
        if (as_wanted(counters())) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
}

Counters EdgeRig::counters() {
    Counters counters;
    on_loop([&](Endpoint& endpoint) { counters = endpoint.counters(); });
    return counters;
}

}  // namespace stox::sip::test
