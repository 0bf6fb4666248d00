#include "net/dns_message.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace stox::net {

namespace {

constexpr std::uint16_t kAliasType = 5;      // CNAME
constexpr std::uint16_t kInternet = 1;       // class IN
constexpr std::size_t kMaxExamined = 512;    // resource records read of one message
constexpr std::size_t kMaxWireName = 255;    // RFC 1035 §2.3.4
constexpr std::size_t kMaxPointers = 128;    // in one name: as many as it can have labels
constexpr std::uint32_t kMaxTtl = 1U << 31;  // RFC 2181 §8: with the top bit set it counts as 0

/// A bounded walk through the message; after the first step over its end everything reads as zero and `ok` is false.
class Reader {
public:
    Reader(std::span<const std::uint8_t> message, std::size_t at) : message_(message), at_(at), ok_(at <= message.size()) {}

    bool ok() const { return ok_; }
    std::size_t at() const { return at_; }

    std::uint8_t u8() { return take(1) ? message_[at_ - 1] : std::uint8_t{0}; }
    std::uint16_t u16() {
        if (!take(2)) return 0;
        return static_cast<std::uint16_t>(message_[at_ - 2] << 8 | message_[at_ - 1]);
    }
    std::uint32_t u32() {
        const std::uint32_t high = u16();
        return high << 16 | u16();
    }
    std::span<const std::uint8_t> octets(std::size_t count) {
        return take(count) ? message_.subspan(at_ - count, count) : std::span<const std::uint8_t>{};
    }
    void skip(std::size_t count) { take(count); }

    /// nullopt with `ok`: a name that SIP does not use.
    std::optional<DnsName> name() {
        std::string text;
        std::size_t from = at_;        // where the part being read lies
        std::size_t part_begin = at_;  // a pointer must lead before it, so that the walk ends
        std::size_t wire = 1, pointers = 0;
        bool jumped = false, usable = true;
        for (;;) {
            if (from >= message_.size()) return refuse();
            const std::uint8_t length = message_[from];
            if ((length & 0xc0) == 0xc0) {  // RFC 1035 §4.1.4
                if (from + 1 >= message_.size()) return refuse();
                const std::size_t to = static_cast<std::size_t>((length & 0x3f) << 8 | message_[from + 1]);
                if (!std::exchange(jumped, true)) at_ = from + 2;
                if (to >= part_begin || ++pointers > kMaxPointers) return refuse();
                from = part_begin = to;
                continue;
            }
            if ((length & 0xc0) != 0) return refuse();
            if (length == 0) {
                if (!jumped) at_ = from + 1;
                break;
            }
            if (from + 1 + length > message_.size() || (wire += 1U + length) > kMaxWireName) return refuse();
            const auto label = message_.subspan(from + 1, length);
            usable = usable && std::ranges::find(label, '.') == label.end();
            text.append(label.begin(), label.end());
            text += '.';
            from += 1U + length;
        }
        if (!usable) return std::nullopt;
        auto name = DnsName::parse(text.empty() ? "." : text);
        return name ? std::optional(std::move(name).value()) : std::nullopt;
    }

private:
    bool take(std::size_t count) {
        ok_ = ok_ && count <= message_.size() - at_;
        if (ok_) at_ += count;
        return ok_;
    }
    std::nullopt_t refuse() {
        ok_ = false;
        return std::nullopt;
    }

