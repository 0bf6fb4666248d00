// message/cpim: headers in namespaces, escapes, and that no value becomes a line of its own.

#include "mapping/im/cpim.h"

#include <gtest/gtest.h>

namespace stox::im {

namespace {

const std::string kMessage =
    "From: MR SANDERS <im:piglet@100akerwood.com>\r\n"
    "To: Depressed Donkey <im:eeyore@100akerwood.com>\r\n"
    "DateTime: 2000-12-13T13:40:00-08:00\r\n"
    "Subject: fine\r\n"
    "Subject:;lang=fr beau\r\n"
    "NS: My <mid:MessageFeatures@id.foo.com>\r\n"
    "NS: i <urn:ietf:params:imdn>\r\n"
    "My.Wacky: font\r\n"
    "i.Message-ID: 34jk\r\n"
    "\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "\r\n"
    "Here is\r\ntext";

Cpim read(const std::string& text) {
    auto cpim = read_cpim(text);
    EXPECT_TRUE(cpim) << text;
    return cpim ? std::move(cpim).value() : Cpim{};
}

Code fault(const std::string& text) {
    const auto cpim = read_cpim(text);
    EXPECT_FALSE(cpim) << text;
    return cpim ? Code::unavailable : cpim.error().code;
}

std::string subject_of(const std::string& value) {
    const auto cpim = read("Subject: " + value + "\r\n\r\n\r\n");
    const auto* header = cpim.header(kCpimNs, "Subject");
    return header ? header->value : "(none)";
}

}  // namespace

TEST(Cpim, IM_26_HeadersByNamespaceAndContent) {
    const auto cpim = read(kMessage);
    const std::vector<CpimHeader> expected{
        {std::string(kCpimNs), "From", "MR SANDERS <im:piglet@100akerwood.com>"},
        {std::string(kCpimNs), "To", "Depressed Donkey <im:eeyore@100akerwood.com>"},
        {std::string(kCpimNs), "DateTime", "2000-12-13T13:40:00-08:00"},
        {std::string(kCpimNs), "Subject", "fine"},
        {std::string(kCpimNs), "Subject", "beau", "fr"},
        {"mid:MessageFeatures@id.foo.com", "Wacky", "font"},
        {std::string(kImdnHeaderNs), "Message-ID", "34jk"},
    };
    EXPECT_EQ(cpim.headers, expected);
    ASSERT_TRUE(cpim.content.header("content-type"));
    EXPECT_EQ(*cpim.content.header("content-type"), "text/plain; charset=utf-8");
    EXPECT_EQ(cpim.content.body, "Here is\r\ntext");
    EXPECT_EQ(cpim_uri(cpim.headers[0].value), "im:piglet@100akerwood.com");
    for (const auto* none : {"sip:a@b", "<sip:a@b", "", ">sip:a@b<"}) EXPECT_EQ(cpim_uri(none), "") << none;
}

TEST(Cpim, CarelessLineEndsAndSpacesAreRead) {
    const auto cpim = read("From:<sip:a@b>\nSubject:  x \n\nContent-type:text/plain\n\nhello\n");
    EXPECT_EQ(cpim.headers.at(0).value, "<sip:a@b>");
    EXPECT_EQ(cpim.headers.at(1).value, "x");
    EXPECT_EQ(cpim.content.body, "hello\n");
    EXPECT_EQ(read("Subject:;a=\"b c\";lang=de x\r\n\r\n\r\n").headers.at(0),
              (CpimHeader{std::string(kCpimNs), "Subject", "x", "de"}));
}

TEST(Cpim, ContentLengthCutsOffWhatFollows) {
    EXPECT_EQ(read("Subject: x\r\n\r\nContent-Length: 5\r\n\r\nhello\r\n").content.body, "hello");
    EXPECT_EQ(read("Subject: x\r\n\r\nContent-Length: 500\r\n\r\nhello").content.body, "hello");
}

TEST(Cpim, TheDefaultNamespaceCanBeAnother) {
    const auto cpim = read("NS: <urn:other>\r\nSubject: x\r\n\r\n\r\n");
    EXPECT_FALSE(cpim.header(kCpimNs, "Subject"));
    EXPECT_TRUE(cpim.header("urn:other", "Subject"));
}

TEST(Cpim, EscapesAreResolved) {
    const std::pair<std::string, std::string> rows[] = {
        {R"(a\\b)", "a\\b"},
        {R"(\"q\" \'s\')", "\"q\" 's'"},
        {R"(a\nb\tc\rd\be)", "a\nb\tc\rd\be"},
        {R"(\u00e4)", "\xC3\xA4"},
        {R"(\u20AC)", "\xE2\x82\xAC"},
        {R"(\ud83d\ude00)", "\xF0\x9F\x98\x80"},
        {R"(\ud83dx)", "\xEF\xBF\xBDx"},
        {R"(\ude00)", "\xEF\xBF\xBD"},
        {R"(\ud83d\u0041)",
         "\xEF\xBF\xBD"
         "A"},
        {R"(a\x)", "ax"},
        {R"(\u12)", "u12"},
        {"end\\", "end"},
    };
    for (const auto& [wire, text] : rows) EXPECT_EQ(subject_of(wire), text) << wire;
}

TEST(Cpim, IM_26_WhatIsNoCpimIsRefused) {
    const std::string rows[] = {
        "",
        "\r\n",
        "From: x",
        "From: x\r\n",
        "no colon\r\n\r\n\r\n",
        "Sub ject: x\r\n\r\n\r\n",
        ": x\r\n\r\n\r\n",
        ".a: x\r\n\r\n\r\n",
        "a.: x\r\n\r\n\r\n",
        "imdn.Message-ID: x\r\n\r\n\r\n",
        "imdn.Message-ID: x\r\nNS: imdn <urn:ietf:params:imdn>\r\n\r\n\r\n",
        "NS: imdn urn:ietf:params:imdn\r\n\r\n\r\n",
        "NS: a b <urn:x>\r\n\r\n\r\n",
        "Subject: a\x01z\r\n\r\n\r\n",
        "Subject: a\rb\r\n\r\n\r\n",
        "Subject: a\xFF\r\n\r\n\r\n",
        "Subject: x\r\n\r\nno header\r\n\r\n",
        "Subject: x\r\n\r\n folded\r\n\r\n",
        std::string("Subject: a\0b\r\n\r\n\r\n", 18),
    };
    for (const auto& text : rows) EXPECT_EQ(fault(text), Code::malformed) << text;
    std::string many;
    for (int i = 0; i < 70; ++i) many += "Subject: x\r\n";
    EXPECT_EQ(fault(many + "\r\n\r\n"), Code::too_large);
}

TEST(Cpim, WhatIsRequiredAndNotUnderstoodIsRefused) {
    EXPECT_EQ(fault("NS: My <mid:x>\r\nRequire: My.Vital\r\n\r\n\r\n"), Code::unsupported);
    EXPECT_EQ(fault("Require: Subject, Vital\r\n\r\n\r\n"), Code::unsupported);
    EXPECT_TRUE(read_cpim("NS: i <urn:ietf:params:imdn>\r\nRequire: i.Disposition-Notification,Subject\r\n\r\n\r\n"));
}

TEST(Cpim, CORE_76_WrittenValuesStayOnTheirLine) {
    std::string hostile;
    for (char c = 0; c < 0x20; ++c) hostile += c;
    hostile += "\x7F\\\"\r\nimdn.Message-ID: forged\xC3\xA4";
    Cpim cpim;
    cpim.headers = {{std::string(kCpimNs), "Subject", hostile, "de"}, {std::string(kImdnHeaderNs), "Message-ID", "m1"},
                    {"urn:x>\r\nFrom: <sip:evil@x", "Thing", "v"},    {std::string(kCpimNs), "Bad Name", "left out"},
                    {std::string(kCpimNs), "Bad.Name", "left out"},   {std::string(kCpimNs), "To", "<sip:a@b>", "no\r\nlang"}};
    cpim.content = {{{"Content-Type", "text/plain"}}, "x"};
    const auto text = write_cpim(cpim);
    EXPECT_EQ(text.substr(0, 19), "Subject:;lang=de \\u");
    EXPECT_NE(text.find("\\b\\t\\n\\u000b"), text.npos);
    EXPECT_NE(text.find("\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: m1\r\n"), text.npos);
    const auto again = read(text);
    ASSERT_EQ(again.headers.size(), 4u);
    EXPECT_EQ(again.headers[0], cpim.headers[0]);
    EXPECT_EQ(again.headers[1], cpim.headers[1]);
    EXPECT_EQ(again.headers[2], cpim.headers[2]);
    EXPECT_EQ(again.headers[3].lang, "");
    EXPECT_EQ(again.content, cpim.content);
}

}  // namespace stox::im
