// What reading a component stream costs beside bare expat over the same octets in the same run.
//
//   stanza    an ordinary one: in pieces as a busy socket gives them, and alone as a quiet one does
//   hostile   passed over, over a limit that only expat shows, and as a server writes one out again with its namespaces
//
// Each figure is the least of several rounds, the two taking turns. Exit status 1: something was not read as it should be.

#include "mapping/xml/reader.h"

#include <expat.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace stox;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 15, kRoundsOfMuch = 3;  // much: over 64 MB

constexpr std::size_t kPiece = 65'536;  // what one read of a socket takes
constexpr std::string_view kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='s1' "
    "from='sip.example'>";
constexpr std::string_view kStanza =
    "<message from='juliet@example.com/balcony' to='+441632960083@sip.example' id='8f3a9c02d7e1' type='chat'>"
    "<body>Art thou not Romeo, and a Montague?</body>"
    "<active xmlns='http://jabber.org/protocol/chatstates'/></message>";

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s\n", what);
    std::exit(1);
}

template <class Work>
double nanoseconds(Work work) {
    const auto start = Clock::now();
    work();
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

std::size_t ours(std::string_view octets, std::size_t piece) {
    xml::StreamReader reader;
    std::size_t stanzas = reader.feed(kHeader).size() - 1;
    for (; !octets.empty(); octets.remove_prefix(std::min(piece, octets.size())))
        for (const auto& event : reader.feed(octets.substr(0, piece)))
            stanzas += std::holds_alternative<xml::StanzaRead>(event) || std::holds_alternative<xml::StanzaRefused>(event);
    return stanzas;
}

struct Counted {
    std::size_t depth = 0, stanzas = 0, text = 0;
};

/// Expat with namespaces and handlers that count.
std::size_t bare(std::string_view octets, std::size_t piece) {
    auto* parser = XML_ParserCreateNS("UTF-8", '\x01');
    Counted counted;
    XML_SetUserData(parser, &counted);
    XML_SetElementHandler(
        parser, [](void* data, const char*, const char**) { ++static_cast<Counted*>(data)->depth; },
        [](void* data, const char*) {
            auto& one = *static_cast<Counted*>(data);
            one.stanzas += --one.depth == 1;
        });
    XML_SetCharacterDataHandler(parser, [](void* data, const char*, int length) {
        static_cast<Counted*>(data)->text += static_cast<std::size_t>(length);
    });
    XML_Parse(parser, kHeader.data(), static_cast<int>(kHeader.size()), 0);
    for (; !octets.empty(); octets.remove_prefix(std::min(piece, octets.size()))) {
        const auto part = octets.substr(0, piece);
        if (XML_Parse(parser, part.data(), static_cast<int>(part.size()), 0) != XML_STATUS_OK) break;
    }
    XML_ParserFree(parser);
    return counted.stanzas;
}

/// Reads `stanza` that many times in pieces of that size, and prints what one of them costs.
void compare(const char* what, std::string_view stanza, std::size_t count, std::size_t piece) {
    std::string octets;
    for (std::size_t i = 0; i < count; ++i) octets += stanza;
    double one = 1e18, other = 1e18;
    const int rounds = octets.size() > 64'000'000 ? kRoundsOfMuch : kRounds;
    for (int round = 0; round < rounds; ++round) {
        one = std::min(one, nanoseconds([&] { require(ours(octets, piece) == count, "a stanza was lost"); }));
        other = std::min(other, nanoseconds([&] { require(bare(octets, piece) == count, "expat lost a stanza"); }));
    }
    const auto stanzas = static_cast<double>(count);
    std::printf("%-34s%11zu%13.2f%13.2f%8.2f\n", what, stanza.size(), one / stanzas / 1e3, other / stanzas / 1e3, one / other);
    std::fflush(stdout);
}

std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
}

std::string message(const std::string& inside) {
    return "<message from='romeo@example.net/orchard' to='juliet@sip.example' id='m1' type='chat'>" + inside + "</message>";
}

}  // namespace

int main() {
    std::printf("microseconds of one stanza, the least of up to %d rounds\n%-34s%11s%13s%13s%8s\n", kRounds, "what", "octets",
                "stox", "bare expat", "ratio");
    compare("stanza, pieces of 64 KiB", kStanza, 20'000, kPiece);
    compare("stanza, each in a read", kStanza, 20'000, kStanza.size());
    compare("stanza, in pieces of 100", kStanza, 20'000, 100);
    compare("text of 200 KiB", message("<body>" + std::string(200'000, 'x') + "</body>"), 50, kPiece);
    // Hostile. A namespace of 2,000 octets written out with each of 500, 5,000 and 50,000 elements: the cost is in proportion.
    const auto ns = "<p:a xmlns:p='urn:" + std::string(2'000, 'n') + "'/>";
    compare("namespaces, 1 MB", message(repeated(ns, 500)), 1, kPiece);
    compare("namespaces, 10 MB", message(repeated(ns, 5'000)), 1, kPiece);
    compare("namespaces, 100 MB", message(repeated(ns, 50'000)), 1, kPiece);
    compare("apostrophes, 10 MB", message("<body>" + repeated("&apos;", 1'700'000) + "</body>"), 1, kPiece);
    compare("short elements, 10 MB", message(repeated("<a/>", 2'500'000)), 1, kPiece);
    compare("text in the head, 10 MB", "<message id='" + std::string(10'000'000, 'x') + "'/>", 1, 10'100'000);
    compare("too deep", message(repeated("<a>", 70) + repeated("</a>", 70)), 1'000, kPiece);
    std::string attributes;
    for (int i = 0; i < 14'000; ++i) attributes += " p:a" + std::to_string(i) + "=''";
    compare("a namespace to 14,000 attributes", message("<x xmlns:p='" + std::string(30'000, 'n') + "'" + attributes + "/>"), 1,
            kPiece);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("resident at most %ld KiB, the inputs included\n", usage.ru_maxrss);
    return 0;
}
