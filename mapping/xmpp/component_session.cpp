#include "mapping/xmpp/component_session.h"

#include "mapping/xml/writer.h"
#include "mapping/xmpp/namespaces.h"

#include <openssl/evp.h>

#include <array>
#include <utility>

namespace stox::xmpp {

namespace {

constexpr std::string_view kClosingTag = "</stream:stream>";

/// Lower-case hex of SHA-1 over stream id and secret.   (XEP-0114 §3, step 3)
std::string handshake_of(const std::string& stream_id, const std::string& secret) {
    static constexpr char kHex[] = "0123456789abcdef";
    const std::string text = stream_id + secret;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned octets = 0;
    // Without a digest the server says not-authorized, which is as good an end as any.
    if (EVP_Digest(text.data(), text.size(), digest.data(), &octets, EVP_sha1(), nullptr) != 1) return {};
    std::string hex;
    for (unsigned i = 0; i < octets; ++i) hex.append({kHex[digest[i] >> 4], kHex[digest[i] & 15]});
    return hex;
}

/// Servers are not of one mind about the namespaces inside, so the names alone decide.
StreamEnded read_stream_error(const xml::Element& error) {
    StreamEnded ended;
    for (const auto& node : error.children) {
        const auto* child = std::get_if<xml::Element>(&node);
        if (!child) continue;
        if (child->name == "text")
            ended.detail = child->text();
        else if (ended.condition.empty())
            ended.condition = child->name;
    }
    if (ended.condition.empty()) ended.condition = "undefined-condition";
    return ended;
}

std::string stream_error(std::string_view condition) {
    return "<stream:error><" + std::string(condition) + " xmlns='" + std::string(ns::kStreamErrors) + "'/></stream:error>";
}

/// The bad-request for an IQ request that is none, if it says who asked; null for everything else.   (RFC 6120 §8.2.3)
std::optional<Stanza> bad_request_for(const xml::Element& element) {
    const auto* type = element.attribute("type");
    const auto *from = element.attribute("from"), *to = element.attribute("to");
    if (!element.is(kComponentNs, "iq") || !type || (*type != "get" && *type != "set") || !from || !to) return std::nullopt;
    auto asker = Jid::parse(*from), asked = Jid::parse(*to);
    if (!asker || !asked) return std::nullopt;
    Iq request;
    request.from = std::move(asker).value();
    request.to = std::move(asked).value();
    if (const auto* id = element.attribute("id")) request.id = *id;
    StanzaError error;
    error.type = ErrorType::modify;
    error.condition = Condition::bad_request;
    return make_error(request, std::move(error));
}

}  // namespace

ComponentSession::ComponentSession(std::string domain, std::string secret, xml::Limits limits)
    : domain_(std::move(domain)), secret_(std::move(secret)), reader_(limits), limits_(limits) {}

std::vector<SessionEvent> ComponentSession::open() {
    if (state_ != State::idle) return {};
    state_ = State::header_sent;
    std::string header = "<?xml version='1.0'?><stream:stream xmlns='";
    header.append(kComponentNs)
        .append("' xmlns:stream='")
        .append(ns::kStreams)
        .append("' to='")
        .append(xml::escape(domain_))
        .append("'>");
    return {SendOctets{std::move(header)}};
}

std::vector<SessionEvent> ComponentSession::receive(std::string_view octets) {
    if (state_ == State::idle || state_ == State::ended) return {};
    auto read = reader_.feed(octets);
    if (!read) {
        const auto* condition = read.error().code == Code::too_large ? "policy-violation" : "not-well-formed";
        std::vector<SessionEvent> events{SendOctets{stream_error(condition)}};
        for (auto& event : end(condition, read.error().detail)) events.push_back(std::move(event));
        return events;
    }
    std::vector<SessionEvent> events;
    for (auto& event : read.value()) {
        if (state_ == State::ended) break;
        std::vector<SessionEvent> made;
        if (const auto* opened = std::get_if<xml::StreamOpened>(&event))
            made = on_opened(opened->header);
        else if (const auto* stanza = std::get_if<xml::StanzaRead>(&event))
            made = on_element(stanza->stanza);
        else
            made = end({}, {});
        for (auto& one : made) events.push_back(std::move(one));
    }
    return events;
}

std::vector<SessionEvent> ComponentSession::on_opened(const xml::Element& header) {
    if (!header.is(ns::kStreams, "stream")) return end("invalid-namespace", "what the server opened is no XMPP stream");
    // A server that refuses us at once has no id to give; the stream error follows.
    const auto* id = header.attribute("id");
    if (!id || id->empty()) return {};
    stream_id_ = *id;
    state_ = State::handshake_sent;
    return {SendOctets{"<handshake>" + handshake_of(stream_id_, secret_) + "</handshake>"}};
}

std::vector<SessionEvent> ComponentSession::on_element(const xml::Element& element) {
    if (element.is(ns::kStreams, "error")) {
        auto ended = read_stream_error(element);
        return end(std::move(ended.condition), std::move(ended.detail));
    }
    if (state_ == State::handshake_sent && element.is(kComponentNs, "handshake")) {
        state_ = State::attached;
        return {Attached{stream_id_}};
    }
    if (state_ != State::attached) return {StanzaRefused{{Code::forbidden, "a stanza before the handshake"}}};
    auto stanza = decode(element);
    if (stanza) return {StanzaReceived{std::move(stanza).value()}};
    std::vector<SessionEvent> events;
    if (const auto answer = bad_request_for(element))
        if (auto octets = encode(*answer)) events.push_back(SendOctets{std::move(octets).value()});
    events.push_back(StanzaRefused{stanza.error()});
    return events;
}

Result<std::string> ComponentSession::encode(const Stanza& stanza) const {
    const auto& [from, to] =
        std::visit([](const auto& one) { return std::pair<const Jid&, const Jid&>(one.from, one.to); }, stanza);
    if (from.domain != domain_) return fail(Code::forbidden, "a stanza from " + from.domain + " on the stream of " + domain_);
    if (to.domain.empty()) return fail(Code::forbidden, "a stanza to nobody");
    auto octets = xml::write(xmpp::encode(stanza), kComponentNs);
    if (octets.size() > limits_.stanza_octets)
        return fail(Code::too_large, "a stanza of " + std::to_string(octets.size()) + " octets");
    return octets;
}

std::vector<SessionEvent> ComponentSession::close() {
    if (state_ == State::idle || state_ == State::ended) return {};
    state_ = State::ended;
    return {SendOctets{std::string(kClosingTag)}};
}

std::vector<SessionEvent> ComponentSession::end(std::string condition, std::string detail) {
    state_ = State::ended;
    return {SendOctets{std::string(kClosingTag)}, StreamEnded{std::move(condition), std::move(detail)}};
}

}  // namespace stox::xmpp
