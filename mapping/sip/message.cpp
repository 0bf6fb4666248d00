#include "mapping/sip/message.h"

#include <algorithm>
#include <array>

namespace stox::sip {

namespace {

struct Phrase {
    int status;
    std::string_view text;
};

// The registry "Session Initiation Protocol (SIP) Parameters, Response Codes".
constexpr std::array kPhrases{
    Phrase{100, "Trying"},
    Phrase{180, "Ringing"},
    Phrase{181, "Call Is Being Forwarded"},
    Phrase{182, "Queued"},
    Phrase{183, "Session Progress"},
    Phrase{199, "Early Dialog Terminated"},
    Phrase{200, "OK"},
    Phrase{202, "Accepted"},
    Phrase{204, "No Notification"},
    Phrase{300, "Multiple Choices"},
    Phrase{301, "Moved Permanently"},
    Phrase{302, "Moved Temporarily"},
    Phrase{305, "Use Proxy"},
    Phrase{380, "Alternative Service"},
    Phrase{400, "Bad Request"},
    Phrase{401, "Unauthorized"},
    Phrase{402, "Payment Required"},
    Phrase{403, "Forbidden"},
    Phrase{404, "Not Found"},
    Phrase{405, "Method Not Allowed"},
    Phrase{406, "Not Acceptable"},
    Phrase{407, "Proxy Authentication Required"},
    Phrase{408, "Request Timeout"},
    Phrase{410, "Gone"},
    Phrase{412, "Conditional Request Failed"},
    Phrase{413, "Request Entity Too Large"},
    Phrase{414, "Request-URI Too Long"},
    Phrase{415, "Unsupported Media Type"},
    Phrase{416, "Unsupported URI Scheme"},
    Phrase{417, "Unknown Resource-Priority"},
    Phrase{420, "Bad Extension"},
    Phrase{421, "Extension Required"},
    Phrase{422, "Session Interval Too Small"},
    Phrase{423, "Interval Too Brief"},
    Phrase{424, "Bad Location Information"},
    Phrase{425, "Bad Alert Message"},
    Phrase{428, "Use Identity Header"},
    Phrase{429, "Provide Referrer Identity"},
    Phrase{430, "Flow Failed"},
    Phrase{433, "Anonymity Disallowed"},
    Phrase{436, "Bad Identity Info"},
    Phrase{437, "Unsupported Credential"},
    Phrase{438, "Invalid Identity Header"},
    Phrase{439, "First Hop Lacks Outbound Support"},
    Phrase{440, "Max-Breadth Exceeded"},
    Phrase{469, "Bad Info Package"},
    Phrase{470, "Consent Needed"},
    Phrase{480, "Temporarily Unavailable"},
    Phrase{481, "Call/Transaction Does Not Exist"},
    Phrase{482, "Loop Detected"},
    Phrase{483, "Too Many Hops"},
    Phrase{484, "Address Incomplete"},
    Phrase{485, "Ambiguous"},
    Phrase{486, "Busy Here"},
    Phrase{487, "Request Terminated"},
    Phrase{488, "Not Acceptable Here"},
    Phrase{489, "Bad Event"},
    Phrase{491, "Request Pending"},
    Phrase{493, "Undecipherable"},
    Phrase{494, "Security Agreement Required"},
    Phrase{500, "Server Internal Error"},
    Phrase{501, "Not Implemented"},
    Phrase{502, "Bad Gateway"},
    Phrase{503, "Service Unavailable"},
    Phrase{504, "Server Time-out"},
    Phrase{505, "Version Not Supported"},
    Phrase{513, "Message Too Large"},
    Phrase{555, "Push Notification Service Not Supported"},
    Phrase{580, "Precondition Failure"},
    Phrase{600, "Busy Everywhere"},
    Phrase{603, "Decline"},
    Phrase{604, "Does Not Exist Anywhere"},
    Phrase{606, "Not Acceptable"},
    Phrase{607, "Unwanted"},
    Phrase{608, "Rejected"},
};
static_assert(std::ranges::is_sorted(kPhrases, {}, &Phrase::status));

bool same_name(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

const std::string* find(const std::vector<Header>& headers, std::string_view name) {
    const auto found = std::ranges::find_if(headers, [name](const Header& header) { return same_name(header.name, name); });
    return found == headers.end() ? nullptr : &found->value;
}

}  // namespace

const std::string* Request::header(std::string_view name) const { return find(headers, name); }
const std::string* Response::header(std::string_view name) const { return find(headers, name); }

std::string_view reason_phrase(int status) {
    const auto row = std::ranges::lower_bound(kPhrases, status, {}, &Phrase::status);
    return row != kPhrases.end() && row->status == status ? row->text : std::string_view{};
}

}  // namespace stox::sip
