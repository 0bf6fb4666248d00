#include "mapping/xmpp/component_session.h"

#include "mapping/xml/writer.h"
#include "mapping/xmpp/namespaces.h"

#include <openssl/evp.h>

#include <array>
#include <utility>

namespace stox::xmpp {

namespace {

constexpr std::string_view kClosingTag = "</stream:stream>";
constexpr const char* kInvalidNamespace = "invalid-namespace";
constexpr const char* kUndeclared = "the server's stream does not declare jabber:component:accept";

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

/// The name of the stream error that ends a stream we cannot read.   (RFC 6120 §4.9.3)
const char* condition_of(const Error& fault) {
    switch (fault.code) {
        case Code::too_large:
            return "policy-violation";
        case Code::forbidden:
            return "restricted-xml";
        default:
            return "not-well-formed";
    }
}

/// For the operator: a namespace is a few words long, or it is none that helps.
std::string shown(const std::string& name) { return name.size() <= 100 ? name : "another kind"; }

StanzaRefused refused(const xml::Element& element, Error why) {
    auto envelope = decode_envelope(element);
    if (!envelope) return {std::move(why), std::nullopt};
    return {std::move(why), std::move(envelope).value()};
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
    const auto read = reader_.feed(octets);
    std::vector<SessionEvent> events;
    events.reserve(read.size());
    for (const auto& event : read) {
        if (state_ == State::ended) break;
        std::visit([&](const auto& one) { on_event(one, events); }, event);
    }
    return events;
}

void ComponentSession::on_event(const xml::StreamOpened& opened, Events& out) {
    const auto& header = opened.header;
    if (!header.is(ns::kStreams, "stream"))
        return end_with_error(kInvalidNamespace, "what the server opened is no XMPP stream", out);
    content_ns_is_ours_ = opened.content_ns == kComponentNs;
    const auto* language = header.lang();
    language_ = language ? *language : std::string();
    // A header that declares none may stand before a stream error, which tells more than we could.
    if (!content_ns_is_ours_ && !opened.content_ns.empty() && opened.content_ns != ns::kStreams)
        return end_with_error(kInvalidNamespace, "the server opened a stream of " + shown(opened.content_ns), out);
    // COMPAT: a server may open the stream again before it reports a stream error. Nothing begins anew with it.
    if (state_ != State::header_sent) return;
    // A server that refuses us at once has no id to give; the stream error follows.
    const auto* id = header.attribute("id");
    if (!id || id->empty()) return;
    stream_id_ = *id;
    state_ = State::handshake_sent;
    out.push_back(SendOctets{"<handshake>" + handshake_of(stream_id_, secret_) + "</handshake>"});
}

void ComponentSession::on_event(const xml::StanzaRead& read, Events& out) {
    const auto& element = read.stanza;
    if (element.is(ns::kStreams, "error")) {
        auto ended = read_stream_error(element);
        return end(std::move(ended.condition), std::move(ended.detail), out);
    }
    if (!carries(element)) return end_with_error(kInvalidNamespace, kUndeclared, out);
    if (state_ == State::handshake_sent && element.is(kComponentNs, "handshake")) {
        state_ = State::attached;
        return void(out.push_back(Attached{stream_id_}));
    }
    if (state_ != State::attached)
        return void(out.push_back(StanzaRefused{{Code::forbidden, "a stanza before the handshake"}, std::nullopt}));
    auto stanza = decode(element);
    if (!stanza) return void(out.push_back(refused(element, stanza.error())));
    use_language_of_stream(stanza.value());
    out.push_back(StanzaReceived{std::move(stanza).value()});
}

void ComponentSession::on_event(const xml::StanzaRefused& passed_over, Events& out) {
    if (passed_over.head.is(ns::kStreams, "error")) return end("undefined-condition", passed_over.why.detail, out);
    if (!carries(passed_over.head)) return end_with_error(kInvalidNamespace, kUndeclared, out);
    if (state_ != State::attached) return void(out.push_back(StanzaRefused{passed_over.why, std::nullopt}));
    out.push_back(refused(passed_over.head, passed_over.why));
}

void ComponentSession::on_event(const xml::StreamClosed&, Events& out) { end({}, {}, out); }

void ComponentSession::on_event(const xml::StreamFault& fault, Events& out) {
    end_with_error(condition_of(fault.why), fault.why.detail, out);
}

void ComponentSession::use_language_of_stream(Stanza& stanza) const {
    if (language_ != default_language_)
        std::visit([this](auto& one) { if (one.lang.empty()) one.lang = language_; }, stanza);
}

/// False: no stanza of the stream can be read, for its header does not say that it carries any of ours.
bool ComponentSession::carries(const xml::Element& element) const { return content_ns_is_ours_ || element.ns == kComponentNs; }

Result<std::string> ComponentSession::encode(const Stanza& stanza) const {
    const auto& [from, to] =
        std::visit([](const auto& one) { return std::pair<const Jid&, const Jid&>(one.from, one.to); }, stanza);
    if (from.domain != domain_) return fail(Code::forbidden, "a stanza from " + from.domain + " on the stream of " + domain_);
    if (to.domain.empty()) return fail(Code::forbidden, "a stanza to nobody");
    auto octets = xml::write_within(xmpp::encode(stanza), limits_.stanza_octets, kComponentNs);
    if (!octets) return fail(Code::too_large, "a stanza of more than " + std::to_string(limits_.stanza_octets) + " octets");
    return std::move(*octets);
}

std::vector<SessionEvent> ComponentSession::close() {
    if (state_ == State::idle || state_ == State::ended) return {};
    state_ = State::ended;
    return {SendOctets{std::string(kClosingTag)}};
}

void ComponentSession::end(std::string condition, std::string detail, Events& out) {
    state_ = State::ended;
    out.push_back(SendOctets{std::string(kClosingTag)});
    out.push_back(StreamEnded{std::move(condition), std::move(detail)});
}

/// It is we who find the fault.   (RFC 6120 §4.9.1.1)
void ComponentSession::end_with_error(std::string condition, std::string detail, Events& out) {
    state_ = State::ended;
    out.push_back(SendOctets{stream_error(condition) + std::string(kClosingTag)});
    out.push_back(StreamEnded{std::move(condition), std::move(detail)});
}

}  // namespace stox::xmpp
