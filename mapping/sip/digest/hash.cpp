#include "mapping/sip/digest/hash.h"

#include "mapping/core/handle.h"
#include "mapping/sip/digest/auth_header.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace stox::sip::digest {

namespace {

using DigestContext = Handle<EVP_MD_CTX, &EVP_MD_CTX_free>;

struct AlgorithmRow {
    Algorithm algorithm;
    std::string_view name;
    std::size_t hex_digits;
    const EVP_MD* (*implementation)();
};

// RFC 7616 §6.1, "Hash Algorithms for HTTP Digest Authentication"
constexpr std::array kAlgorithms{
    AlgorithmRow{Algorithm::md5, "MD5", 32, EVP_md5},
    AlgorithmRow{Algorithm::sha256, "SHA-256", 64, EVP_sha256},
    AlgorithmRow{Algorithm::sha512_256, "SHA-512-256", 64, EVP_sha512_256},
};

const AlgorithmRow& row_of(Algorithm algorithm) { return *std::ranges::find(kAlgorithms, algorithm, &AlgorithmRow::algorithm); }

bool update(EVP_MD_CTX* context, std::string_view octets) { return EVP_DigestUpdate(context, octets.data(), octets.size()) == 1; }

bool update_joined(EVP_MD_CTX* context, std::initializer_list<std::string_view> parts) {
    for (const auto* part = parts.begin(); part != parts.end(); ++part)
        if ((part != parts.begin() && !update(context, ":")) || !update(context, *part)) return false;
    return true;
}

}  // namespace

std::string_view to_string(Algorithm algorithm) { return row_of(algorithm).name; }
std::size_t hex_digits(Algorithm algorithm) { return row_of(algorithm).hex_digits; }
std::string_view to_string(Qop qop) { return qop == Qop::auth ? "auth" : "auth-int"; }

Result<Algorithm> parse_algorithm(std::string_view name) {
    const auto row = std::ranges::find_if(kAlgorithms, [name](const AlgorithmRow& r) { return same_word(r.name, name); });
    if (row == kAlgorithms.end()) return fail(Code::unsupported, "digest algorithm");
    return row->algorithm;
}

Result<std::string> hash(Algorithm algorithm, std::initializer_list<std::string_view> parts) {
    const DigestContext context(EVP_MD_CTX_new());
    std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
    unsigned size = 0;
    if (!context || EVP_DigestInit_ex(context.get(), row_of(algorithm).implementation(), nullptr) != 1 ||
        !update_joined(context.get(), parts) || EVP_DigestFinal_ex(context.get(), octets.data(), &size) != 1 ||
        2 * size != hex_digits(algorithm))
        return fail(Code::unavailable, "libcrypto refuses " + std::string(to_string(algorithm)));
    return to_hex(std::span(octets).first(size));
}

Result<std::string> ha1(Algorithm algorithm, std::string_view user, std::string_view realm, std::string_view password) {
    return hash(algorithm, {user, realm, password});
}

Result<std::string> response(Algorithm algorithm, std::string_view ha1, std::string_view nonce,
                             const std::optional<Protection>& protection, const RequestParts& request) {
    const auto over = [&](std::string_view ha2) {
        if (!protection) return hash(algorithm, {ha1, nonce, ha2});
        return hash(algorithm, {ha1, nonce, protection->nc, protection->cnonce, to_string(protection->qop), ha2});
    };
    if (protection && protection->qop == Qop::auth_int) {
        BOOST_OUTCOME_TRY(body, hash(algorithm, {request.body}));
        BOOST_OUTCOME_TRY(ha2, hash(algorithm, {request.method, request.uri, body}));
        return over(ha2);
    }
    BOOST_OUTCOME_TRY(ha2, hash(algorithm, {request.method, request.uri}));
    return over(ha2);
}

bool equal_in_constant_time(std::string_view one, std::string_view other) {
    return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::string to_hex(std::span<const std::uint8_t> octets) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(2 * octets.size());
    for (const auto octet : octets) hex.append({kHex[octet >> 4], kHex[octet & 15]});
    return hex;
}

}  // namespace stox::sip::digest
