#include "sip/guard.h"

#include "mapping/sip/uri.h"
#include "sip/via_target.h"

#include <sofia-sip/msg_buffer.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/msg_mclass.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/su_string.h>
#include <sofia-sip/url.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace stox::sip {

namespace {

std::string_view text(const char* chars) { return chars ? std::string_view(chars) : std::string_view(); }

/// A host that is nothing but a name or a literal: no controls, quotes, brackets in odd places.
bool plain_host(std::string_view host) {
    if (host.empty() || host.size() > 255) return false;
    const bool literal = host.front() == '[';
    if (literal && (host.size() < 4 || host.back() != ']')) return false;
    for (const char c : literal ? host.substr(1, host.size() - 2) : host) {
        const auto octet = static_cast<unsigned char>(c);
        if (literal ? !std::isxdigit(octet) && c != ':' && c != '.' : !std::isalnum(octet) && c != '-' && c != '.' && c != '_')
            return false;
    }
    return true;
}

bool plain_port(std::string_view port) {
    if (port.empty()) return true;
    if (port.size() > 5) return false;
    unsigned number = 0;
    for (const char c : port) {
        if (c < '0' || c > '9') return false;
        number = number * 10 + static_cast<unsigned>(c - '0');
    }
    return number >= 1 && number <= 65'535;
}

/// None of our schemes has a path or a fragment. The library reads one, and writes it behind the host without what was between: a
/// host that was looked at would become another.
bool has_odd_parts(const url_t& url) { return url.url_root || url.url_path || url.url_fragment; }
bool is_mailbox(const url_t& url) { return url.url_type == url_im || url.url_type == url_pres; }
bool is_sip(const url_t& url) { return url.url_type == url_sip || url.url_type == url_sips; }

/// The value of a URI parameter; nothing when it is absent. Empty when it has no value, or one longer than a host name may be:
/// the library then leaves the buffer as it was, and neither is an absent parameter.
std::optional<std::string_view> parameter(const url_t& url, const char* name, char (&buffer)[256]) {
    const auto size = static_cast<std::size_t>(url.url_params ? url_param(url.url_params, name, buffer, sizeof buffer) : 0);
    if (size == 0) return std::nullopt;
    return size > sizeof buffer ? std::string_view() : std::string_view(buffer);
}

bool dialled_transport(std::string_view transport) {
    for (const char* known : {"udp", "tcp", "tls"})
        if (su_casematch(transport.data(), known)) return true;
    return false;
}

/// A URI that we might send something to. `routed`: a route set stands between, so that its transport is not ours to dial.
bool diallable(const url_t& url, bool routed) {
    if (!is_sip(url) || has_odd_parts(url) || !plain_host(text(url.url_host)) || !plain_port(text(url.url_port)) ||
        url.url_headers)
        return false;
    char buffer[256];
    if (const auto maddr = parameter(url, "maddr", buffer); maddr && !plain_host(*maddr)) return false;
    const auto transport = parameter(url, "transport", buffer);
    return !transport || (!transport->empty() && (routed || dialled_transport(*transport)));
}

/// From or To: somebody we could name. A number or a host at least.
bool nameable(const url_t& url) {
    if (has_odd_parts(url)) return false;
    if (url.url_type == url_tel) return !text(url.url_host).empty() || !text(url.url_user).empty();
    if (is_mailbox(url)) return !text(url.url_user).empty() && plain_host(text(url.url_host));
    return is_sip(url) && plain_host(text(url.url_host)) && plain_port(text(url.url_port));
}

constexpr std::size_t kMaxCallId = 512;       // octets
constexpr std::uint32_t kMaxCSeq = 1u << 31;  // RFC 3261 §8.1.1.5: below that

/// How many there may be was judged by the framing: Limits::via_values and route_values are options.
bool good_routes(const sip_route_t* route) {
    for (; route; route = route->r_next)
        if (!diallable(*route->r_url, false)) return false;
    return true;
}

/// Name, version and transport are tokens. The library goes on without a space behind them, and then what it writes is no Via.
bool plain_protocol(std::string_view protocol) {
    return !protocol.empty() && std::ranges::all_of(protocol, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("/-.!%*_+`'~").find(c) != std::string_view::npos;
    });
}

