#include "net/dns.h"

#include <utility>

namespace stox::net {

std::string_view to_string(RecordType type) {
    switch (type) {
        case RecordType::a:
            return "A";
        case RecordType::aaaa:
            return "AAAA";
        case RecordType::srv:
            return "SRV";
        case RecordType::naptr:
            return "NAPTR";
    }
    return {};
}

std::string Question::to_string() const { return std::string(net::to_string(type)) + " of " + name.text(); }

std::string_view to_string(AnswerStatus status) {
    switch (status) {
        case AnswerStatus::found:
            return "found";
        case AnswerStatus::no_data:
            return "no records";
        case AnswerStatus::no_such_name:
            return "no such name";
        case AnswerStatus::failed:
            return "no usable answer";
        case AnswerStatus::timed_out:
            return "no answer in time";
    }
    return {};
}

Answer no_answer(AnswerStatus status, std::string detail) {
    Answer answer;
    answer.status = status;
    answer.detail = std::move(detail);
    return answer;
}

}  // namespace stox::net
