// Hostile text in authentication headers: what is read is written and read as the same value, an answer tells no password and
// stays one header, and nobody is accepted but with the response that the secret makes.

#include "mapping/core/assert.h"
#include "mapping/sip/digest/ha1_file.h"
#include "mapping/sip/digest/server.h"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace {

using namespace stox;
using namespace stox::sip::digest;

constexpr RequestParts kRequest{.method = "MESSAGE", .uri = "sip:bob@sip.example", .body = "Hi"};
constexpr TimePoint kNow{std::chrono::hours(1)};
constexpr auto kPeer = Counterpart::peer_of_login;

bool is_one_line(std::string_view value) { return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos; }

void round_trips(std::string_view text) {
    const auto values = parse_challenges(text);
    if (!values) return;
    for (const auto& value : values.value()) {
        const auto again = parse_credentials(value.to_string());
        STOX_ASSERT(again && again.value() == value);
        if (const auto challenge = Challenge::from(value)) {
            const auto same = Challenge::from(parse_credentials(challenge.value().to_string()).value());
            STOX_ASSERT(same && same.value() == challenge.value());
        }
        if (const auto credentials = Credentials::from(value)) {
            const auto same = Credentials::from(parse_credentials(credentials.value().to_string()).value());
            STOX_ASSERT(same && same.value() == credentials.value());
        }
    }
}

void client_answers(std::string_view text, const Login& login) {
    const std::vector<sip::Header> headers{{"WWW-Authenticate", std::string(text)}, {"Proxy-Authenticate", std::string(text)}};
    Session session;
    Attempt attempt;
    unsigned answers = 0;
    while (const auto made = answer(login, kPeer, headers, session, attempt, kRequest, "cnonce")) {
        STOX_ASSERT(!made.value().empty() && ++answers < 8);
        for (const auto& header : made.value()) {
            STOX_ASSERT(is_one_line(header.value) &&
                        header.value.find(std::get<Password>(login.secret).text) == std::string::npos);
            const auto value = parse_credentials(header.value);
            // A challenge may just fit where the answer to it no longer does.
            STOX_ASSERT(value ? bool(Credentials::from(value.value())) : value.error().code == Code::too_large);
        }
    }
}

/// Our client's good credentials with octets of it replaced: accepted only if they still say the same.
void forged(std::string_view edits, const Login& login) {
    Authenticator server({.realm = "sip.example", .algorithms{Algorithm::sha256}, .qop{Qop::auth_int}, .nonces = {}}, Key{1});
    const std::vector<sip::Header> headers{{"WWW-Authenticate", server.challenges(kNow, false).front()}};
    Session session;
    Attempt attempt;
    const auto good = answer(login, kPeer, headers, session, attempt, kRequest, "cnonce").value().front().value;
    auto text = good;
    for (std::size_t i = 0; i + 1 < edits.size(); i += 2) text[static_cast<unsigned char>(edits[i]) % text.size()] = edits[i + 1];
    const auto lookup = [&login](std::string_view user, std::string_view realm,
                                 Algorithm algorithm) -> std::optional<std::string> {
        return ha1(algorithm, user, realm, std::get<Password>(login.secret).text).value();
    };
    const auto verdict = server.verify(std::vector{text}, kRequest, lookup, kNow);
    if (!std::holds_alternative<Accepted>(verdict)) return;
    auto of_text = Credentials::from(parse_credentials(text).value()).value();
    auto of_good = Credentials::from(parse_credentials(good).value()).value();
    of_text.opaque = of_good.opaque;  // not digested, and the server sets none
    STOX_ASSERT(of_text == of_good);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    // Nothing in the input can hold it by chance.
    const Login login{
        .user = "al\"ice", .secret = Password{"secret" + std::to_string(std::hash<std::string_view>()(text))}, .realms = {}};
    round_trips(text);
    client_answers(text, login);
    forged(text, login);

    Authenticator server({.realm = "sip.example", .nonces = {}}, Key{1});
    server.challenges(kNow, false);
    const auto lookup = [&login](std::string_view user, std::string_view realm,
                                 Algorithm algorithm) -> std::optional<std::string> {
        return ha1(algorithm, user, realm, std::get<Password>(login.secret).text).value();
    };
    const auto verdict = server.verify(std::vector{std::string(text)}, kRequest, lookup, kNow);
    STOX_ASSERT(!std::holds_alternative<Accepted>(verdict) && !std::holds_alternative<Stale>(verdict));

    if (const auto table = Ha1Table::parse(text)) STOX_ASSERT(table.value().size() <= size);
    return 0;
}
