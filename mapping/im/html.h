#pragma once
// HTML of a SIP message, as text and, where wanted, as XHTML-IM. Any octets are HTML; nothing of it runs or loads here or there.

#include "mapping/xml/element.h"

#include <string>
#include <string_view>

namespace stox::im {

/// The text a reader would see: blocks and <br/> on lines of their own, a link's address behind its text, an image as its
/// alternative text. Scripts, styles and the title are left out.
/// html   UTF-8
std::string html_to_text(std::string_view html);

/// The same as the body of XEP-0071: its elements without attributes but the address of a link, which is one of a kind that
/// nobody runs (http, https, mailto, sip, sips, tel, xmpp). Everything else is left out, its text kept.
xml::Element html_to_xhtml_im(std::string_view html);

/// The text of an XHTML-IM element, for who gets no other.
std::string xhtml_im_to_text(const xml::Element& html);
bool is_xhtml_im(const xml::Element& element);

}  // namespace stox::im
