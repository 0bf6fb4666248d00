#include "sip/open_acks.h"

#include "sip/edge/admission.h"

namespace stox::sip {

bool OpenAcks::has_room(const Address& source) const {
    if (open_ >= all_) return false;
    const auto found = sources_.find(Admission::source_of(source));
    return found == sources_.end() || found->second < of_source_;
}

void OpenAcks::add(const Address& source) {
    ++open_;
    ++sources_[Admission::source_of(source)];
}

void OpenAcks::remove(const Address& source) {
    --open_;
    const auto found = sources_.find(Admission::source_of(source));
    if (--found->second == 0) sources_.erase(found);
}

}  // namespace stox::sip
