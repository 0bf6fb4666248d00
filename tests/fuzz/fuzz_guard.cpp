// The check of whole messages: what the framing lets through is read by the library and judged. What is accepted is what nta may
// be given, becomes values, and is accepted as the same values when it is written and read again.

#include "mapping/core/assert.h"
#include "sip/decode.h"
#include "sip/edge/framer.h"
#include "sip/guard.h"
#include "sip/sofia_handles.h"

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_buffer.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace {

using namespace stox;
using namespace stox::sip;

/// As a datagram is read: all of it at once, with its end.
Message read(std::string_view octets) {
    Message message(msg_create(guarded_messages(), MSG_DO_CANONIC));
    const auto size = static_cast<usize_t>(octets.size());
    auto* place = msg_buf_exact(message.get(), size + 1);
    STOX_ASSERT(place != nullptr);
    std::memcpy(place, octets.data(), octets.size());
    msg_recv_commit(message.get(), size, 1);
    msg_extract(message.get());
    return message;
}

const sip_t* contents(const Message& message) { return reinterpret_cast<const sip_t*>(msg_object(message.get())); }

/// What nta neither refuses by itself nor drops.
bool accepted(const Message& message) {
    const auto* sip = contents(message);
    return (sip->sip_request || sip->sip_status) && (sip->sip_flags & MSG_FLG_COMPLETE) &&
           !(sip->sip_flags & (MSG_FLG_ERROR | MSG_FLG_TRUNC | MSG_FLG_TOOLARGE | MSG_FLG_TIMEOUT));
}

/// nta follows these without a look.
void check_what_nta_relies_on(const sip_t& sip) {
    STOX_ASSERT(sip.sip_from && sip.sip_to && sip.sip_call_id && sip.sip_cseq && sip.sip_via && !sip.sip_error);
    STOX_ASSERT(sip.sip_from->a_tag && *sip.sip_from->a_tag && std::strlen(sip.sip_call_id->i_id) <= 512);
    STOX_ASSERT(sip.sip_cseq->cs_seq < 1u << 31);
    if (sip.sip_status) {
        const int status = sip.sip_status->st_status;
        STOX_ASSERT(status >= 100 && status <= 699 && !sip.sip_via->v_next && !(sip.sip_rseq && sip.sip_rseq->rs_response == 0));
        STOX_ASSERT(status / 100 != 2 || sip.sip_cseq->cs_method != sip_method_invite);
    } else {
        STOX_ASSERT(sip.sip_request->rq_method != sip_method_prack);
        for (const char* aim : {"maddr", "received"}) STOX_ASSERT(!msg_header_find_param(sip.sip_via->v_common, aim));
    }
    for (const auto* contact = sip.sip_contact; contact; contact = contact->m_next)
        STOX_ASSERT(contact->m_url->url_type == url_any ? sip.sip_request && sip.sip_request->rq_method == sip_method_register
                                                        : contact->m_url->url_host && !contact->m_url->url_headers);
    for (const auto* route = sip.sip_route; route; route = route->r_next)
        STOX_ASSERT(route->r_url->url_host && (route->r_url->url_type == url_sip || route->r_url->url_type == url_sips));
}

/// What was judged, as the library writes it: of other headers it keeps less than they said.
bool is_judged(const sip_header_t& header) {
    static const std::array classes{sip_request_class, sip_status_class,       sip_via_class,  sip_from_class,
                                    sip_to_class,      sip_call_id_class,      sip_cseq_class, sip_contact_class,
                                    sip_route_class,   sip_record_route_class, sip_rseq_class, sip_max_forwards_class};
    return std::ranges::any_of(classes, [&](const auto* known) { return known->hc_hash == header.sh_class->hc_hash; });
}

std::string written(const sip_t& sip) {
    std::string text;
    const auto* first = sip.sip_request ? reinterpret_cast<const sip_header_t*>(sip.sip_request)
                                        : reinterpret_cast<const sip_header_t*>(sip.sip_status);
    std::string one(2 * Limits().header_octets, '\0');
    for (const auto* header = first; header; header = reinterpret_cast<const sip_header_t*>(header->sh_succ)) {
        if (!is_judged(*header)) continue;
        const auto size =
            msg_header_e(one.data(), static_cast<isize_t>(one.size()), reinterpret_cast<const msg_header_t*>(header), 0);
        STOX_ASSERT(size > 0 && static_cast<std::size_t>(size) < one.size());
        text.append(one, 0, static_cast<std::size_t>(size));
    }
    return text + "\r\n";
}

template <class Value>
Value judged_alone(Value value) {
    value.headers.clear();
    value.content_type.clear();
    value.body.clear();
    return value;
}

void check_again(const sip_t& first) {
    const auto second = read(written(first));
    STOX_ASSERT(accepted(second));
    const auto& sip = *contents(second);
    check_what_nta_relies_on(sip);
    STOX_ASSERT((first.sip_request != nullptr) == (sip.sip_request != nullptr));
    if (first.sip_status) {
        STOX_ASSERT(judged_alone(decode_response(first)) == judged_alone(decode_response(sip)));
        return;
    }
    Request before, after;
    const auto read_before = decode_request(first, before), read_after = decode_request(sip, after);
    STOX_ASSERT(read_before.has_value() == read_after.has_value());
    STOX_ASSERT(!read_before || judged_alone(before) == judged_alone(after));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view octets(reinterpret_cast<const char*>(data), size);
    if (judge_datagram(octets, Limits()) != Datagram::message) return 0;
    const auto message = read(octets);
    STOX_ASSERT(accepted(read(octets)) == accepted(message));
    if (!accepted(message)) return 0;
    const auto& sip = *contents(message);
    check_what_nta_relies_on(sip);
    check_again(sip);
    return 0;
}