/// Of a request, the topmost Via says where the answer goes: a place that can be sent to. A response that has more than ours is
/// not for us, who are no proxy.   (RFC 3261 §18.2.2, §8.1.3.3)
bool good_vias(const sip_t& sip) {
    const auto& top = *sip.sip_via;
    if (!plain_host(text(top.v_host)) || !plain_port(text(top.v_port))) return false;
    for (const auto* via = &top; via; via = via->v_next)
        if (!plain_protocol(text(via->v_protocol))) return false;
    return !sip.sip_status || !top.v_next;
}

/// The method that the rest is judged by. When its line is folded behind the name, the library takes a known one for unknown.
bool good_cseq(const sip_cseq_t& cseq) {
    return cseq.cs_seq < kMaxCSeq && !text(cseq.cs_method_name).empty() && sip_method_code(cseq.cs_method_name) == cseq.cs_method;
}

/// RFC 3261 §8.1.1.5: that is the method of the request. A Request-URI of another scheme gets its 416
/// later, with a path or without.
bool good_request(const sip_t& sip) {
    const auto& uri = *sip.sip_request->rq_url;
    const bool is_ours = is_sip(uri) || is_mailbox(uri) || uri.url_type == url_tel || !uri.url_scheme;
    return !(is_ours && has_odd_parts(uri)) && sip.sip_cseq->cs_method == sip.sip_request->rq_method &&
           text(sip.sip_cseq->cs_method_name) == text(sip.sip_request->rq_method_name);
}

/// RFC 3261 §7.2: six classes. RFC 3262 §7.1: 0 numbers nothing.
bool good_response(const sip_t& sip) {
    const int status = sip.sip_status->st_status;
    return status >= 100 && status <= 699 && (!sip.sip_rseq || sip.sip_rseq->rs_response != 0);
}

/// Methods whose dialog is addressed by the Contact.
bool needs_contact(sip_method_t method) {
    return method == sip_method_invite || method == sip_method_subscribe || method == sip_method_refer ||
           method == sip_method_update;
}

bool good_contacts(const sip_t& sip) {
    const auto method = sip.sip_cseq->cs_method;
    const bool is_register = method == sip_method_register;
    const int status = sip.sip_status ? sip.sip_status->st_status : 0;
    const bool many_allowed = is_register || (status >= 300 && status < 400);
    const auto* contact = sip.sip_contact;
    if (!contact) {
        const bool success = status >= 200 && status < 300;
        return !needs_contact(method) || (sip.sip_status && (!success || method == sip_method_update));
    }
    if (contact->m_url->url_type == url_any) return is_register && !contact->m_next && !sip.sip_status;
    if (contact->m_next && !many_allowed) return false;
    for (; contact; contact = contact->m_next)
        if (!diallable(*contact->m_url, sip.sip_record_route != nullptr)) return false;
    return true;
}

/// INVITEs whose ACKs are dropped, in the order that they came. One list a thread: an endpoint lives on one.
struct DroppedAcks {
    std::set<std::pair<std::string, std::uint32_t>, std::less<>> known;
    std::deque<decltype(known)::iterator> order;
};
thread_local DroppedAcks dropped_acks;
constexpr std::size_t kMaxDroppedAcks = 8'192;

bool is_dropped_ack(const sip_t& sip) {
    return sip.sip_request->rq_method == sip_method_ack && !dropped_acks.known.empty() &&
           dropped_acks.known.contains(std::pair(std::string(text(sip.sip_call_id->i_id)), sip.sip_cseq->cs_seq));
}

