#include "mapping/sip/offer_exchange.h"

#include "mapping/sip/header_values.h"

namespace stox::sip {

bool describes_session(std::string_view content_type) {
    const auto media = content_type.substr(0, content_type.find_first_of("; \t"));
    constexpr std::string_view kMultipart = "multipart/";
    return same_token(media, "application/sdp") ||
           (media.size() > kMultipart.size() && same_token(media.substr(0, kMultipart.size()), kMultipart));
}

DescriptionRole OfferExchange::step(State offers, State answers) {
    if (state_ == answers) {
        state_ = State::agreed;
        agreed_ = true;
        return DescriptionRole::answer;
    }
    if (open()) return DescriptionRole::none;
    state_ = offers;
    return DescriptionRole::offer;
}

DescriptionRole OfferExchange::sent() { return step(State::offered, State::asked); }

DescriptionRole OfferExchange::received() { return step(State::asked, State::offered); }

void OfferExchange::undo() {
    if (open()) state_ = agreed_ ? State::agreed : State::none;
}

}  // namespace stox::sip
