#include "sip/edge/diverted_output.h"

#include <openssl/bio.h>

namespace stox::sip {

DivertedOutput::DivertedOutput(SSL& ssl) : ssl_(ssl), own_(SSL_get_wbio(&ssl)), caught_(BIO_new(BIO_s_mem())) {
    if (!caught_ || BIO_up_ref(own_) != 1) {
        BIO_free(caught_);
        own_ = caught_ = nullptr;
        return;
    }
    SSL_set0_wbio(&ssl_, caught_);
}

DivertedOutput::~DivertedOutput() {
    if (own_) SSL_set0_wbio(&ssl_, own_);
}

std::string DivertedOutput::take() {
    std::string octets(caught_ ? BIO_ctrl_pending(caught_) : 0, '\0');
    if (!octets.empty()) BIO_read(caught_, octets.data(), static_cast<int>(octets.size()));
    return octets;
}

void DivertedOutput::give_back() {
    if (const auto octets = take(); !octets.empty()) BIO_write(own_, octets.data(), static_cast<int>(octets.size()));
}

}  // namespace stox::sip
