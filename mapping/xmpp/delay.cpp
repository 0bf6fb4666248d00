#include "mapping/xmpp/delay.h"

#include "mapping/xmpp/namespaces.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace stox::xmpp {

namespace {

std::string date_time(UtcTime at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(at - day);
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                  static_cast<int>(time.subseconds().count()));
    return text.data();
}

}  // namespace

xml::Element delay(const std::string& by, UtcTime at) {
    xml::Element element{std::string(ns::kDelay), "delay"};
    element.set("from", by).set("stamp", date_time(at));
    return element;
}

}  // namespace stox::xmpp
