#include "plugin/host/journal.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace stox::host {
namespace {

using engine::Level;

/// Standard error is a descriptor of the test's while this lives.
class InPlaceOfStandardError {
public:
    explicit InPlaceOfStandardError(int descriptor) : before_(::dup(STDERR_FILENO)) { ::dup2(descriptor, STDERR_FILENO); }
    ~InPlaceOfStandardError() {
        ::dup2(before_, STDERR_FILENO);
        ::close(before_);
    }

private:
    int before_;
};

std::string read_all(int descriptor) {
    std::string all;
    char some[65'536];
    for (ssize_t octets; (octets = ::read(descriptor, some, sizeof some)) > 0;) all.append(some, static_cast<std::size_t>(octets));
    return all;
}

std::size_t lines_in(const std::string& text) { return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')); }

class Journal : public testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        if (GetParam())
            ASSERT_EQ(::pipe(ends_), 0);
        else
            ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0);
        ASSERT_EQ(::fcntl(ends_[0], F_SETFL, O_NONBLOCK), 0);  // only the reader's end
    }
    void TearDown() override {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    int ends_[2];
};

TEST_P(Journal, ALineIsOneLineWhateverStandsInIt) {
    InPlaceOfStandardError standing(ends_[1]);
    write_journal(Level::warn, "a\nb", "sip.example.com");
    write_journal(Level::info, std::string(10'000, 'x'));
    const auto text = read_all(ends_[0]);
    EXPECT_EQ(text.substr(0, text.find('\n')), "warn sip.example.com: a?b");
    EXPECT_EQ(lines_in(text), 2u);
}

TEST_P(Journal, NobodyWhoReadsIsNotWaitedForAndIsToldHowMuchWasLeftOut) {
    InPlaceOfStandardError standing(ends_[1]);
    constexpr std::size_t kLines = 10'000;
    for (std::size_t i = 0; i < kLines; ++i) write_journal(Level::info, std::string(1'000, 'x'));
    const auto taken = lines_in(read_all(ends_[0]));
    ASSERT_LT(taken, kLines);
    write_journal(Level::info, "again");
    EXPECT_EQ(read_all(ends_[0]), "warn " + std::to_string(kLines - taken) + " log lines were left out: nobody read them\ninfo again\n");
}

INSTANTIATE_TEST_SUITE_P(Of, Journal, testing::Bool(), [](const auto& end) { return end.param ? "Pipe" : "Socket"; });

}  // namespace
}  // namespace stox::host
