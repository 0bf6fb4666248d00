#include "plugin/engine/log.h"

namespace stox::engine {

namespace {

constexpr std::size_t kMaxOctets = 256;

bool plain(unsigned char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '=' && c != '\\'; }

}  // namespace

std::string logfmt(std::string_view untrusted) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string out;
    bool quote = untrusted.empty();
    for (const char raw : untrusted) {
        if (out.size() >= kMaxOctets - 8) {
            out += "...";
            quote = true;
            break;
        }
        const auto c = static_cast<unsigned char>(raw);
        if (!plain(c)) quote = true;
        if (c == '"' || c == '\\') {
            out += '\\';
            out += raw;
        } else if (c >= 0x20 && c < 0x7f) {
            out += raw;
        } else {
            out += "\\x";
            out += kHex[c >> 4];
            out += kHex[c & 15];
        }
    }
    return quote ? '"' + out + '"' : out;
}

Log line(Level level, Trace trace, std::string_view event, std::initializer_list<std::pair<std::string_view, std::string>> fields,
         std::string peer) {
    Log log{level, trace, std::move(peer), std::string(event)};
    for (const auto& [key, value] : fields) {
        log.text += ' ';
        log.text += key;
        log.text += '=';
        log.text += logfmt(value);
    }
    return log;
}

}  // namespace stox::engine
