#include "sip/source_counts.h"

#include "sip/edge/admission.h"

namespace stox::sip {

bool SourceCounts::has_room(const Address& source) const {
    if (is_full()) return false;
    const auto found = sources_.find(Admission::source_of(source));
    return found == sources_.end() || found->second < of_source_;
}

void SourceCounts::add(const Address& source) {
    ++count_;
    ++sources_[Admission::source_of(source)];
}

void SourceCounts::remove(const Address& source) {
    --count_;
    const auto found = sources_.find(Admission::source_of(source));
    if (--found->second == 0) sources_.erase(found);
}

}  // namespace stox::sip
