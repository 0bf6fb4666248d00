#include "tests/engine/rig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace stox::engine::test {

namespace {

IdGenerator ids(unsigned start) {
    return IdGenerator([random = std::mt19937_64(start)](std::span<std::uint8_t> wanted) mutable {
        for (auto& octet : wanted) octet = static_cast<std::uint8_t>(random());
    });
}

}  // namespace

config::DomainOptions Rig::default_options() {
    config::DomainOptions options;
    options.domain = "capulet.test";
    options.xmpp_domains = {"montague.test"};
    config::Peer peer;
    peer.name = "phones";
    peer.source = {{Address::v4({10, 0, 0, 1}), 32}};
    peer.next_hops = {hop(1)};
    peer.probe = false;
    options.peers = {peer};
    return options;
}

Rig::Rig(config::DomainOptions options, bool up) : engine(std::move(options), ids(1)) {
    feed(Restored{});
    if (up) feed(StreamUp{});
}

Rig& Rig::feed(Input input) {
    stanzas.clear();
    answers.clear();
    sent.clear();
    located.clear();
    refused.clear();
    logs.clear();
    commits.clear();
    if (const auto* response = std::get_if<SipResponseIn>(&input)) others_spoke_ = others_spoke_ || !response->response.reason.empty();
    keep(engine.handle(std::move(input), now));
    // What the store says to the commits of this input belongs to it.
    for (std::size_t next = 0; stores && next < commits.size(); ++next) keep(engine.handle(store(commits[next]), now));
    return *this;
}

std::vector<Record> Rig::undelivered() const {
    auto rows = disk;
    std::erase_if(rows, [](const Record& record) {
        const auto* row = std::get_if<InboxRow>(&record.value);
        return row && row->delivered;
    });
    return rows;
}

Committed Rig::store(const Commit& commit) {
    const bool grows = std::ranges::any_of(commit.changes, [](const auto& change) { return change.value.has_value(); });
    if (unwritable && std::ranges::any_of(commit.changes, unwritable)) return {commit.commit, fail(Code::too_large, "a long row")};
    if (broken_disk && grows) return {commit.commit, fail(Code::unavailable, "disk full")};
    for (const auto& change : commit.changes) {
        const auto known = std::ranges::find_if(
            disk, [&](const Record& record) { return record.collection == change.collection && record.key == change.key; });
        if (known == disk.end()) {
            if (change.value) disk.push_back({change.collection, change.key, *change.value, 0});
        } else if (change.value) {
            known->value = *change.value;
            known->lives = 0;
        } else {
            disk.erase(known);
        }
    }
    return {commit.commit, ok()};
}

Rig& Rig::committed(const Commit& commit, Result<void> result) {
    const auto given = commit;  // of an input whose results go now
    if (result) store(given);
    return feed(Committed{given.commit, std::move(result)});
}

Rig& Rig::restart(config::DomainOptions options, UtcTime read) {
    ++starts_;
    engine = Engine(std::move(options), ids(starts_));
    ping_.clear();
    for (auto& record : disk) ++record.lives;
    return feed(Restored{disk, read});
}

void Rig::keep(std::vector<Action> actions) {
    for (auto& action : actions) {
        if (auto* stanza = std::get_if<SendStanza>(&action)) {
            if (const auto* iq = std::get_if<xmpp::Iq>(&stanza->stanza); iq && iq->type == xmpp::IqType::get)
                ping_ = iq->id;
            else
                expect_language(stanza->stanza), stanzas.push_back(std::move(stanza->stanza));
        } else if (auto* respond = std::get_if<RespondSip>(&action))
            answers.push_back(std::move(*respond));
        else if (auto* send = std::get_if<SendSip>(&action))
            sent.push_back(std::move(*send));
        else if (auto* locate = std::get_if<Locate>(&action))
            located.push_back(std::move(*locate));
        else if (auto* stranger = std::get_if<Refused>(&action))
            refused.push_back(stranger->source);
        else if (auto* log = std::get_if<Log>(&action))
            logs.push_back(std::move(*log));
        else if (auto* commit = std::get_if<Commit>(&action))
            commits.push_back(std::move(*commit));
    }
}

