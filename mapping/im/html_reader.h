#pragma once
// HTML as a row of events: text, tags that open and close. Forgiving, as HTML wants it, and linear in its input.

#include <string>
#include <string_view>

namespace stox::im {

/// What an HTML text is made of, in order.
class HtmlSink {
public:
    virtual ~HtmlSink() = default;
    /// Characters with their references resolved; white space as it stands.
    virtual void text(std::string_view characters) = 0;
    /// name   lower case; href and alt are empty when absent
    virtual void open(std::string_view name, std::string_view href, std::string_view alt) = 0;
    virtual void close(std::string_view name) = 0;
};

/// Comments, declarations, and what stands in script, style and title never reach the sink.
void read_html(std::string_view html, HtmlSink& sink);

}  // namespace stox::im
