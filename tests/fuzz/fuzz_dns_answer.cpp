// Any octets as the answers to whatever a search for a SIP host asks: it ends, in time, with at most 32 targets, and no address
// comes from an answer to a question that was not asked.
//
// Input: one octet that chooses the request, then answers, each an octet for what happens (mostly: a message), two for its
// length, its octets. A message gets the id and the question it answers; the rest is the input's.

#include "mapping/core/assert.h"
#include "net/dns_message.h"
#include "net/location.h"

#include <algorithm>
#include <deque>
#include <set>

namespace {

using namespace stox;
using namespace stox::net;

class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}
    bool empty() const { return rest_.empty(); }
    std::uint8_t octet() {
        if (rest_.empty()) return 0;
        const auto first = rest_.front();
        rest_ = rest_.subspan(1);
        return first;
    }
    std::span<const std::uint8_t> octets(std::size_t count) {
        const auto taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

private:
    std::span<const std::uint8_t> rest_;
};

LocationRequest request_of(std::uint8_t choice) {
    constexpr std::optional<Transport> transports[] = {std::nullopt, Transport::udp, Transport::tcp, Transport::tls};
    LocationRequest request;
    request.host = "a.example";
    request.transport = transports[choice & 3];
    request.secure = (choice & 4) != 0;
    if (choice & 8) request.port = 5070;
    return request;
}

Capabilities capabilities_of(std::uint8_t choice) {
    Capabilities capabilities;
    capabilities.ipv4 = (choice & 0x30) != 0x10;
    capabilities.ipv6 = (choice & 0x30) != 0x20;
    capabilities.order = choice & 0x40 ? FamilyOrder::grouped : FamilyOrder::interleaved;
    return capabilities;
}

/// The header and the question as c-ares would have let them through, then what the input says, with its counts.
std::vector<std::uint8_t> message(const Question& question, std::span<const std::uint8_t> rest) {
    std::vector<std::uint8_t> octets{0, 1, 0x81, 0x80, 0, 1};
    const auto counts = rest.first(std::min<std::size_t>(rest.size(), 2));
    octets.insert(octets.end(), counts.begin(), counts.end());
    octets.insert(octets.end(), {0, 0, 0, 0});
    std::string_view name = question.name.text();
    while (!name.empty()) {
        const auto label = name.substr(0, name.find('.'));
        octets.push_back(static_cast<std::uint8_t>(label.size()));
        octets.insert(octets.end(), label.begin(), label.end());
        name.remove_prefix(std::min(label.size() + 1, name.size()));
    }
    const auto type = static_cast<std::uint16_t>(question.type);
    octets.insert(octets.end(), {0, static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type), 0, 1});
    octets.insert(octets.end(), rest.begin() + static_cast<std::ptrdiff_t>(counts.size()), rest.end());
    return octets;
}

bool of_type(const Record& record, RecordType type) {
    if (const auto* address = std::get_if<Address>(&record)) return type == (address->is_v4() ? RecordType::a : RecordType::aaaa);
    return type == (std::holds_alternative<SrvRecord>(record) ? RecordType::srv : RecordType::naptr);
}

Answer decoded(const Question& question, std::span<const std::uint8_t> octets) {
    const auto result = decode_answer(question, octets);
    const auto& answer = result.answer;
    STOX_ASSERT(answer.records.size() <= kMaxRecords && result.aliases <= kMaxAliases);
    STOX_ASSERT((answer.status == AnswerStatus::found) == !answer.records.empty());
    STOX_ASSERT(!result.alias || answer.status == AnswerStatus::no_data);
    for (const auto& record : answer.records) STOX_ASSERT(of_type(record, question.type));
    return answer;
}

class Search {
public:
    explicit Search(std::uint8_t choice) : location_(request_of(choice), capabilities_of(choice), random()) {
        perform(location_.start(now_));
    }

    void run(Input& input) {
        for (int step = 0; !over_; ++step) {
            STOX_ASSERT(step < 10'000);
            const auto what = input.octet();
            if (input.empty() || open_.empty() || what >= 0xf0) {
                wait();
            } else {
                const std::size_t high = input.octet(), low = input.octet();
                receive(what, input.octets(high << 8 | low));
            }
        }
        STOX_ASSERT(now_ <= kStart + Location::kDeadline && !location_.next_timeout());
    }

private:
    static constexpr TimePoint kStart = TimePoint{} + std::chrono::hours(1);

    Random random() {
        return [this](std::uint32_t most) { return (chance_ = chance_ * 1'103'515'245U + 12'345U) % (most + 1); };
    }

    void wait() {
        const auto due = location_.next_timeout();
        STOX_ASSERT(due && *due >= now_);
        now_ = *due;
        perform(location_.on_time(now_));
    }

    void receive(std::uint8_t what, std::span<const std::uint8_t> octets) {
        const auto nth = what % open_.size();
        const Question question = open_[nth];
        open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(nth));
        auto answer = what & 0x80 ? decoded(question, octets) : decoded(question, message(question, octets));
        // The same answer, to a question that nobody asked, must lead nowhere.
        Answer planted = answer;
        planted.records.assign(1, Address::v4({203, 0, 113, 66}));
        STOX_ASSERT(location_.on_answer({DnsName(), question.type}, planted, now_).empty());
        for (const auto& record : answer.records)
            if (const auto* address = std::get_if<Address>(&record)) learnt_.insert(*address);
        perform(location_.on_answer(question, answer, now_));
        STOX_ASSERT(over_ || location_.on_answer(question, planted, now_).empty());  // a second one
    }

    void perform(const LocationActions& actions) {
        for (const auto& action : actions) {
            STOX_ASSERT(!over_);
            if (const auto* ask = std::get_if<Ask>(&action)) {
                STOX_ASSERT(asked_.insert(ask->question).second && asked_.size() <= Location::kMaxQuestions);
                open_.push_back(ask->question);
            } else {
                over_ = true;
                judge(std::get<Located>(action).targets);
            }
        }
    }

    void judge(const Result<std::vector<Target>>& result) const {
        if (!result) {
            STOX_ASSERT(!result.error().detail.empty());
            return;
        }
        STOX_ASSERT(!result.value().empty() && result.value().size() <= Location::kMaxTargets);
        for (const auto& target : result.value())
            STOX_ASSERT(learnt_.contains(target.endpoint.address) && target.endpoint.port != 0 && target.tls_name == "a.example");
    }

    std::uint32_t chance_ = 1;
    Location location_;
    TimePoint now_ = kStart;
    std::deque<Question> open_;
    std::set<Question> asked_;
    std::set<Address> learnt_;
    bool over_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const auto choice = input.octet();
    Search(choice).run(input);
    return 0;
}
