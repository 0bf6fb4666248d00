#pragma once
// A dialog: what two user agents remember of each other to exchange requests.   (RFC 3261 §12)

#include "mapping/sip/message.h"

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stox::sip {

struct DialogId {
    std::string call_id;
    std::string local_tag;
    std::string remote_tag;  ///< empty when the peer is of RFC 2543 and gave none

    friend auto operator<=>(const DialogId&, const DialogId&) = default;
};

enum class DialogState { early, confirmed };

/// Plain data, so that a journal can keep it: Call-ID, tags, route set, remote target, CSeq both ways say all.
struct Dialog {
    DialogId id;
    DialogState state = DialogState::confirmed;
    bool caller = false;  ///< we sent the first request, so the Call-ID is ours   (RFC 3261 §14.1)
    bool secure = false;  ///< the peer is reached by sips only                    (RFC 3261 §12.1.1)
    NameAddr local;       ///< From of our requests; its tag is id.local_tag
    NameAddr remote;      ///< To of our requests; its tag is id.remote_tag
    NameAddr contact;     ///< our own, in what refreshes the target
    Uri remote_target;
    std::vector<NameAddr> route_set;  ///< in the order our requests take
    std::uint32_t local_cseq = 0;     ///< of the last request we sent; 0: none yet
    std::optional<std::uint32_t> remote_cseq;
    bool referred = false;  ///< a REFER came: the next one's subscription needs an id   (RFC 3515 §2.4.6)

    /// The dialog that a response to our request makes: early for a provisional, confirmed for a 2xx.   (RFC 3261 §12.1.2)
    /// request  whose first contact is our own
    /// errors   malformed: no sip Contact, or one that is not sips in a secure dialog; too_large: over 32 Record-Routes
    static Result<Dialog> as_uac(const Request& request, const Response& response);
    /// The dialog that our answer to a request makes.   (RFC 3261 §12.1.1)
    /// over_tls  how the request came; with a sips Request-URI the dialog is secure
    /// errors    as above
    static Result<Dialog> as_uas(const Request& request, std::string local_tag, NameAddr contact, bool over_tls);

    /// A request inside the dialog, with the next CSeq. Not for ACK and CANCEL.   (RFC 3261 §12.2.1.1)
    Request request(std::string_view method);
    /// The ACK for a 2xx to our INVITE of that CSeq.   (RFC 3261 §13.2.2.4)
    Request ack(std::uint32_t invite_cseq) const;

    enum class Order { next, stale, invalid };
    /// Whether a request with that CSeq may come now, and remembers it when it may. stale: answered 500; invalid: 400.
    /// Not for ACK and CANCEL.   (RFC 3261 §12.2.2, §8.1.1.5)
    Order receive_cseq(std::uint32_t cseq);
    /// The peer's Contact in a target refresh. Not taken: none, one that is no sip URI, a sip one in a secure dialog.
    /// (RFC 3261 §12.2, RFC 5057 §5.4)
    bool refresh_target(const std::vector<NameAddr>& contacts);
    /// The first final response sets the route set anew: only 2xx do.   (RFC 3261 §13.2.2.4)
    bool confirm(const Response& response);

    friend bool operator==(const Dialog&, const Dialog&) = default;
};

/// Whether a failure of any request in a dialog says that the dialog itself is broken, with all its usages.   (RFC 5057 §5.1)
bool destroys_dialog(int status);

/// One dialog can have several usages (a call and the subscriptions of its transfers) and lives until the last one ends.
/// (RFC 5057)
using DialogRef = std::shared_ptr<Dialog>;

}  // namespace stox::sip
