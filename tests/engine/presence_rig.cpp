#include "tests/engine/presence_rig.h"

#include "mapping/presence/pidf.h"

#include <algorithm>
#include <array>

namespace stox::engine::test {

namespace {

constexpr std::array kTypes{"available",   "unavailable",  "subscribe", "subscribed",
                            "unsubscribe", "unsubscribed", "probe",     "error"};

std::string words(const xmpp::Presence& presence) {
    auto text = kTypes[static_cast<std::size_t>(presence.type)] + (' ' + presence.from.to_string());
    for (const auto& child : presence.payload)
        if (child.name == "show" || child.name == "status") text += ' ' + child.text();
    return text;
}

std::string value(const sip::Request& request, const char* name) {
    const auto* found = request.header(name);
    return found ? *found : "";
}

}  // namespace

const xmpp::Jid PresenceRig::kRomeo{"romeo", "montague.test", {}}, PresenceRig::kJuliet{"juliet", "capulet.test", {}};

config::DomainOptions PresenceRig::pretending() {
    auto options = default_options();
    options.presence.mode = config::PresenceMode::pretended;
    return options;
}

std::string PresenceRig::told() { return std::exchange(told_, {}); }

void PresenceRig::see() {
    for (const auto& stanza : stanzas)
        if (const auto* one = std::get_if<xmpp::Presence>(&stanza)) told_ += (told_.empty() ? "" : ", ") + words(*one);
    const auto before = answers;
    for (const auto& one : std::exchange(sent, {})) {
        const auto& request = one.request;
        const bool notifies = request.method == "NOTIFY";
        said.push_back(request.method + ' ' + value(request, notifies ? "Subscription-State" : "Expires"));
        if (notifies) notify_body_ = request.body;
        if (request.method == "SUBSCRIBE" && request.to.tag.empty()) {
            subscribed_ = request;
            ++begun;
            cseq_ = 0;
        }
        sip::Response response;
        response.status = notifies ? 200 : subscribe_status;
        response.to_tag = request.to.tag.empty() ? "them" : request.to.tag;
        if (!notifies) response.headers = subscribe_headers;
        const bool is_taken = response.status / 100 == 2;
        feed(SipResponseIn{one.transaction, std::move(response)});
        see();
        if (notifies || !is_taken) continue;
        if (value(request, "Expires") == "0")
            notify_now("terminated;reason=timeout", {});
        else if (const auto state = request.to.tag.empty() ? first_state : "active;expires=3600"; !state.empty())
            notify_now(state, {});
    }
    answers = before;
}

PresenceRig& PresenceRig::user(xmpp::PresenceType type, const std::string& resource, const xmpp::Jid& to) {
    xmpp::Presence made;
    made.from = kRomeo;
    made.from.resource = resource;
    made.to = to;
    made.type = type;
    stanza(made);
    see();
    return pass(std::chrono::milliseconds(0));
}

PresenceRig& PresenceRig::pass(std::chrono::milliseconds time) {
    const auto end = now + time;
    for (auto due = engine.next_timeout(); due && *due <= end; due = engine.next_timeout()) {
        now = std::max(now, *due);
        feed(Tick{});
        see();
    }
    now = end;
    return *this;
}

sip::Response PresenceRig::ask(const sip::Request& request) {
    this->request(request);
    see();
    const auto found = answers.empty() ? sip::Response{} : answers.front().response;
    pass(std::chrono::milliseconds(0));
    return found;
}

int PresenceRig::notify(const std::string& state, const std::string& body) {
    const int status = notify_now(state, body);
    pass(std::chrono::milliseconds(0));
    return status;
}

int PresenceRig::notify_now(const std::string& state, const std::string& body) {
    sip::Request made;
    made.method = "NOTIFY";
    made.uri = uri("sip:x@capulet.test");
    made.from = {"", uri("sip:juliet@capulet.test"), "them"};
    made.to = {"", uri("sip:romeo@montague.test"), subscribed_ ? subscribed_->from.tag : "none"};
    made.call_id = subscribed_ ? subscribed_->call_id : "none";
    made.cseq = ++cseq_;
    made.contacts = {{"", uri("sip:juliet@10.0.0.1:5060"), ""}};
    made.headers = {{"Event", "presence"}, {"Subscription-State", state}};
    if (!body.empty()) made.content_type = std::string(presence::kPidfType);
    made.body = body;
    request(made);
    const int status = answers.empty() ? 0 : answers.front().response.status;
    see();
    return status;
}

PresenceRig& PresenceRig::granted(const std::string& body) {
    user(xmpp::PresenceType::subscribe);
    notify("active;expires=3600", body);
    told();
    return *this;
}

sip::Request PresenceRig::watch_request(const std::string& expires) const {
    sip::Request made;
    made.method = "SUBSCRIBE";
    made.uri = uri("sip:romeo@montague.test");
    made.from = {"", uri("sip:juliet@capulet.test"), "w1"};
    made.to = {"", made.uri, ""};
    made.call_id = "watch" + std::to_string(++number_);
    made.cseq = 1;
    made.contacts = {{{}, uri("sip:juliet@10.0.0.1:5080"), {}}};
    made.headers = {{"Event", "presence"}, {"Expires", expires}};
    return made;
}

int PresenceRig::watch(const std::string& expires) {
    watched_ = watch_request(expires);
    const auto answer = ask(*watched_);
    watched_tag_ = answer.to_tag;
    if (!answer.contacts.empty()) watched_->uri = answer.contacts.front().uri;
    return answer.status;
}

int PresenceRig::watch_again(const std::string& expires) {
    watched_->to.tag = watched_tag_;
    ++watched_->cseq;
    watched_->headers = {{"Event", "presence"}, {"Expires", expires}};
    return ask(*watched_).status;
}

sip::Request PresenceRig::publish_request(const std::string& body, std::vector<sip::Header> headers) const {
    sip::Request made;
    made.method = "PUBLISH";
    made.uri = uri("sip:juliet@capulet.test");
    made.from = {"", made.uri, "p1"};
    made.to = {"", made.uri, ""};
    made.call_id = "publish" + std::to_string(++number_);
    made.cseq = 1;
    made.headers = {{"Event", "presence"}};
    for (auto& one : headers) made.headers.push_back(std::move(one));
    if (!body.empty()) made.content_type = std::string(presence::kPidfType);
    made.body = body;
    return made;
}

sip::Response PresenceRig::publish(const std::string& body, const std::string& expires) {
    std::vector<sip::Header> headers{{"Expires", expires}};
    if (!etag.empty()) headers.push_back({"SIP-If-Match", etag});
    auto answer = ask(publish_request(body, std::move(headers)));
    if (const auto* given = answer.header("SIP-ETag")) etag = expires == "0" ? "" : *given;
    return answer;
}

std::string PresenceRig::pidf(const std::vector<std::string>& tuples) {
    std::string text = "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:juliet@capulet.test'>";
    for (const auto& tuple : tuples) {
        const bool closed = tuple.front() == '-';
        const auto slash = tuple.find('/');
        text += "<tuple id='ID-" + tuple.substr(closed, slash - closed) + "'><status><basic>" + (closed ? "closed" : "open") +
                "</basic>";
        if (slash != std::string::npos) text += "<show xmlns='jabber:client'>" + tuple.substr(slash + 1) + "</show>";
        text += "</status></tuple>";
    }
    return text + "</presence>";
}

}  // namespace stox::engine::test
