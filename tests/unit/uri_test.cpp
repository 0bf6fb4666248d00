#include "mapping/sip/uri.h"

#include "tests/unit/result_testing.h"
#include "tests/unit/spec_table.h"

#include <gtest/gtest.h>

namespace stox::sip {

namespace {

using test::code;
using test::value;

Uri uri(std::string_view text) { return value(Uri::parse(text)); }

}  // namespace

TEST(Uri, EveryPartOfASipUriIsRead) {
    auto read = uri("SIP:o'malley%20x:secret@Example.COM.:5080;Transport=TCP;lr;gr=urn:uuid:1?Subject=x");
    EXPECT_EQ(read.scheme, Scheme::sip);
    EXPECT_EQ(read.user, "o'malley%20x");
    EXPECT_EQ(read.host, "example.com.");
    EXPECT_EQ(read.port, 5080);
    EXPECT_EQ(read.parameters, (std::vector<UriParameter>{{"transport", "TCP"}, {"lr", std::nullopt}, {"gr", "urn:uuid:1"}}));
    EXPECT_TRUE(read.has_headers);
    EXPECT_EQ(read.to_string(), "sip:o'malley%20x@example.com.:5080;transport=TCP;lr;gr=urn:uuid:1");
    ASSERT_TRUE(read.parameter("gr"));
    EXPECT_FALSE(read.parameter("ttl"));
}

TEST(Uri, WhatIsPrintedReadsTheSame) {
    for (const std::string_view text :
         {"sip:example.com", "sips:a;b?c/d@[2001:db8::1]:5061;maddr=192.0.2.1", "sip:+15551230000;ext=5@192.0.2.1;user=phone",
          "tel:+1-555-123-0000;ext=5", "tel:*21%23;phone-context=example.com", "tel:911", "im:a%28b%29@example.com",
          "pres:juliet@example.com"})
        EXPECT_EQ(uri(text).to_string(), text);
    EXPECT_EQ(uri("sip:a@EXAMPLE.com").to_string(), "sip:a@example.com");
    EXPECT_EQ(uri("sip:a@[2001:DB8::A]").to_string(), "sip:a@[2001:db8::a]");
}

TEST(Uri, TheUserMayHoldWhatElsewhereSeparates) {
    EXPECT_EQ(uri("sip:a;b?c=d&e/f@example.com;lr").user, "a;b?c=d&e/f");
    EXPECT_FALSE(uri("sip:a;b?c=d&e/f@example.com;lr").has_headers);
}

TEST(Uri, WhatBreaksTheGrammarIsRefused) {
    for (const std::string_view text : {"",
                                        "sip",
                                        "sip:",
                                        "sip:@d.example",
                                        "sip::pw@d.example",
                                        "sip:a@",
                                        "sip:a@b@d.example",
                                        "sip:a#b@d.example",
                                        "sip:a b@d.example",
                                        "sip:a\"@d.example",
                                        "sip:<a@d.example>",
                                        "sip:a%2@d.example",
                                        "sip:a%zz@d.example",
                                        "sip:a@d.example:",
                                        "sip:a@d.example:0",
                                        "sip:a@d.example:65536",
                                        "sip:a@d.example:5060x",
                                        "sip:a@d.example;",
                                        "sip:a@d.example;;lr",
                                        "sip:a@d.example;gr=",
                                        "sip:a@d.example;=x",
                                        "sip:a@d.example;x=@",
                                        "sip:a@d.example?",
                                        "sip:a@-d.example",
                                        "sip:a@d-.example",
                                        "sip:a@d..example",
                                        "sip:a@.example",
                                        "sip:a@1.2.3.999",
                                        "sip:a@d_d.example",
                                        "sip:a@2001:db8::1",
                                        "sip:a@[2001:db8::1",
                                        "sip:a@[192.0.2.1]",
                                        "sip:a@[fe80::1%25eth0]",
                                        "sip:\xc3\xa4@d.example",
                                        "sip:a@\xc3\xa4.example",
                                        "sip:a\r\nb@d.example",
                                        "im:example.com",
                                        "im:@example.com",
                                        "im:a@example.com:5060",
                                        "im:a@example.com;x=y",
                                        "tel:",
                                        "tel:+",
                                        "tel:+1a",
                                        "tel:x",
                                        "tel:1+2",
                                        "tel:--"})
        EXPECT_EQ(code(Uri::parse(text)), Code::malformed) << text;
    EXPECT_FALSE(Uri::parse(std::string_view("sip:a\0@d.example", 16)));
    EXPECT_EQ(code(Uri::parse("http://example.com")), Code::unsupported);
    EXPECT_EQ(code(Uri::parse("xmpp:a@example.com")), Code::unsupported);
}

// RFC 3261 §25.1, RFC 3966 §3, RFC 2822 §3.2.4: which punctuation may stand raw in each part, and that no other does.
TEST(Uri, EachPartHasItsOwnPunctuation) {
    constexpr std::string_view kAll = "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~ ";  // '%' begins an escape
    const auto is_read = [](const std::string& text) { return bool(Uri::parse(text)); };
    struct Part {
        std::string before, after;
        std::string_view allowed;
    };
    const Part parts[] = {
        {"sip:x", "x@example.com", "-_.!~*'()&=+$,;?/:"},                // ':' begins a password
        {"sip:x:y", "y@example.com", "-_.!~*'()&=+$,"},                  // password
        {"sip:x@example.com;p", "q", "-_.!~*'()[]/:&+$?;="},             // '?' begins headers, ';' another parameter
        {"sip:x@example.com?n=v", "v", "-_.!~*'()[]/?:+$=&"},            // headers
        {"im:x", "x@example.com", "-_.!~*'()&=+$,;/#^`{|}"},             // mailbox
        {"tel:1", "1", "-.()*#;"},                                       // local number; ';' begins parameters
    };
    for (const auto& part : parts)
        for (const char c : kAll) {
            if (c == '@' || (c == ';' && part.before == "tel:1")) continue;
            EXPECT_EQ(is_read(part.before + c + part.after), part.allowed.find(c) != part.allowed.npos) << part.before << c << part.after;
        }
}

TEST(Uri, CORE_26_WhatAPartMayHoldRawIsNotEscapedInIt) {
    const auto escaped = [](std::string_view kept, auto encode) {
        for (const char c : std::string_view("!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~ %"))
            EXPECT_EQ(encode(std::string_view(&c, 1)).size() == 1, kept.find(c) != kept.npos) << c;
    };
    escaped("-_.!~*'()&=+$,;?/", percent_encode_user);
    escaped("-_.!~*'()[]/:&+$", percent_encode_parameter);
    escaped("-_.!~*'()[]/?:+$", percent_encode_header);
}

TEST(Uri, AParameterStandsOnce) {
    EXPECT_FALSE(Uri::parse("sip:a@example.com;gr=1;gr=2"));
    EXPECT_FALSE(Uri::parse("sip:a@example.com;gr=1;GR=2"));
}

TEST(Uri, CORE_29_UrisOfUpTo4096OctetsAreRead) {
    const std::string host = "@example.com", scheme = "sip:";
    const std::string most(4096 - host.size() - scheme.size(), 'a');
    EXPECT_TRUE(Uri::parse(scheme + most + host));
    EXPECT_EQ(code(Uri::parse(scheme + most + 'a' + host)), Code::too_large);
}

TEST(Uri, CORE_33_ImAndPresAreRead) {
    EXPECT_EQ(uri("im:juliet@example.com").scheme, Scheme::im);
    EXPECT_EQ(uri("pres:juliet%20x@Example.com?subject=x").user, "juliet%20x");
    EXPECT_EQ(uri("pres:juliet@Example.com?subject=x").host, "example.com");
    EXPECT_TRUE(uri("pres:juliet@example.com?subject=x").has_headers);
    for (const std::string scheme : {"im:", "pres:"})
        for (const auto* no_mailbox : {"example.com", "juliet@example.com:5060", "juliet@example.com;x=y"})
            EXPECT_FALSE(Uri::parse(scheme + no_mailbox)) << scheme << no_mailbox;
}

TEST(Uri, CORE_26_PercentCodingWritesUpperCaseAndReadsBoth) {
    EXPECT_EQ(value(percent_decode("%2f%2F%c3%BC")), "//\xc3\xbc");
    EXPECT_EQ(percent_encode_user("\xc3\xbc@|"), "%C3%BC%40%7C");
    EXPECT_EQ(percent_encode_user("%41"), "%2541");
    EXPECT_EQ(percent_encode_user(";/?&=+$,"), ";/?&=+$,");
    EXPECT_EQ(percent_encode_user(std::string_view("\0\x1f\x7f", 3)), "%00%1F%7F");
    for (const std::string_view text : {"%", "%2", "a%", "%g0", "%0g", "%%20"})
        EXPECT_EQ(code(percent_decode(text)), Code::malformed);
}

TEST(Uri, CORE_26_EveryCharacterOfTheTableIsCodedAsItSays) {
    for (const auto& row : test::spec_table("core.md", "1.2 ")) {
        const auto& character = row.cells[0];
        ASSERT_EQ(character.size(), 1U) << row.line;
        EXPECT_EQ(percent_encode_user(character), row.cells[2] == "raw" ? character : row.cells[2]) << row.line;
    }
}

TEST(Uri, CORE_42_GrValuesKeepOnlyWhatPvalueAllows) {
    const std::string raw = "AZaz09-_.!~*'()[]/:&+$";
    EXPECT_EQ(percent_encode_parameter(raw), raw);
    EXPECT_EQ(percent_encode_parameter(" ;=?@,\"<>#%\\^`{|}"), "%20%3B%3D%3F%40%2C%22%3C%3E%23%25%5C%5E%60%7B%7C%7D");
    EXPECT_EQ(percent_encode_parameter("Conv \xc3\xa4;=@/x"), "Conv%20%C3%A4%3B%3D%40/x");
}

}  // namespace stox::sip
