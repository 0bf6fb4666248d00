#include "net/hosts_file.h"
#include "tests/net/dns_wire.h"

#include <gtest/gtest.h>

namespace stox::net::test {
namespace {

/// "192.0.2.1 192.0.2.2", "-" for no_data, "?" for ask the DNS.
std::string look_up(const HostsFile& file, std::string_view name, RecordType type) {
    const auto answer = file.answer(question(name, type));
    if (!answer) return "?";
    if (answer->status == AnswerStatus::no_data) return "-";
    std::string text;
    for (const auto& record : answer->records) text += (text.empty() ? "" : " ") + std::get<Address>(record).to_string();
    return text;
}

TEST(HostsFile, NamesAliasesFamilies) {
    const auto file = HostsFile::parse(
        "# a comment\n"
        "192.0.2.1\tproxy.lan Proxy  # the old one\r\n"
        "192.0.2.2 proxy.lan\n"
        "192.0.2.2 proxy.lan\n"
        "2001:db8::1 six.lan proxy.lan\n"
        "fe80::1%eth0 zoned.lan\n"
        "nonsense broken.lan\n"
        "192.0.2.7 a b! c\n"
        "192.0.2.8\n"
        "\n"
        "192.0.2.9 last.lan");
    const struct {
        const char* name;
        const char* four;
        const char* six;
    } rows[] = {
        {"proxy.lan", "192.0.2.1 192.0.2.2", "2001:db8::1"},
        {"PROXY", "192.0.2.1", "-"},
        {"six.lan", "-", "2001:db8::1"},
        {"zoned.lan", "?", "?"},
        {"broken.lan", "?", "?"},
        {"a", "192.0.2.7", "-"},
        {"c", "192.0.2.7", "-"},
        {"last.lan", "192.0.2.9", "-"},
        {"other.lan", "?", "?"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(look_up(file, row.name, RecordType::a), row.four) << row.name;
        EXPECT_EQ(look_up(file, row.name, RecordType::aaaa), row.six) << row.name;
        EXPECT_EQ(look_up(file, row.name, RecordType::srv), "?") << row.name;
        EXPECT_EQ(look_up(file, row.name, RecordType::naptr), "?") << row.name;
    }
}

TEST(HostsFile, LocalhostWithoutALine) {
    const HostsFile none;
    EXPECT_EQ(look_up(none, "localhost", RecordType::a), "127.0.0.1");
    EXPECT_EQ(look_up(none, "localhost", RecordType::aaaa), "::1");
    EXPECT_EQ(look_up(none, "x.localhost", RecordType::a), "127.0.0.1");
    EXPECT_EQ(look_up(none, "notlocalhost", RecordType::a), "?");
    EXPECT_EQ(look_up(HostsFile::parse("127.0.0.2 localhost"), "localhost", RecordType::a), "127.0.0.2");
}

TEST(HostsFile, Bounds) {
    std::string text;
    for (unsigned i = 0; i <= HostsFile::kMaxNames; ++i) text += "192.0.2.1 n" + std::to_string(i) + ".lan\n";
    for (unsigned i = 0; i <= kMaxRecords; ++i) text += "10.0.0." + std::to_string(i) + " n0.lan\n";
    const auto file = HostsFile::parse(text);
    EXPECT_EQ(look_up(file, "n9999.lan", RecordType::a), "192.0.2.1");
    EXPECT_EQ(look_up(file, "n10000.lan", RecordType::a), "?");
    EXPECT_EQ(file.answer(question("n0.lan", RecordType::a))->records.size(), kMaxRecords);
    const auto cut =
        HostsFile::parse("192.0.2.1 early.lan\n" + std::string(HostsFile::kMaxOctets, '#') + "\n192.0.2.1 late.lan\n");
    EXPECT_EQ(look_up(cut, "early.lan", RecordType::a), "192.0.2.1");
    EXPECT_EQ(look_up(cut, "late.lan", RecordType::a), "?");
}

}  // namespace
}  // namespace stox::net::test
