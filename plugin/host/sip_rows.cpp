#include "plugin/host/sip_rows.h"

namespace stox::host {

std::vector<engine::RequestRow> request_rows(const sip::Counters& counters) {
    return {{"passed", counters.requests},
            {"over_requests", counters.refused_requests},
            {"over_request_memory", counters.refused_memory},
            {"over_open_acks", counters.refused_open_acks}};
}

std::vector<engine::DatagramRow> datagram_rows(const sip::Counters& counters) {
    return {{"received", "passed", counters.datagrams},
            {"received", "source_rate", counters.dropped_source_rate},
            {"received", "total_rate", counters.dropped_total_rate},
            {"received", "banned", counters.dropped_banned},
            {"received", "noise", counters.dropped_noise},
            {"received", "malformed", counters.dropped_malformed},
            {"received", "limits", counters.dropped_limits},
            {"received", "queue", counters.dropped_queue},
            {"received", "dropped_by_kernel", counters.dropped_by_kernel},
            {"sent", "refused", counters.sends_refused},
            {"sent", "without_room", counters.dropped_unsent}};
}

std::vector<engine::ConnectionRow> connection_rows(const sip::Counters& counters) {
    return {{"accepted", counters.connections},
            {"dialled", counters.dialled},
            {"dial_refused", counters.dials_refused},
            {"handshake_failed", counters.failed_handshakes},
            {"shed", counters.refused_descriptors},
            {"refused_source", counters.refused_source_connections},
            {"refused_total", counters.refused_total_connections},
            {"refused_rate", counters.refused_connection_rate},
            {"refused_handshakes", counters.refused_handshakes},
            {"refused_banned", counters.refused_banned},
            {"closed_violation", counters.closed_violation},
            {"closed_deadline", counters.closed_deadline},
            {"closed_idle", counters.closed_idle},
            {"closed_slow_reader", counters.closed_slow_reader},
            {"closed_evicted", counters.closed_evicted},
            {"closed_banned", counters.closed_banned}};
}

}  // namespace stox::host
