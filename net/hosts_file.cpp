#include "net/hosts_file.h"

#include <algorithm>

namespace stox::net {

namespace {

constexpr std::string_view kBlank = " \t\r\f\v";

/// Takes the next word off the text; empty at its end.
std::string_view next_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
    const auto word = text.substr(0, text.find_first_of(kBlank));
    text.remove_prefix(word.size());
    return word;
}

bool is_localhost(const DnsName& name) { return name.text() == "localhost" || name.text().ends_with(".localhost"); }

std::vector<Address> loopback() {
    std::array<std::uint8_t, 16> six{};
    six[15] = 1;
    return {Address::v4({127, 0, 0, 1}), Address::v6(six)};
}

}  // namespace

HostsFile HostsFile::parse(std::string_view text) {
    HostsFile file;
    text = text.substr(0, kMaxOctets);
    while (!text.empty()) {
        auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        line = line.substr(0, line.find('#'));
        const auto address = Address::parse(next_word(line));
        if (!address) continue;
        for (auto word = next_word(line); !word.empty(); word = next_word(line)) {
            const auto name = DnsName::parse(word);
            if (!name || (file.addresses_.size() == kMaxNames && !file.addresses_.contains(name.value().text()))) continue;
            auto& known = file.addresses_[name.value().text()];
            if (known.size() < kMaxRecords && std::ranges::find(known, address.value()) == known.end())
                known.push_back(address.value());
        }
    }
    return file;
}

std::optional<Answer> HostsFile::answer(const Question& question) const {
    if (question.type != RecordType::a && question.type != RecordType::aaaa) return std::nullopt;
    const auto known = addresses_.find(question.name.text());
    if (known == addresses_.end() && !is_localhost(question.name)) return std::nullopt;
    Answer answer = no_answer(AnswerStatus::no_data);
    for (const auto& address : known != addresses_.end() ? known->second : loopback())
        if (address.is_v4() == (question.type == RecordType::a)) answer.records.emplace_back(address);
    if (!answer.records.empty()) answer.status = AnswerStatus::found;
    return answer;
}

}  // namespace stox::net