    std::span<const std::uint8_t> message_;
    std::size_t at_;
    bool ok_;
};

struct Resource {
    DnsName owner;
    std::uint16_t type;
    std::chrono::seconds ttl;
    std::size_t data, end;  // offsets in the message
};

/// The records of the type asked for and the aliases. nullopt: the message is broken.
std::optional<std::vector<Resource>> answer_section(Reader& reader, std::size_t count, RecordType wanted) {
    std::vector<Resource> resources;
    for (std::size_t i = 0; i < std::min(count, kMaxExamined); ++i) {
        auto owner = reader.name();
        const auto type = reader.u16(), kind = reader.u16();
        const auto ttl = reader.u32();
        const auto length = reader.u16();
        const auto data = reader.at();
        reader.skip(length);
        if (!reader.ok()) return std::nullopt;
        if (!owner || kind != kInternet || (type != kAliasType && type != static_cast<std::uint16_t>(wanted))) continue;
        resources.push_back({std::move(*owner), type, std::chrono::seconds(ttl < kMaxTtl ? ttl : 0), data, reader.at()});
    }
    return resources;
}

std::string lower(std::span<const std::uint8_t> octets) {
    std::string text(octets.begin(), octets.end());
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

template <std::size_t Size>
std::array<std::uint8_t, Size> array_of(std::span<const std::uint8_t> octets) {
    std::array<std::uint8_t, Size> array{};
    std::copy_n(octets.begin(), std::min(Size, octets.size()), array.begin());
    return array;
}

/// The record in reader..end. nullopt with a reader that is ok and at `end`: well-formed, of no use to SIP.
std::optional<Record> record(Reader& reader, RecordType type) {
    switch (type) {
        case RecordType::a:
            return Address::v4(array_of<4>(reader.octets(4)));
        case RecordType::aaaa: {
            // An IPv4-mapped address in an AAAA record would be dialled by IPv4 although nobody published an A record.
            const auto address = Address::v6(array_of<16>(reader.octets(16)));
            return address.is_v4() ? std::nullopt : std::optional<Record>(address);
        }
        case RecordType::srv: {
            const auto priority = reader.u16(), weight = reader.u16(), port = reader.u16();
            auto target = reader.name();
            if (!target) return std::nullopt;
            return SrvRecord{priority, weight, port, std::move(*target)};
        }
        case RecordType::naptr: {
            const auto order = reader.u16(), preference = reader.u16();
            auto flags = lower(reader.octets(reader.u8()));
            auto service = lower(reader.octets(reader.u8()));
            const auto regexp_length = reader.u8();
            reader.skip(regexp_length);
            auto replacement = reader.name();
            if (!replacement || regexp_length > 0) return std::nullopt;
            return NaptrRecord{order, preference, std::move(flags), std::move(service), std::move(*replacement)};
        }
    }
    return std::nullopt;
}

Decoded broken(std::string why) { return {no_answer(AnswerStatus::failed, std::move(why)), std::nullopt, 0}; }

/// Follows the aliases from the name asked for and collects the records at their end.
Decoded collect(const Question& question, std::span<const std::uint8_t> message, const std::vector<Resource>& resources) {
    Decoded decoded{no_answer(AnswerStatus::no_data), std::nullopt, 0};
    auto& answer = decoded.answer;
    answer.ttl = std::chrono::seconds(kMaxTtl);
    for (DnsName current = question.name;;) {
        const Resource* alias = nullptr;
        for (const auto& resource : resources) {
            if (resource.owner != current || answer.records.size() == kMaxRecords) continue;
            if (resource.type == kAliasType) {
                if (!alias) alias = &resource;
                continue;
            }
            Reader data(message, resource.data);
            auto value = record(data, question.type);
            if (!data.ok() || data.at() != resource.end) return broken("malformed record");
            if (!value) continue;
            answer.records.push_back(std::move(*value));
            answer.ttl = std::min(answer.ttl, resource.ttl);
        }
        if (!answer.records.empty()) {
            answer.status = AnswerStatus::found;
            return decoded;
        }
        if (!alias) {
            if (decoded.aliases > 0)
                decoded.alias = std::move(current);
            else
                answer.ttl = {};
            return decoded;
        }
        if (decoded.aliases == kMaxAliases) return broken("chain of more than 8 aliases");
        Reader data(message, alias->data);
        auto target = data.name();
        if (!data.ok() || data.at() != alias->end) return broken("malformed alias");
        if (!target || target->is_root()) return broken("alias that is no host name");
        answer.ttl = std::min(answer.ttl, alias->ttl);
        current = std::move(*target);
        ++decoded.aliases;
    }
}

}  // namespace

Decoded decode_answer(const Question& question, std::span<const std::uint8_t> message) {
    constexpr unsigned kIsResponse = 0x8000, kCode = 0x000f, kNoSuchName = 3;
    Reader reader(message, 0);
    reader.skip(2);
    const unsigned flags = reader.u16();
    const auto questions = reader.u16(), answers = reader.u16();
    reader.skip(4);
    const auto name = reader.name();
    const auto type = reader.u16(), kind = reader.u16();
    if (!reader.ok()) return broken("message cut short");
    if (!(flags & kIsResponse) || questions != 1 || name != question.name || type != static_cast<std::uint16_t>(question.type) ||
        kind != kInternet)
        return broken("answer to another question");
    const unsigned code = flags & kCode;
    if (code == kNoSuchName) return {no_answer(AnswerStatus::no_such_name), std::nullopt, 0};
    if (code != 0) return broken("response code " + std::to_string(code));
    const auto resources = answer_section(reader, answers, question.type);
    if (!resources) return broken("message cut short");
    return collect(question, message, *resources);
}

}  // namespace stox::net
