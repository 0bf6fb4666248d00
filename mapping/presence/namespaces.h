#pragma once
// The XML namespaces of presence documents.

#include <string_view>

namespace stox::presence::ns {

inline constexpr std::string_view kPidf = "urn:ietf:params:xml:ns:pidf";                  // RFC 3863
inline constexpr std::string_view kDataModel = "urn:ietf:params:xml:ns:pidf:data-model";  // RFC 4479
inline constexpr std::string_view kRpid = "urn:ietf:params:xml:ns:pidf:rpid";             // RFC 4480
inline constexpr std::string_view kClient = "jabber:client";                              // of <show/>   (RFC 8048 §6.2)
inline constexpr std::string_view kDialogInfo = "urn:ietf:params:xml:ns:dialog-info";     // RFC 4235

}  // namespace stox::presence::ns
