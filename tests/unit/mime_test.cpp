// MIME inside a body: multiparts, their boundaries, transfer encodings, compression.

#include "mapping/im/mime.h"
#include "mapping/im/inflate.h"

#include <gtest/gtest.h>

namespace stox::im {

namespace {

std::vector<std::string> bodies(const std::string& text, const std::string& boundary = "b") {
    const auto parts = read_multipart(text, boundary);
    EXPECT_TRUE(parts) << text;
    std::vector<std::string> all;
    if (parts)
        for (const auto& part : parts.value()) all.push_back(part.body);
    return all;
}

std::string decoded(const std::string& encoding, const std::string& body) {
    const auto octets = decode_transfer({{{"Content-Transfer-Encoding", encoding}}, body});
    return octets ? octets.value() : octets.error().code == Code::malformed ? "(malformed)" : "(unsupported)";
}

using Bodies = std::vector<std::string>;

}  // namespace

TEST(Mime, IM_28_PartsBetweenBoundaries) {
    EXPECT_EQ(bodies("--b\r\n\r\none\r\n--b\r\nContent-Type: x/y\r\n\r\ntwo\r\n\r\n--b--\r\n"), (Bodies{"one", "two\r\n"}));
    EXPECT_EQ(bodies("preamble\r\n--b\r\n\r\none\r\n--b--\r\nepilogue\r\n--b\r\n\r\nno\r\n"), (Bodies{"one"}));
    EXPECT_EQ(bodies("--b  \n\none\n--b--"), (Bodies{"one"}));
    EXPECT_EQ(bodies("--b\r\n\r\none\r\n--bc\r\nx--b\r\n--b--"), (Bodies{"one\r\n--bc\r\nx--b"}));
    EXPECT_EQ(bodies("--b\r\n\r\ncut off"), (Bodies{"cut off"}));
    EXPECT_EQ(bodies("--b\r\n\r\n--b\r\n\r\nx\r\n--b--"), (Bodies{"", "x"}));
    const auto parts = read_multipart("--b\r\nA: 1\r\nB:\r\n 2\r\n\t3\r\n\r\nx\r\n--b--", "b");
    EXPECT_EQ(parts.value().at(0).headers, (std::vector<sip::Header>{{"A", "1"}, {"B", " 2 3"}}));
}

TEST(Mime, IM_28_WhatIsNoMultipartIsRefused) {
    for (const auto* boundary : {"", "a ", "a\"b", "\r\n", "a\x80", "a;b"})
        EXPECT_EQ(read_multipart("--a\r\n\r\nx\r\n--a--", boundary).error().code, Code::malformed) << boundary;
    EXPECT_EQ(read_multipart("--x\r\n\r\nx", std::string(71, 'x')).error().code, Code::malformed);
    EXPECT_EQ(read_multipart("no part", "b").error().code, Code::malformed);
    EXPECT_EQ(read_multipart("--b--\r\n", "b").error().code, Code::malformed);
    EXPECT_EQ(read_multipart("--b\r\nno header\r\n\r\nx\r\n--b--", "b").error().code, Code::malformed);
    std::string many;
    for (std::size_t i = 0; i < kMaxParts; ++i) many += "--b\r\n\r\nx\r\n";
    EXPECT_EQ(read_multipart(many + "--b--", "b").value().size(), kMaxParts);
    EXPECT_EQ(read_multipart(many + "--b\r\n\r\nx\r\n--b--", "b").error().code, Code::too_large);
}

TEST(Mime, WrittenPartsAreReadAgain) {
    const std::vector<Entity> parts{{{{"Content-Type", "text/plain"}}, "a\r\n"}, {{}, ""}, {{{"X", "y"}}, "--\r\n"}};
    EXPECT_EQ(read_multipart(write_multipart(parts, "k7"), "k7").value(), parts);
}

TEST(Mime, TransferEncodings) {
    EXPECT_EQ(decoded("8bit", "\xC3\xA4"), "\xC3\xA4");
    EXPECT_EQ(decoded("Base64", "SGVs\r\nbG8h\r\n"), "Hello!");
    EXPECT_EQ(decoded("base64", "SGVsbG8="), "Hello");
    EXPECT_EQ(decoded("base64", "SGVsbA=="), "Hell");
    for (const auto* bad : {"SGVsb*8=", "SGVsbG8=x", "A"}) EXPECT_EQ(decoded("base64", bad), "(malformed)") << bad;
    EXPECT_EQ(decoded("quoted-printable", "a=C3=A4=3d =\r\nb  \r\nc"), "a\xC3\xA4= b\r\nc");
    for (const auto* bad : {"=4", "=xy", "a=C3=A"}) EXPECT_EQ(decoded("quoted-printable", bad), "(malformed)") << bad;
    EXPECT_EQ(decoded("uuencode", "x"), "(unsupported)");
    EXPECT_EQ(decode_transfer({{}, "x"}).value(), "x");
}

TEST(Mime, IM_31_CompressedBodiesUpToTheLimit) {
    // "hello hello", by zlib.
    const std::string hello("\x78\x9c\xcb\x48\xcd\xc9\xc9\x57\xc8\x00\x91\x00\x19\x91\x04\x49", 16);
    EXPECT_EQ(inflate(hello, 100).value(), "hello hello");
    EXPECT_EQ(inflate(hello, 11).value(), "hello hello");
    EXPECT_EQ(inflate(hello, 10).error().code, Code::too_large);
    EXPECT_EQ(inflate(hello.substr(0, 12), 100).error().code, Code::malformed);
    EXPECT_EQ(inflate(hello + "x", 100).error().code, Code::malformed);
    EXPECT_EQ(inflate("hello", 100).error().code, Code::malformed);
    EXPECT_EQ(inflate("", 100).error().code, Code::malformed);
}

}  // namespace stox::im
