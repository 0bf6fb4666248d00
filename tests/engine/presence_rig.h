#pragma once
// A user and a contact who see each other: romeo@montague.test, whose server is the stream, and juliet@capulet.test, whose phone
// at 10.0.0.1 watches, is watched and publishes.

#include "tests/engine/rig.h"

#include <optional>
#include <string>
#include <vector>

namespace stox::engine::test {

class PresenceRig : public Rig {
public:
    explicit PresenceRig(config::DomainOptions options = default_options()) : Rig(std::move(options)) {}
    static config::DomainOptions pretending();

    static const xmpp::Jid kRomeo, kJuliet;

    // What came of it since the last question, in order: "subscribed juliet@capulet.test, available juliet@capulet.test/desk
    // dnd".
    std::string told();
    /// Of all that was sent: "SUBSCRIBE 3600", "NOTIFY active;expires=600".
    std::vector<std::string> said;

    // ---- The user ----

    PresenceRig& user(xmpp::PresenceType type, const std::string& resource = "garden", const xmpp::Jid& to = kJuliet);
    /// Answers what is sent, and lets due what is due, for so long.
    PresenceRig& pass(std::chrono::milliseconds time);

    // ---- The contact, watched ----

    /// What SUBSCRIBEs to it get. Those in a dialog are notified at once as well, without a body.
    int subscribe_status = 200;
    std::vector<sip::Header> subscribe_headers{{"Expires", "3600"}};
    std::string first_state;  ///< of the others, too; empty: that is up to the test
    /// In the dialog of the latest SUBSCRIBE; the status it gets.
    int notify(const std::string& state, const std::string& body = {});
    /// One that may be seen.
    PresenceRig& granted(const std::string& body);
    /// SUBSCRIBEs outside any dialog.
    std::size_t begun = 0;

    // ---- The contact, watching ----

    sip::Request watch_request(const std::string& expires = "600") const;
    /// Begins a subscription; its status.
    int watch(const std::string& expires = "600");
    /// In its dialog.
    int watch_again(const std::string& expires);
    const std::string& last_notify_body() const { return notify_body_; }

    // ---- The contact, publishing ----

    sip::Request publish_request(const std::string& body, std::vector<sip::Header> headers = {}) const;
    /// Under the tag of what was published before, if there is one.
    sip::Response publish(const std::string& body, const std::string& expires = "600");
    std::string etag;

    /// The only response to it.
    sip::Response ask(const sip::Request& request);
    /// One tuple for each: "desk", "desk/dnd", "-desk" is closed.
    static std::string pidf(const std::vector<std::string>& tuples);

private:
    /// Everything that the last input brought, and what comes of answering it.
    void see();
    int notify_now(const std::string& state, const std::string& body);

    std::string told_;
    std::optional<sip::Request> subscribed_{}, watched_{};
    std::string watched_tag_, watched_contact_, notify_body_;
    std::uint32_t cseq_ = 0;
    mutable unsigned number_ = 0;
};

}  // namespace stox::engine::test
