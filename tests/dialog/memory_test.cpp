// What a held dialog costs: counted by an operator new of our own, as the C library's heap rounds it.

#include "tests/dialog/rig.h"

#include <cstdio>
#include <cstdlib>
#include <new>

namespace {

std::size_t held = 0;

/// A chunk of glibc's malloc: 8 octets before it, rounded up to 16, at least 32.
std::size_t chunk(std::size_t size) { return std::max<std::size_t>(32, (size + 8 + 15) / 16 * 16); }

void* take(std::size_t size) {
    // The size stands in front, so that the sized and the plain delete count alike.
    auto* at = static_cast<std::size_t*>(std::malloc(size + 16));
    if (!at) throw std::bad_alloc();
    *at = size;
    held += chunk(size);
    return at + 2;
}

void give_back(void* at) {
    if (!at) return;
    auto* start = static_cast<std::size_t*>(at) - 2;
    held -= chunk(*start);
    std::free(start);
}

}  // namespace

void* operator new(std::size_t size) { return take(size); }
void operator delete(void* at) noexcept { give_back(at); }
void operator delete(void* at, std::size_t) noexcept { give_back(at); }

namespace stox::test {
namespace {

using namespace sip;

constexpr std::size_t kDialogs = 10'000;
constexpr std::size_t kAim_octets = 6 * 1024;

// A trunk behind two proxies and an offer of audio with DTLS-SRTP.
const std::vector<Header> kHeaders{
    {"Allow", "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, OPTIONS, MESSAGE, SUBSCRIBE, NOTIFY, REFER"},
    {"Supported", "100rel, timer, replaces, histinfo, path, gruu, outbound"},
    {"User-Agent", "Example Phone 58.2.41 (3f1c77a0b2)"},
    {"P-Asserted-Identity", "\"Alice Liddell\" <sip:+4930123456789@trunk.example.net;user=phone>"},
    {"Session-Expires", "1800;refresher=uac"},
    {"Accept", "application/sdp, application/dtmf-relay, multipart/mixed"},
    {"Date", "Thu, 21 Feb 2002 13:02:03 GMT"}};

std::string description() {
    std::string text =
        "v=0\r\no=- 3724394400 3724394405 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
        "m=audio 49170 UDP/TLS/RTP/SAVP 96 9 8 0 101\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:9 G722/8000\r\n"
        "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
        "a=fmtp:96 useinbandfec=1;stereo=0\r\na=setup:actpass\r\na=fingerprint:sha-256 ";
    for (int i = 0; i < 32; ++i) text += i == 31 ? "4A" : "4A:";
    return text + "\r\na=sendrecv\r\na=ptime:20\r\na=rtcp-mux\r\n";
}

NameAddr proxy(const std::string& host) {
    auto made = address(host);
    made.uri.user.clear();
    made.uri.port = 5061;
    made.uri.parameters = {{"transport", "tls"}, {"lr", std::nullopt}, {"ftag", "as58f4a7f3"}, {"did", "a12.9b3c2d1"}};
    return made;
}

Say typical(const std::string& tag) {
    return {.tag = tag,
            .body = description(),
            .headers = kHeaders,
            .contact = "198.51.100.23",
            .record_routes = {proxy("edge-01.trunk.example.net"), proxy("core-17.trunk.example.net")}};
}

std::string wire_id(std::size_t i) {
    char text[40];
    std::snprintf(text, sizeof text, "%032zx", i * 2'654'435'761u);
    return text;
}

UserAgent::Settings roomy() { return {.calls = {}, .limits = {.per_peer = kDialogs, .in_all = kDialogs}}; }

/// Each rig forgets what it saw, or it would be counted.
std::size_t per_dialog(Rig& rig, const std::function<void(Rig&, std::size_t)>& make) {
    rig.tag_prefix = "5f2c9be01a7742d89c31";  // as long as those on the wire
    const auto before = held;
    for (std::size_t i = 0; i < kDialogs; ++i) {
        rig.call_id = wire_id(i) + "@198.51.100.23";
        make(rig, i);
        rig.all.clear();
    }
    rig.pass(seconds(40));  // no other fork can answer any more
    rig.all.clear();
    rig.all.shrink_to_fit();
    EXPECT_EQ(rig.agent.dialogs(), kDialogs);
    return (held - before) / kDialogs;
}

TEST(DialogMemory, CallsOfOurs) {
    Rig rig(roomy());
    const auto each = per_dialog(rig, [](Rig& one, std::size_t i) {
        const auto tag = wire_id(i).substr(16);
        one.call(description(), {{"P-Asserted-Identity", "\"Alice Liddell\" <sip:alice@xmpp.example.org>"}});
        one.response("INVITE", 180, typical(tag));
        one.response("INVITE", 183, typical("other-fork"));
        one.response("INVITE", 200, typical(tag));
    });
    std::printf("%zu octets for each held call of ours\n", each);
    EXPECT_LE(each, kAim_octets);
}

TEST(DialogMemory, CallsToUs) {
    Rig rig(roomy());
    const auto each = per_dialog(rig, [](Rig& one, std::size_t i) {
        const auto tag = wire_id(i).substr(16);
        one.first("INVITE", typical(tag));
        const auto key = one.last<Invited>().call;
        one.does([&](auto& out) { one.agent.progress(key, {180}, false, one.now, out); });
        one.does([&](auto& out) { one.agent.answer(key, {200, {}, sdp(description())}, one.now, out); });
        one.ack(one.peer_cseq, {.tag = tag});
    });
    std::printf("%zu octets for each held call to us\n", each);
    EXPECT_LE(each, kAim_octets);
}

TEST(DialogMemory, SubscriptionsServed) {
    Rig rig(roomy());
    const auto each = per_dialog(rig, [](Rig& one, std::size_t i) {
        auto say = typical(wire_id(i).substr(16));
        say.body.clear();
        say.headers.push_back({"Event", "presence"});
        say.headers.push_back({"Expires", "3600"});
        one.first("SUBSCRIBE", say);
        const auto key = one.last<SubscriptionWanted>().subscription;
        one.does([&](auto& out) { one.agent.grant(key, {{}, "application/pidf+xml", std::string(700, 'x')}, one.now, out); });
        one.response("NOTIFY", 200, {.tag = say.tag});
    });
    std::printf("%zu octets for each subscription served\n", each);
    EXPECT_LE(each, kAim_octets);
}

TEST(DialogMemory, SubscriptionsOfOurs) {
    Rig rig(roomy());
    const auto each = per_dialog(rig, [](Rig& one, std::size_t i) {
        auto say = typical(wire_id(i).substr(16));
        one.subscribe({{"Event", "presence"}, {"Expires", "3600"}, {"Accept", "application/pidf+xml"}});
        one.response("SUBSCRIBE", 200, {.tag = say.tag, .headers = {{"Expires", "3600"}}});
        say.headers.push_back({"Event", "presence"});
        say.headers.push_back({"Subscription-State", "active;expires=3600"});
        say.type = "application/pidf+xml";
        one.inside("NOTIFY", say);
    });
    std::printf("%zu octets for each subscription of ours\n", each);
    EXPECT_LE(each, kAim_octets);
}

}  // namespace
}  // namespace stox::test
