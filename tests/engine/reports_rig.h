#pragma once
// Messages that ask for receipts, the notifications about them, and what an engine made of both.

#include "mapping/im/body.h"
#include "mapping/im/cpim.h"
#include "mapping/im/extensions.h"
#include "tests/engine/rig.h"

#include <chrono>
#include <string>
#include <vector>

namespace stox::engine::test {

using im::Disposition, im::DispositionStatus;

inline const UtcTime kNow = UtcTime(std::chrono::sys_days(std::chrono::year(2026) / 4 / 4)) + std::chrono::hours(12);

inline Rig& from_sip(Rig& rig, sip::Request request) {
    static std::uint64_t number = 1'000;
    return rig.feed(SipRequestIn{
        ServerTransaction{++number}, std::move(request), {Address::v4({10, 0, 0, 1}), 5060}, Transport::udp, {}, kNow});
}

inline Rig& from_xmpp(Rig& rig, xmpp::Message message) { return rig.feed(StanzaIn{std::move(message), kNow}); }

// What goes to SIP

inline xmpp::Message asking(const std::string& id = "m1", bool markable = false) {
    auto message = message_stanza(id);
    message.payload.push_back(im::receipt_request());
    if (markable) message.payload.push_back(im::markable());
    return message;
}

/// The Message-ID under which the last message went out.
inline std::string imdn_id(const Rig& rig) {
    const auto body = im::read_body(rig.sent.at(0).request);
    return body && body.value().envelope ? body.value().envelope->message_id : "(none)";
}

inline im::DispositionRequest asked(const Rig& rig) {
    const auto body = im::read_body(rig.sent.at(0).request);
    return body && body.value().envelope ? body.value().envelope->asks : im::DispositionRequest{};
}

/// Sends a message of romeo's to juliet, whose phone takes it; its Message-ID.
inline std::string accepted(Rig& rig, const xmpp::Message& message, int status = 200) {
    from_xmpp(rig, message);
    const auto id = imdn_id(rig);
    rig.sip_response(rig.sent.at(0).transaction, status);
    return id;
}

inline sip::Request notification(const std::string& id, DispositionStatus status,
                                 Disposition disposition = Disposition::delivery) {
    auto request = message_request(
        "From: <sip:juliet@capulet.test>\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: other\r\n\r\nContent-Type: "
        "message/imdn+xml\r\nContent-Disposition: notification\r\n\r\n" +
        im::write_imdn({id, "", "", "", "", disposition, status}));
    request.content_type = "message/cpim";
    return request;
}

/// Several notifications in one request.
inline sip::Request notifications(const std::vector<im::Imdn>& imdns) {
    auto request = message_request();
    request.content_type = "multipart/mixed;boundary=b";
    request.body.clear();
    for (const auto& imdn : imdns)
        request.body += "--b\r\nContent-Type: message/imdn+xml\r\n\r\n" + im::write_imdn(imdn) + "\r\n";
    request.body += "--b--\r\n";
    return request;
}

/// The only element that the last input sent in a message without a body.
inline xml::Element told(const Rig& rig) {
    const auto messages = rig.messages();
    if (messages.size() != 1 || messages[0].payload.size() != 1 || !messages[0].bodies.empty()) return {};
    return messages[0].payload[0];
}

inline xmpp::Message receipt_of(const xml::Element& element, const std::string& from = "romeo") {
    xmpp::Message message;
    message.from = {from, "montague.test", "garden"};
    message.to = {"juliet", "capulet.test", {}};
    message.type = xmpp::MessageType::chat;
    message.payload.push_back(element);
    return message;
}

// What comes from SIP

inline sip::Request wrapped(const std::string& asks, const std::string& more = {}, const std::string& id = "q1") {
    auto request = message_request(
        "From: <sip:juliet@capulet.test>\r\nTo: <sip:romeo@montague.test>\r\nDateTime: 2026-04-04T11:59:59Z\r\n"
        "NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: " +
        id + "\r\n" + more + "imdn.Disposition-Notification: " + asks + "\r\n\r\nContent-Type: text/plain\r\n\r\nhello");
    request.content_type = "message/cpim";
    return request;
}

/// Delivers it to romeo; the stanza.
inline xmpp::Message delivered(Rig& rig, sip::Request request) {
    from_sip(rig, std::move(request));
    const auto stanza = rig.messages().at(0);
    rig.answer_ping();
    return stanza;
}

struct Reported {
    im::Imdn imdn;
    sip::Request request;
};
inline std::vector<Reported> reports(const Rig& rig) {
    std::vector<Reported> all;
    for (const auto& sent : rig.sent) {
        const auto body = im::read_body(sent.request);
        const auto* imdns = body ? std::get_if<std::vector<im::Imdn>>(&body.value().content) : nullptr;
        if (imdns) all.push_back({imdns->at(0), sent.request});
    }
    return all;
}

inline xmpp::Message error_for(const xmpp::Message& stanza) {
    xmpp::StanzaError why;
    why.condition = xmpp::Condition::service_unavailable;
    return std::get<xmpp::Message>(*xmpp::make_error(stanza, why));
}

}  // namespace stox::engine::test
