#include "tests/net/resolver_rig.h"

#include "tests/unit/result_testing.h"

#include <stdlib.h>

#include <fstream>
#include <stdexcept>

namespace stox::net::test {

ResolverRig::ResolverRig() {
    char pattern[] = "/tmp/stox-net-XXXXXX";
    if (!::mkdtemp(pattern)) throw std::runtime_error("mkdtemp");
    folder_ = pattern;
    write("hosts", "192.0.2.77 proxy.lan\n");
    settings.ares.servers = server.address();
    settings.ares.first_timeout = std::chrono::seconds(4);
    settings.hosts = path("hosts");
    settings.question_limit = settings.stale_after = std::chrono::seconds(15);
    settings.clock = [this] { return now; };
}

ResolverRig::~ResolverRig() {
    made.reset();
    std::filesystem::remove_all(folder_);
}

Resolver& ResolverRig::resolver() {
    if (!made) made = stox::test::value(Resolver::open(loop, settings));
    return *made;
}

Answer ResolverRig::ask(std::string_view name, RecordType type) {
    std::optional<Answer> got;
    resolver().resolve(question(name, type), [&](const Answer& answer) { got = answer; });
    run_until([&] { return got.has_value(); });
    return *got;
}

void ResolverRig::run_until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    loop.restart();
    while (!done()) {
        if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("nothing came within 20 s");
        loop.run_one_for(std::chrono::milliseconds(100));
    }
}

void ResolverRig::write(const std::string& name, const std::string& text) const {
    // As tools do: a new file under the old name.
    std::ofstream(folder_ / (name + ".new")) << text;
    std::filesystem::rename(folder_ / (name + ".new"), folder_ / name);
}

std::string text(const Answer& answer) {
    if (answer.status != AnswerStatus::found) return std::string(to_string(answer.status));
    std::string text;
    for (const auto& record : answer.records)
        if (const auto* value = std::get_if<Address>(&record)) text += (text.empty() ? "" : " ") + value->to_string();
    return text;
}

}  // namespace stox::net::test
