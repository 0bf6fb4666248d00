#include "mapping/sip/mandatory_header.h"

#include <algorithm>
#include <array>

namespace stox::sip {

namespace {

struct MandatoryRow {
    int status;
    std::string_view header;
};

// RFC 3261 §21.4, RFC 6665 §8.3.2 for 489, RFC 6086 §4.3 for 469.
constexpr std::array kMandatory{
    MandatoryRow{401, "WWW-Authenticate"}, MandatoryRow{405, "Allow"},       MandatoryRow{407, "Proxy-Authenticate"},
    MandatoryRow{415, "Accept"},           MandatoryRow{420, "Unsupported"}, MandatoryRow{421, "Require"},
    MandatoryRow{423, "Min-Expires"},      MandatoryRow{469, "Recv-Info"},   MandatoryRow{489, "Allow-Events"},
};

}  // namespace

std::string_view mandatory_header(int status) {
    const auto row = std::ranges::find(kMandatory, status, &MandatoryRow::status);
    return row == kMandatory.end() ? std::string_view() : row->header;
}

}  // namespace stox::sip
