#pragma once
// Questions to the DNS and their answers, as values.

#include "mapping/core/endpoint.h"
#include "mapping/core/ids.h"
#include "net/dns_name.h"
#include "net/time.h"

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::net {

/// Their numbers on the wire.
enum class RecordType : std::uint16_t { a = 1, aaaa = 28, srv = 33, naptr = 35 };

/// "A", "AAAA", "SRV", "NAPTR".
std::string_view to_string(RecordType type);

/// The provisioning domain is part of the question: two of them may answer differently, and neither answer is worth anything in
/// the other.   (RFC 7556 §5.2)
struct Question {
    DnsName name;
    RecordType type = RecordType::a;
    ProvisioningDomain domain = ProvisioningDomain::host_default;

    /// "SRV of _sip._udp.example.com", for the operator.
    std::string to_string() const;
    friend auto operator<=>(const Question&, const Question&) = default;
};

struct QuestionHash {
    std::size_t operator()(const Question& question) const {
        return std::hash<std::string>{}(question.name.text()) * 31 + static_cast<std::size_t>(question.type) +
               (static_cast<std::size_t>(question.domain) << 16);
    }
};

/// RFC 2782. A target that is the root says that the service is not available.
struct SrvRecord {
    std::uint16_t priority = 0;
    std::uint16_t weight = 0;
    std::uint16_t port = 0;
    DnsName target;
    friend bool operator==(const SrvRecord&, const SrvRecord&) = default;
};

/// RFC 3403, without regular expression: one that has it rewrites numbers (RFC 6116) and never locates a SIP server.
struct NaptrRecord {
    std::uint16_t order = 0;
    std::uint16_t preference = 0;
    std::string flags;    ///< lower case
    std::string service;  ///< lower case
    DnsName replacement;
    friend bool operator==(const NaptrRecord&, const NaptrRecord&) = default;
};

/// An Address answers A and AAAA.
using Record = std::variant<Address, SrvRecord, NaptrRecord>;

enum class AnswerStatus {
    found,         ///< at least one record
    no_data,       ///< the name exists, without records of this type
    no_such_name,  ///< NXDOMAIN
    failed,        ///< no server gave an answer that can be used
    timed_out,     ///< no server gave any
};

struct Answer {
    AnswerStatus status = AnswerStatus::failed;
    std::vector<Record> records;  ///< 1 to kMaxRecords when found, all of the type asked for, in the order of the answer
    std::chrono::seconds ttl{0};  ///< the smallest of the records and of the aliases that led to them
    bool stale = false;           ///< from the cache, expired, because the servers do not answer   (RFC 8767)
    std::string detail;           ///< why not found, for the operator

    /// Whether a server spoke for the name, be it that there is nothing.
    bool authoritative() const { return status != AnswerStatus::failed && status != AnswerStatus::timed_out; }
    friend bool operator==(const Answer&, const Answer&) = default;
};

constexpr std::size_t kMaxRecords = 64;  ///< of one answer that are looked at; the rest is dropped
constexpr unsigned kMaxAliases = 8;      ///< CNAMEs that are followed one after the other

/// "found", "no records", "no such name", ...: for the operator.
std::string_view to_string(AnswerStatus status);

/// An answer without records.
Answer no_answer(AnswerStatus status, std::string detail = {});

}  // namespace stox::net
