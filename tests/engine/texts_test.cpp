// What the gateway itself says, in whose language.

#include "plugin/engine/texts.h"
#include "tests/engine/rig.h"

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;

constexpr std::string_view kEnglish = "No answer from the SIP side; the message may have been delivered.";
constexpr std::string_view kGerman = "Keine Antwort von der SIP-Seite; die Nachricht ist vielleicht angekommen.";

xmpp::StanzaError told(std::string lang, std::string otherwise) {
    auto options = Rig::default_options();
    options.language = std::move(otherwise);
    Rig rig(options);
    auto message = message_stanza();
    message.lang = std::move(lang);
    rig.stanza(message);
    return rig.sip_response(rig.sent.at(0).transaction, 408, LocalFailure::timeout).error();
}

TEST(Texts, CORE_61_TheStanzasLanguageThenTheDomainsThenEnglish) {
    const std::vector<std::tuple<const char*, const char*, const char*>> rows{
        {"de", "en", "de"}, {"de-AT", "en", "de"}, {"DE", "en", "de"}, {"en", "de", "en"}, {"", "en", "en"},
        {"", "de", "de"},   {"cs", "en", "en"},    {"cs", "de", "de"}, {"cs", "cs", "en"}, {"deu", "en", "en"}};
    for (const auto& [lang, otherwise, expected] : rows) {
        const auto error = told(lang, otherwise);
        EXPECT_EQ(error.text_lang, expected) << lang << ' ' << otherwise;
        EXPECT_EQ(error.text, expected == std::string("de") ? kGerman : kEnglish) << lang << ' ' << otherwise;
    }
}

TEST(Texts, CORE_61_TheWordsOfOthersAreNotTranslated) {
    Rig rig;
    auto message = message_stanza();
    message.lang = "de";
    rig.stanza(message);
    const auto error = rig.sip_response(rig.sent.at(0).transaction, 486, LocalFailure::none, "Besetzt").error();
    EXPECT_EQ(error.text, "Besetzt");
    EXPECT_FALSE(error.text_lang) << "nobody said in which language it is";
}

TEST(Texts, CORE_61_WordsInsideATextAreTranslatedAsWell) {
    xmpp::StanzaError error;
    error.text = "The SIP side cannot be reached: next hop down.";
    EXPECT_EQ(localized(error, "de", "en").text, "Die SIP-Seite ist nicht erreichbar: die nächste Station antwortet nicht.");
    error.text = "The SIP side cannot be reached: a word of another.";
    EXPECT_EQ(localized(error, "de", "en").text, "Die SIP-Seite ist nicht erreichbar: a word of another.");
    EXPECT_EQ(localized(error, "fr", "en").text, error.text);
    error.text = "Something else.";
    EXPECT_EQ(localized(error, "de", "en"), error);
}

TEST(Texts, CORE_61_TheGatewaysOwnRefusalsToo) {
    auto options = Rig::default_options();
    options.presence.mode = config::PresenceMode::off;
    Rig rig(options);
    auto message = message_stanza();
    message.lang = "de";
    message.to.local.clear();
    EXPECT_EQ(rig.stanza(message).error().text_lang, "de");
    xmpp::Presence presence;
    presence.from = {"romeo", "montague.test", {}};
    presence.to = {"juliet", "capulet.test", {}};
    presence.type = xmpp::PresenceType::subscribe;
    presence.lang = "de";
    EXPECT_EQ(rig.stanza(presence).error().text, "Dieses Gateway überträgt keine Anwesenheit.");
}

}  // namespace
