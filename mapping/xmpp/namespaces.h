#pragma once
// The XML namespaces we speak or recognise, one name each.

#include <string_view>

namespace stox::xmpp::ns {

inline constexpr std::string_view kStanzaErrors = "urn:ietf:params:xml:ns:xmpp-stanzas";
inline constexpr std::string_view kApplicationErrors = "urn:xmpp:errors";  // XEP-0182
inline constexpr std::string_view kStreams = "http://etherx.jabber.org/streams";
inline constexpr std::string_view kStreamErrors = "urn:ietf:params:xml:ns:xmpp-streams";

inline constexpr std::string_view kDiscoInfo = "http://jabber.org/protocol/disco#info";    // XEP-0030
inline constexpr std::string_view kDiscoItems = "http://jabber.org/protocol/disco#items";  // XEP-0030
inline constexpr std::string_view kCaps = "http://jabber.org/protocol/caps";               // XEP-0115
inline constexpr std::string_view kDataForms = "jabber:x:data";                            // XEP-0004
inline constexpr std::string_view kCommands = "http://jabber.org/protocol/commands";       // XEP-0050
inline constexpr std::string_view kVersion = "jabber:iq:version";                          // XEP-0092
inline constexpr std::string_view kPing = "urn:xmpp:ping";                                 // XEP-0199
inline constexpr std::string_view kShim = "http://jabber.org/protocol/shim";               // XEP-0131
inline constexpr std::string_view kStanzaIds = "urn:xmpp:sid:0";                           // XEP-0359
inline constexpr std::string_view kReceipts = "urn:xmpp:receipts";                         // XEP-0184
inline constexpr std::string_view kMarkers = "urn:xmpp:chat-markers:0";                    // XEP-0333
inline constexpr std::string_view kChatStates = "http://jabber.org/protocol/chatstates";   // XEP-0085
inline constexpr std::string_view kReplace = "urn:xmpp:message-correct:0";                 // XEP-0308
inline constexpr std::string_view kRetract = "urn:xmpp:message-retract:1";                 // XEP-0424
inline constexpr std::string_view kDelay = "urn:xmpp:delay";                               // XEP-0203
inline constexpr std::string_view kCarbons = "urn:xmpp:carbons:2";                         // XEP-0280
inline constexpr std::string_view kArchive = "urn:xmpp:mam:2";                             // XEP-0313

// End-to-end encryption, which SIP cannot carry.
inline constexpr std::string_view kEme = "urn:xmpp:eme:0";                    // XEP-0380: names the method
inline constexpr std::string_view kOtr = "urn:xmpp:otr:0";                    // as XEP-0380 calls it
inline constexpr std::string_view kOmemo = "eu.siacs.conversations.axolotl";  // XEP-0384 before 0.4
inline constexpr std::string_view kOmemo2 = "urn:xmpp:omemo:2";               // XEP-0384
inline constexpr std::string_view kOpenPgp = "urn:xmpp:openpgp:0";            // XEP-0373
inline constexpr std::string_view kLegacyOpenPgp = "jabber:x:encrypted";      // XEP-0027

inline constexpr std::string_view kReport = "urn:stox:report:0";   // ours: a notification that waits to be sent
inline constexpr std::string_view kSipCode = "urn:stox:sip:0";  // ours: the SIP status a stanza error was made from

}  // namespace stox::xmpp::ns