bool acceptable(const sip_t& sip) {
    if (sip.sip_error || !sip.sip_from || !sip.sip_to || !sip.sip_call_id || !sip.sip_cseq || !sip.sip_via) return false;
    if (text(sip.sip_from->a_tag).empty() || !good_vias(sip)) return false;
    if (text(sip.sip_call_id->i_id).size() > kMaxCallId || !good_cseq(*sip.sip_cseq)) return false;
    if (sip.sip_status ? !good_response(sip) : !good_request(sip) || is_dropped_ack(sip)) return false;
    if (!nameable(*sip.sip_from->a_url) || !nameable(*sip.sip_to->a_url)) return false;
    return good_routes(sip.sip_route) && good_routes(reinterpret_cast<const sip_route_t*>(sip.sip_record_route)) &&
           good_contacts(sip);
}

// A message is guilty until acquitted: its start line sets the flag that nta refuses, and only the body hook, which runs when
// all headers are there, clears it. So a datagram that ends before its blank line stays refused.

msg_parse_f* parse_request_line;
msg_parse_f* parse_status_line;
issize_t (*extract_body)(msg_t*, msg_pub_t*, char[], isize_t, int);

void accuse(su_home_t* home) { msg_object(reinterpret_cast<msg_t*>(home))->msg_flags |= MSG_FLG_TRUNC; }

/// While its first line is read, all of a datagram is still octets, and nothing of Via has been believed.
void disarm_datagram(su_home_t* home) {
    auto* message = reinterpret_cast<msg_t*>(home);
    if (auto* octets = static_cast<char*>(msg_buf_committed_data(message))) disarm_via({octets, msg_buf_committed(message)});
}

issize_t accuse_request(su_home_t* home, msg_header_t* header, char* chars, isize_t size) {
    const auto parsed = parse_request_line(home, header, chars, size);
    disarm_datagram(home);
    if (parsed >= 0) accuse(home);
    return parsed;
}

issize_t accuse_response(su_home_t* home, msg_header_t* header, char* chars, isize_t size) {
    const auto parsed = parse_status_line(home, header, chars, size);
    if (parsed >= 0) accuse(home);
    return parsed;
}

/// What nta would decide by itself, though it is for us: it knows these by their method's number, and then by its name alone.
/// - A PRACK: as a user agent nta answers 481 to each but those for provisionals that it numbered itself.
/// - A 2xx to an INVITE: of a forked INVITE nta gives us the first one, and to the others it sends ACK and BYE, to whatever
///   their Contact says. RFC 3261 §13.2.2.4 leaves them to the user agent.
void keep_from_nta(sip_t& sip) {
    auto& cseq = *sip.sip_cseq;
    if (sip.sip_request && sip.sip_request->rq_method == sip_method_prack)
        sip.sip_request->rq_method = cseq.cs_method = sip_method_unknown;
    if (sip.sip_status && sip.sip_status->st_status / 100 == 2 && cseq.cs_method == sip_method_invite)
        cseq.cs_method = sip_method_unknown;
}

/// The same, in what the library takes for the topmost Via.
void keep_from_aiming(sip_via_t& via) {
    for (const char* parameter : {"maddr", "received"})
        while (msg_header_find_param(via.v_common, parameter))
            if (msg_header_remove_param(via.v_common, parameter) <= 0) break;
}

issize_t acquit(msg_t* message, msg_pub_t* content, char octets[], isize_t size, int end_of_stream) {
    auto* sip = reinterpret_cast<sip_t*>(content);
    if (sip->sip_request && sip->sip_via) keep_from_aiming(*sip->sip_via);
    // Once only: at a stream the hook runs again for each piece of the body.
    if (!(sip->sip_flags & MSG_FLG_BODY) && acceptable(*sip)) {
        keep_from_nta(*sip);
        sip->sip_flags &= ~MSG_FLG_TRUNC;
    }
    return extract_body(message, content, octets, size, end_of_stream);
}

