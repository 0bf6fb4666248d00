#pragma once
// Instant Message Disposition Notification (RFC 5438) as a value, and what a message asks for.

#include "mapping/core/result.h"
#include "mapping/xml/element.h"

#include <optional>
#include <string>
#include <string_view>

namespace stox::im {

inline constexpr std::string_view kImdnType = "message/imdn+xml";

enum class Disposition { delivery, display, processing };
enum class DispositionStatus { delivered, failed, displayed, processed, stored, forbidden, error };

struct Imdn {
    std::string message_id;  ///< of the message it is about
    std::string datetime;    ///< when that was sent, as its sender wrote it; may be empty
    std::string recipient_uri{};
    std::string original_recipient_uri{};
    std::string subject{};
    Disposition disposition = Disposition::delivery;
    DispositionStatus status = DispositionStatus::delivered;

    friend bool operator==(const Imdn&, const Imdn&) = default;
};

/// errors  malformed: no IMDN, or one without message-id; unsupported: a disposition or a status that RFC 5438 does not have,
///         or one that does not belong to the other: nothing to act on; forbidden, too_large: as of xml::read_document
Result<Imdn> read_imdn(std::string_view document);
std::string write_imdn(const Imdn& imdn);

/// What a Disposition-Notification header asks for; values we do not know ask for nothing, nor does "processing" of a
/// recipient.   (RFC 5438 §7.2.1)
struct DispositionRequest {
    bool positive_delivery = false;
    bool negative_delivery = false;
    bool display = false;

    bool any() const { return positive_delivery || negative_delivery || display; }
    friend bool operator==(const DispositionRequest&, const DispositionRequest&) = default;
};
DispositionRequest read_disposition_request(std::string_view value);
std::string write_disposition_request(const DispositionRequest& request);

}  // namespace stox::im
