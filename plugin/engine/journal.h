#pragma once
// The journal of live dialogs: what must be known of a call so that a restart can end it on both sides.
//
// A row is written when a dialog is made and when its route set or remote target changes, not at every request; therefore
// a restart does not know the CSeq numbers that were used since, and leaps over them.

#include "mapping/core/endpoint.h"
#include "mapping/core/ids.h"
#include "mapping/sip/message.h"
#include "mapping/xmpp/jid.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stox::engine {

/// The state of a dialog (RFC 3261 §12) as far as a BYE needs it, and the Jingle session that it was joined with.
struct JournalRow {
    std::string call_id;
    std::string local_tag;
    std::string remote_tag;  ///< empty when the peer has none (RFC 2543)
    sip::Uri local_uri;
    sip::Uri remote_uri;
    std::vector<sip::Uri> route_set;  ///< in the order in which our requests take it
    sip::Uri remote_target;
    Transport transport = Transport::udp;  ///< of the flow that the dialog was on
    Endpoint peer;                         ///< its far end
    std::uint32_t local_cseq = 0;          ///< of our newest request when the row was written
    std::optional<std::uint32_t> remote_cseq;
    xmpp::Jid peer_jid;  ///< full: the resource that the session is with
    std::string sid;     ///< of the Jingle session
    Trace trace;

    friend bool operator==(const JournalRow&, const JournalRow&) = default;
};

/// A Jingle session to be ended: session-terminate to a full JID.   (XEP-0166 §6.7)
struct SessionToEnd {
    xmpp::Jid peer;
    std::string sid;

    friend bool operator==(const SessionToEnd&, const SessionToEnd&) = default;
};

/// What a restart does with one row.
struct Adoption {
    sip::Request bye;     ///< goes to its first route, or to its Request-URI where there is none
    Transport transport;  ///< the flow the dialog was on; a stream is gone with the process that held it
    Endpoint flow;
    SessionToEnd session;
    Trace trace;

    friend bool operator==(const Adoption&, const Adoption&) = default;
};

/// Room for the requests that a dialog sent since its row was written: re-INVITE, UPDATE, INFO, PRACK.
constexpr std::uint32_t kAdoptedCseqLeap = 1'000;
/// CSeq numbers stay below 2^31.   (RFC 3261 §8.1.1.5)
constexpr std::uint32_t kMaxCseq = 0x7fff'ffff;

/// The BYE of a dialog that this process did not live through, along its route set: to a loose router with the remote target
/// as Request-URI, to a strict one (a first route without lr) with that route as Request-URI and the remote target last.
/// Its CSeq leaps by kAdoptedCseqLeap, kMaxCseq at most.   (RFC 3261 §12.2.1.1, §15.1.1)
Adoption adopt(const JournalRow& row);

}  // namespace stox::engine
