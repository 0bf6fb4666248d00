#include "plugin/engine/texts.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace stox::engine {

namespace {

constexpr std::array<std::string_view, 2> kLanguages{"en", "de"};

/// One text in each of kLanguages. `%` stands for words that are only known later.
using TextRow = std::array<std::string_view, kLanguages.size()>;

// clang-format off
constexpr std::array kTexts{
    TextRow{"An administrator of this gateway has blocked you.",
            "Ein Administrator dieses Gateways hat Sie gesperrt."},
    TextRow{"Write to a contact, not to the gateway.",
            "Bitte an einen Kontakt schreiben, nicht an das Gateway."},
    TextRow{"Only administrators may do this.",
            "Das dürfen nur Administratoren."},
    TextRow{"There is no such command.",
            "Diesen Befehl gibt es nicht."},
    TextRow{"This command is over; please begin again.",
            "Dieser Befehl ist vorbei; bitte von vorn beginnen."},
    TextRow{"Too many commands at once; please try again.",
            "Zu viele Befehle zugleich; bitte noch einmal versuchen."},
    TextRow{"The command was given, but nobody says what became of it.",
            "Der Befehl wurde gegeben, aber niemand sagt, was daraus wurde."},
    TextRow{"This gateway takes no messages for a while.",
            "Dieses Gateway nimmt eine Weile keine Nachrichten an."},
    TextRow{"This gateway carries no presence.",
            "Dieses Gateway überträgt keine Anwesenheit."},
    TextRow{"A number for emergencies has no presence.",
            "Eine Notrufnummer hat keine Anwesenheit."},
    TextRow{"You watch as many contacts as this gateway allows.",
            "Sie beobachten so viele Kontakte, wie dieses Gateway erlaubt."},
    TextRow{"This gateway can watch no further contacts.",
            "Dieses Gateway kann keine weiteren Kontakte beobachten."},
    TextRow{"This gateway serves its own users only.",
            "Dieses Gateway ist nur für seine eigenen Benutzer da."},
    TextRow{"Too long or too complex for this gateway; nothing of it was delivered.",
            "Zu lang oder zu verschachtelt für dieses Gateway; nichts davon wurde zugestellt."},
    TextRow{"This cannot be understood.",
            "Das ist nicht zu verstehen."},
    TextRow{"No answer from the SIP side; the message may have been delivered.",
            "Keine Antwort von der SIP-Seite; die Nachricht ist vielleicht angekommen."},
    TextRow{"The connection to the SIP side was lost; the message may have been delivered.",
            "Die Verbindung zur SIP-Seite ging verloren; die Nachricht ist vielleicht angekommen."},
    TextRow{"The SIP side cannot be reached.",
            "Die SIP-Seite ist nicht erreichbar."},
    TextRow{"The SIP side cannot be reached: %.",
            "Die SIP-Seite ist nicht erreichbar: %."},
    TextRow{"next hop down",
            "die nächste Station antwortet nicht"},
    TextRow{"The SIP side was not found.",
            "Die SIP-Seite wurde nicht gefunden."},
    TextRow{"not a room",
            "Das ist kein Raum."},
    TextRow{"no such SIP address",
            "Diese SIP-Adresse gibt es nicht."},
    TextRow{"your address has no SIP form",
            "Ihre Adresse lässt sich in SIP nicht ausdrücken."},
    TextRow{"no way to this SIP domain",
            "Zu dieser SIP-Domain führt kein Weg."},
    TextRow{"too long for any way of delivery",
            "Zu lang für jeden Weg der Zustellung."},
    TextRow{"This message is too long to be kept.",
            "Diese Nachricht ist zu lang, um aufbewahrt zu werden."},
    TextRow{"too long for this way of delivery",
            "Zu lang für diesen Weg der Zustellung."},
    TextRow{"too many messages wait for this contact",
            "Für diesen Kontakt warten schon zu viele Nachrichten."},
    TextRow{"This contact is reached over SIP, where encrypted messages cannot be read. Switch encryption off.",
            "Dieser Kontakt ist über SIP verbunden und kann verschlüsselte Nachrichten nicht lesen. Bitte die Verschlüsselung ausschalten."},
    TextRow{"The gateway stops before the SIP side answered; the message may have been delivered.",
            "Das Gateway hält an, ehe die SIP-Seite geantwortet hat; die Nachricht ist vielleicht angekommen."},
    TextRow{"The id of this message is too long.",
            "Die Kennung dieser Nachricht ist zu lang."},
    TextRow{"The SIP side gave up; the message may have been delivered.",
            "Die SIP-Seite hat aufgegeben; die Nachricht ist vielleicht angekommen."},
    TextRow{"The message did not reach its reader.",
            "Die Nachricht hat den Empfänger nicht erreicht."},
    TextRow{"The gateway stops; the message was not sent.",
            "Das Gateway hält an; die Nachricht wurde nicht gesendet."},
    TextRow{"This address is too long for SIP.",
            "Diese Adresse ist zu lang für SIP."},
    TextRow{"This number cannot be dialled here. Write it with a plus and its country code.",
            "Diese Nummer lässt sich hier nicht wählen. Bitte mit Plus und Landesvorwahl schreiben."},
    TextRow{"Emergency numbers cannot be reached from here. Nobody was told. Use a telephone.",
            "Notrufnummern sind von hier nicht erreichbar. Niemand wurde verständigt. Bitte ein Telefon benutzen."},
    TextRow{"The gateway was removed before the SIP side answered; the message may have been delivered.",
            "Das Gateway wurde entfernt, ehe die SIP-Seite geantwortet hat; die Nachricht ist vielleicht angekommen."},
    TextRow{"The gateway was removed; the message was not sent.",
            "Das Gateway wurde entfernt; die Nachricht wurde nicht gesendet."},
    TextRow{"The gateway cannot keep messages now; it was not sent.",
            "Das Gateway kann gerade keine Nachrichten aufbewahren; sie wurde nicht gesendet."},
    TextRow{"This message came back to the gateway that had carried it.",
            "Diese Nachricht kam zu dem Gateway zurück, das sie schon befördert hatte."},
    TextRow{"This message was sent on too often.",
            "Diese Nachricht wurde zu oft weitergeleitet."},
    TextRow{"You ask faster than this gateway allows.",
            "Sie fragen schneller, als dieses Gateway erlaubt."},
    TextRow{"You send faster than this gateway allows.",
            "Sie senden schneller, als dieses Gateway erlaubt."},
};
// clang-format on

constexpr bool is_whole() {
    for (const auto& row : kTexts)
        for (const auto text : row)
            if (text.empty()) return false;
    return true;
}
static_assert(is_whole());

/// The column of a language tag: its first subtag, in any case.
std::optional<std::size_t> column_of(std::string_view tag) {
    std::string primary(tag.substr(0, tag.find('-')));
    std::ranges::transform(primary, primary.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto found = std::ranges::find(kLanguages, primary);
    if (found == kLanguages.end()) return std::nullopt;
    return static_cast<std::size_t>(found - kLanguages.begin());
}

/// What stands in `text` for the % of `pattern`; nothing: another text.
std::optional<std::string_view> words_of(std::string_view text, std::string_view pattern) {
    const auto gap = pattern.find('%');
    if (gap == pattern.npos) return text == pattern ? std::optional(std::string_view()) : std::nullopt;
    const auto before = pattern.substr(0, gap), behind = pattern.substr(gap + 1);
    if (text.size() < before.size() + behind.size() || !text.starts_with(before) || !text.ends_with(behind)) return std::nullopt;
    return text.substr(before.size(), text.size() - before.size() - behind.size());
}

std::optional<std::string> translated(std::string_view english, std::size_t column) {
    for (const auto& row : kTexts) {
        const auto words = words_of(english, row.front());
        if (!words) continue;
        std::string text(row[column]);
        if (const auto gap = text.find('%'); gap != text.npos)
            text.replace(gap, 1, translated(*words, column).value_or(std::string(*words)));
        return text;
    }
    return std::nullopt;
}

}  // namespace

xmpp::StanzaError localized(xmpp::StanzaError error, std::string_view lang, std::string_view otherwise) {
    if (!error.text) return error;
    auto column = column_of(lang);
    if (!column) column = column_of(otherwise);
    auto text = translated(*error.text, column.value_or(0));
    if (!text) return error;
    error.text = std::move(text);
    error.text_lang = kLanguages[column.value_or(0)];
    return error;
}

void speak_their_language(xmpp::Stanza& stanza, std::string_view otherwise) {
    const auto speak = [otherwise](auto& one) {
        if (!one.error) return;
        one.error = localized(std::move(*one.error), one.lang, otherwise);
        one.lang.clear();  // what others wrote in it need not be in that language
    };
    std::visit(speak, stanza);
}

std::vector<std::string_view> text_languages() { return {kLanguages.begin(), kLanguages.end()}; }

}  // namespace stox::engine
