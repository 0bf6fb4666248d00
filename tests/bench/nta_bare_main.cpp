// The measure that the gateway's SIP endpoint is held against: the same work done by nta on the library's own sockets, with
// nothing around it. Answers MESSAGE, OPTIONS, INVITE and BYE with 200; each INVITE makes a dialog that its BYE ends.
//
// Usage: stox_nta_bare UDP_TCP_PORT [TLS_PORT CERTIFICATE_FOLDER]     ends with its standard input
//   CERTIFICATE_FOLDER holds agent.pem (certificate and key) and cafile.pem, as the library has it

#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport_tag.h>

#include <unistd.h>

#include <cstdio>
#include <string>

namespace {

constexpr char kDescription[] =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n";

nta_agent_t* agent;
std::string contact;

int on_acknowledged(nta_incoming_magic_t*, nta_incoming_t* invite, const sip_t*) {
    nta_incoming_destroy(invite);
    return 0;
}

int on_request(nta_leg_magic_t*, nta_leg_t* leg, nta_incoming_t* request, const sip_t* sip) {
    switch (sip->sip_request->rq_method) {
        case sip_method_ack:
            return 0;
        case sip_method_invite: {
            auto* dialog = nta_leg_tcreate(agent, on_request, nullptr, SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(sip->sip_to),
                                           SIPTAG_TO(sip->sip_from), TAG_END());
            nta_leg_server_route(dialog, sip->sip_record_route, sip->sip_contact);
            nta_incoming_tag(request, nta_leg_tag(dialog, nullptr));
            nta_incoming_bind(request, on_acknowledged, nullptr);
            nta_incoming_treply(request, SIP_200_OK, SIPTAG_CONTACT_STR(contact.c_str()),
                                SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(kDescription), TAG_END());
            return 0;
        }
        case sip_method_bye:
            nta_incoming_treply(request, SIP_200_OK, TAG_END());
            nta_incoming_destroy(request);
            nta_leg_destroy(leg);
            return 0;
        default:
            return 200;
    }
}

bool listen(const std::string& url, const char* certificates) {
    return nta_agent_add_tport(agent, reinterpret_cast<const url_string_t*>(url.c_str()),
                               TAG_IF(certificates, TPTAG_CERTIFICATE(certificates)), TAG_END()) == 0;
}

int on_input(su_root_magic_t*, su_wait_t*, su_wakeup_arg_t* root) {
    char octet;
    if (::read(STDIN_FILENO, &octet, 1) <= 0) su_root_break(reinterpret_cast<su_root_t*>(root));
    return 0;
}

void discard_log(void*, char const*, va_list) {}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 && argc != 4) return std::fputs("usage: stox_nta_bare PORT [TLS_PORT CERTIFICATE_FOLDER]\n", stderr), 2;
    su_init();
    su_log_redirect(nullptr, discard_log, nullptr);
    auto* root = su_root_create(nullptr);
    agent = nta_agent_create(root, reinterpret_cast<const url_string_t*>(-1), nullptr, nullptr, NTATAG_UA(1),
                             NTATAG_SERVER_RPORT(1), TAG_END());
    const std::string host = "127.0.0.1:";
    contact = "<sip:romeo@" + host + argv[1] + ">";
    const auto plain = "sip:" + host + argv[1] + ";transport=";
    if (!listen(plain + "udp", nullptr) || !listen(plain + "tcp", nullptr)) return std::fputs("cannot listen\n", stderr), 1;
    if (argc == 4 && !listen("sips:" + host + argv[2] + ";transport=tls", argv[3]))
        return std::fputs("cannot listen for TLS\n", stderr), 1;
    auto* everything = nta_leg_tcreate(agent, on_request, nullptr, NTATAG_NO_DIALOG(1), TAG_END());
    su_wait_t input[1];
    su_wait_init(input);
    su_wait_create(input, STDIN_FILENO, SU_WAIT_IN);
    su_root_register(root, input, on_input, reinterpret_cast<su_wakeup_arg_t*>(root), 0);
    std::puts("ready");
    std::fflush(stdout);
    su_root_run(root);
    nta_leg_destroy(everything);
    return 0;  // the library is not taken apart: its memory was measured while it ran
}
