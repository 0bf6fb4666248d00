#pragma once
// The XML namespaces we speak or recognise, one name each.

#include <string_view>

namespace stox::xmpp::ns {

inline constexpr std::string_view kStanzaErrors = "urn:ietf:params:xml:ns:xmpp-stanzas";
inline constexpr std::string_view kStreams = "http://etherx.jabber.org/streams";
inline constexpr std::string_view kStreamErrors = "urn:ietf:params:xml:ns:xmpp-streams";

inline constexpr std::string_view kDiscoInfo = "http://jabber.org/protocol/disco#info";    // XEP-0030
inline constexpr std::string_view kDiscoItems = "http://jabber.org/protocol/disco#items";  // XEP-0030
inline constexpr std::string_view kVersion = "jabber:iq:version";                          // XEP-0092
inline constexpr std::string_view kPing = "urn:xmpp:ping";                                 // XEP-0199
inline constexpr std::string_view kStanzaIds = "urn:xmpp:sid:0";                           // XEP-0359
inline constexpr std::string_view kDelay = "urn:xmpp:delay";                               // XEP-0203

// End-to-end encryption, which SIP cannot carry.
inline constexpr std::string_view kOmemo = "eu.siacs.conversations.axolotl";  // XEP-0384 before 0.4
inline constexpr std::string_view kOmemo2 = "urn:xmpp:omemo:2";               // XEP-0384
inline constexpr std::string_view kOpenPgp = "urn:xmpp:openpgp:0";            // XEP-0373
inline constexpr std::string_view kLegacyOpenPgp = "jabber:x:encrypted";      // XEP-0027

inline constexpr std::string_view kSipCode = "urn:stox:sip:0";  // ours: the SIP status a stanza error was made from

}  // namespace stox::xmpp::ns
