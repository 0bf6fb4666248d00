#include "plugin/engine/answers.h"

#include "mapping/sip/mandatory_header.h"

namespace stox::engine {

void complete(sip::Response& response) {
    const auto header = sip::mandatory_header(response.status);
    if (header.empty() || response.header(header)) return;
    response.status = response.status == 401 || response.status == 407 ? 403 : 400;
    response.reason.clear();
}

}  // namespace stox::engine