msg_parse_f* parse_from;

/// The user of the address in a From, as it stands there; empty: none.
std::string_view written_user(std::string_view from) {
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (quoted && from[i] == '\\')
            ++i;
        else if (from[i] == '"')
            quoted = !quoted;
        else if (!quoted && from[i] == '<')
            begin = i + 1;
    }
    from.remove_prefix(begin);
    const auto colon = from.find(':'), at = from.find('@');
    if (colon == from.npos || at == from.npos || colon > at) return {};
    const auto userinfo = from.substr(colon + 1, at - colon - 1);
    return userinfo.substr(0, userinfo.find(':'));
}

/// The library writes `;` for `%3B`, though they are different users (RFC 3261 §19.1.4): who wrote it so is called so. (CORE-27)
issize_t keep_user(su_home_t* home, msg_header_t* header, char* chars, isize_t size) {
    if (!std::strchr(chars, '%')) return parse_from(home, header, chars, size);
    const std::string written(chars);
    const auto parsed = parse_from(home, header, chars, size);
    auto& url = *reinterpret_cast<sip_from_t*>(header)->a_url;
    if (parsed < 0 || !is_sip(url) || !url.url_user) return parsed;
    const auto user = written_user(written);
    const auto octets = percent_decode(user), read = percent_decode(url.url_user);
    if (octets && read && octets.value() == read.value())
        url.url_user = su_strndup(home, user.data(), static_cast<isize_t>(user.size()));
    return parsed;
}

/// Under both its names. The class itself stays in the table behind it: headers of ours are of that one, and the library finds
/// the place of a header by its class.
void hook_from(msg_mclass_s& messages) {
    static std::remove_const_t<msg_hclass_t> from = *sip_from_class;
    parse_from = from.hc_parse;
    from.hc_parse = keep_user;
    const std::span table(messages.mc_hash, static_cast<std::size_t>(messages.mc_hash_size));
    const auto known = std::ranges::find(table, sip_from_class, &msg_href_t::hr_class);
    if (known == table.end() || messages.mc_hash_used + 1 >= messages.mc_hash_size) std::abort();  // another library than it was
    auto free = known;
    while (free->hr_class)
        if (++free == table.end()) free = table.begin();
    *free = *known;
    known->hr_class = &from;
    ++messages.mc_hash_used;
    // The copy that was made for this class, as the table was.
    for (auto& entry : std::span(const_cast<msg_href_t*>(messages.mc_short), MC_SHORT_SIZE))
        if (entry.hr_class == sip_from_class) entry.hr_class = &from;
}

msg_mclass_s const* make_class() {
    auto* extended = sip_extend_mclass(nullptr);
    if (!extended) std::abort();  // out of memory before anything began

    static std::remove_const_t<msg_hclass_t> request = *extended->mc_request->hr_class;
    static std::remove_const_t<msg_hclass_t> status = *extended->mc_status->hr_class;
    parse_request_line = request.hc_parse;
    parse_status_line = status.hc_parse;
    extract_body = extended->mc_extract_body;
    request.hc_parse = accuse_request;
    status.hc_parse = accuse_response;
    extended->mc_request->hr_class = &request;
    extended->mc_status->hr_class = &status;
    extended->mc_extract_body = acquit;
    hook_from(*extended);
    return extended;
}

}  // namespace

msg_mclass_s const* guarded_messages() {
    static msg_mclass_s const* const made = make_class();
    return made;
}

void drop_acks_of(std::string call_id, std::uint32_t cseq) {
    const auto [added, is_new] = dropped_acks.known.emplace(std::move(call_id), cseq);
    if (!is_new) return;
    dropped_acks.order.push_back(added);
    if (dropped_acks.order.size() <= kMaxDroppedAcks) return;
    dropped_acks.known.erase(dropped_acks.order.front());
    dropped_acks.order.pop_front();
}

}  // namespace stox::sip