void Rig::expect_language(const xmpp::Stanza& stanza) const {
    const auto error = std::visit([](const auto& one) { return one.error; }, stanza);
    const bool named = !error || !error->text || error->text_lang || others_spoke_;
    EXPECT_TRUE(named) << "a text of ours that plugin/engine/texts.cpp does not know: " << *error->text;
}

Rig& Rig::request(sip::Request request, Address source, std::vector<std::string> certified) {
    const auto transport = certified.empty() ? Transport::udp : Transport::tls;
    return feed(SipRequestIn{
        ServerTransaction{++last_transaction_}, std::move(request), {source, 5060}, transport, {"system", std::move(certified)}});
}

Rig& Rig::pass(std::chrono::milliseconds time) {
    now += time;
    const auto due = engine.next_timeout();
    return due && *due <= now ? feed(Tick{}) : *this;
}

xmpp::Iq Rig::ping_result() {
    xmpp::Iq result;
    result.from = {{}, "montague.test", {}};
    result.to = {{}, "capulet.test", {}};
    result.id = std::exchange(ping_, {});
    result.type = xmpp::IqType::result;
    EXPECT_FALSE(result.id.empty()) << "no ping is out";
    return result;
}

Rig& Rig::sip_response(ClientTransaction transaction, int status, LocalFailure local, std::string reason) {
    sip::Response response;
    response.status = status;
    response.reason = std::move(reason);
    return feed(SipResponseIn{transaction, std::move(response), local});
}

sip::Response Rig::answer() const {
    EXPECT_LE(answers.size(), 1u);
    return answers.empty() ? sip::Response{} : answers.front().response;
}

xmpp::StanzaError Rig::error() const {
    EXPECT_EQ(stanzas.size(), 1u);
    if (stanzas.size() != 1) return {};
    const auto error = std::visit([](const auto& stanza) { return stanza.error; }, stanzas.front());
    EXPECT_TRUE(error);
    return error.value_or(xmpp::StanzaError{});
}

std::vector<xmpp::Message> Rig::messages() const {
    std::vector<xmpp::Message> all;
    for (const auto& stanza : stanzas)
        if (const auto* message = std::get_if<xmpp::Message>(&stanza); message && message->type != xmpp::MessageType::error)
            all.push_back(*message);
    return all;
}

bool Rig::logged(std::string_view part) const {
    for (const auto& log : logs)
        if (log.text.find(part) != std::string::npos) return true;
    return false;
}

config::NextHop hop(std::uint8_t host, std::uint16_t port, Transport transport) {
    config::NextHop made;
    made.address = Address::v4({10, 0, 0, host});
    made.host = made.address->to_string();
    made.uri = "sip:" + made.host;
    made.port = port;
    made.transport = transport;
    return made;
}

config::NextHop named_hop(const std::string& name) {
    config::NextHop made;
    made.host = name;
    made.uri = "sip:" + name;
    return made;
}

sip::Uri uri(const std::string& text) { return sip::Uri::parse(text).value(); }

sip::Request message_request(const std::string& body) {
    static unsigned number = 0;
    sip::Request request;
    request.method = "MESSAGE";
    request.uri = uri("sip:romeo@montague.test");
    request.from = {"", uri("sip:juliet@capulet.test"), "t1"};
    request.to = {"", request.uri, ""};
    request.call_id = "call" + std::to_string(++number);
    request.cseq = 1;
    request.content_type = "text/plain";
    request.body = body;
    return request;
}

xmpp::Message message_stanza(const std::string& id, const std::string& body) {
    xmpp::Message message;
    message.from = {"romeo", "montague.test", "garden"};
    message.to = {"juliet", "capulet.test", {}};
    message.id = id;
    message.type = xmpp::MessageType::chat;
    message.bodies = {{body, {}}};
    return message;
}

}  // namespace stox::engine::test
