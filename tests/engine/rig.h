#pragma once
// One engine of capulet.test with a peer at 10.0.0.1, driven by hand.

#include "plugin/engine/engine.h"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace stox::engine::test {

class Rig {
public:
    explicit Rig(config::DomainOptions options = default_options(), bool up = true);

    static config::DomainOptions default_options();

    /// Feeds and keeps what came of it: `stanzas`, `answers`, `sent` ... `logs` hold the actions of this input alone.
    Rig& feed(Input input);
    Rig& request(sip::Request request, Address source = Address::v4({10, 0, 0, 1}), std::vector<std::string> certified = {});
    Rig& stanza(xmpp::Stanza stanza) { return feed(StanzaIn{std::move(stanza)}); }
    Rig& pass(std::chrono::milliseconds time);
    /// The server's answer to the last ping that the engine sent.
    Rig& answer_ping() { return stanza(ping_result()); }
    xmpp::Iq ping_result();
    bool ping_is_out() const { return !ping_.empty(); }
    /// The answer to a commit of an input before.
    Rig& committed(const Commit& commit, Result<void> result = ok());
    /// A new engine with what is on the disk, at the same time; without stream.
    /// read  what the clock says then
    Rig& restart(config::DomainOptions options = default_options(), UtcTime read = {});
    Rig& sip_response(ClientTransaction transaction, int status, LocalFailure local = LocalFailure::none,
                      std::string reason = {});

    /// The only response of the last input; status 0 when there was none.
    sip::Response answer() const;
    /// The stanza error of the last input's only message or IQ.
    xmpp::StanzaError error() const;
    /// The messages of type other than error among the last stanzas.
    std::vector<xmpp::Message> messages() const;
    bool logged(std::string_view part) const;

    Engine engine;
    TimePoint now{};
    std::vector<xmpp::Stanza> stanzas;
    std::vector<RespondSip> answers;
    std::vector<SendSip> sent;
    std::vector<Locate> located;   ///< what is to be located
    std::vector<Address> refused;  ///< what counts towards a ban
    std::vector<Log> logs;
    std::vector<Commit> commits;
    bool stores = true;        ///< each commit is answered at once; else it is the test's to answer
    bool broken_disk = false;  ///< with failure, if something new is in it
    std::function<bool(const RecordChange&)> unwritable;  ///< a commit with one of these fails for good
    /// What a restart would find, in order.
    std::vector<Record> disk;
    /// Without the rows that are there for copies of requests only.
    std::vector<Record> undelivered() const;

private:
    void keep(std::vector<Action> actions);
    Committed store(const Commit& commit);

    /// What we say ourselves says in which language.   (CORE-61)
    void expect_language(const xmpp::Stanza& stanza) const;

    bool others_spoke_ = false;  ///< a peer gave a reason, which is in any language
    std::uint64_t last_transaction_ = 0;
    std::string ping_;
    unsigned starts_ = 1;
};

/// A MESSAGE from juliet to romeo; each with a Call-ID of its own.
sip::Request message_request(const std::string& body = "hello");
/// A chat message from romeo to juliet.
xmpp::Message message_stanza(const std::string& id = "m1", const std::string& body = "hello");
sip::Uri uri(const std::string& text);
/// A numeric next hop 10.0.0.`host`:`port`.
config::NextHop hop(std::uint8_t host, std::uint16_t port = 5060, Transport transport = Transport::udp);
/// One that must be located: sip:`name`.
config::NextHop named_hop(const std::string& name);

}  // namespace stox::engine::test
