// One engine under any sequence of inputs: requests, stanzas, answers, time, a stream that comes and goes, a store that is slow or
// full, options that change. Octets say what happens next. Whatever they say: each SIP request is answered exactly once, an author
// hears of each message one fate and again only where the stream was lost, everything that is kept has a bound, and when both sides
// and the store have had their time after Shutdown nothing waits.

#include "mapping/core/assert.h"
#include "mapping/sip/mandatory_header.h"
#include "mapping/xmpp/adhoc.h"
#include "mapping/xmpp/component_session.h"
#include "plugin/engine/engine.h"
#include "plugin/engine/inbox.h"
#include "plugin/engine/message_queue.h"
#include "tests/fuzz/octets.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace {

using namespace stox;
using namespace stox::engine;
using fuzz::Octets;
using std::chrono::milliseconds;

constexpr std::size_t kMaxSteps = 400;

constexpr std::array<std::string_view, 12> kMethods{"MESSAGE", "MESSAGE",   "MESSAGE",   "OPTIONS", "INVITE", "REGISTER", "ACK",
                                                    "DANCE",   "SUBSCRIBE", "SUBSCRIBE", "PUBLISH", "PUBLISH"};
constexpr std::array<std::string_view, 4> kDocuments{
    "", "<presence",
    "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='x'><tuple id='a'><status><basic>open</basic></status></tuple></presence>",
    "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='x'><tuple id='b'><status><basic>closed</basic></status></tuple></presence>"};
constexpr std::array<std::string_view, 7> kTypes{"text/plain",       "text/plain;charset=utf-8", "text/plain;charset=x", "image/png", "",
                                                 "message/cpim",     "message/imdn+xml"};
constexpr std::array<std::string_view, 6> kHeaders{"Subject", "Content-Language", "Require", "Privacy", "Max-Breadth", "Content-Encoding"};
constexpr std::array<int, 14> kStatuses{100, 180, 200, 202, 302, 401, 404, 413, 415, 420, 480, 486, 503, 603};
constexpr std::array<LocalFailure, 4> kFailures{LocalFailure::none, LocalFailure::timeout, LocalFailure::unsent, LocalFailure::transport};
constexpr std::array<std::string_view, 4> kNamespaces{"http://jabber.org/protocol/disco#info", "urn:xmpp:ping", "jabber:iq:version", "urn:x"};

config::NextHop hop(std::uint8_t host) {
    config::NextHop made;
    made.address = Address::v4({10, 0, 0, host});
    made.host = made.address->to_string();
    made.uri = "sip:" + made.host;
    return made;
}

config::DomainOptions options_of(unsigned choice) {
    config::DomainOptions options;
    options.domain = "capulet.test";
    options.xmpp_domains = {"montague.test"};
    config::Peer peer;
    peer.name = "phones";
    peer.source = {{Address::v4({10, 0, 0, 1}), 32}};
    peer.next_hops = {hop(1), hop(2)};
    peer.probe = (choice & 1) != 0;
    if (choice & 2) peer.kind = config::PeerKind::phone;
    if (choice & 4) {
        config::NextHop named;
        named.host = "verona.test";
        named.uri = "sip:verona.test";
        peer.next_hops.push_back(named);
    }
    if (choice & 8) peer.limits.transactions = 3;
    if (choice & 16) peer.limits.per_second = 5;
    if (choice & 32) options.scheme = config::AddressScheme::nested;
    if (choice & 64) options.user_rate = 4;
    if (choice & 128) options.allow_6xx = options.from_gr = true;
    options.peers = {peer};
    return options;
}

class Play {
public:
    Play(const std::uint8_t* data, std::size_t size)
        : in_(data, size), engine_(options_of(in_.next()), IdGenerator([this](std::span<std::uint8_t> wanted) { fill(wanted); })) {}

    void run() {
        feed(Restored{});
        for (std::size_t step = 0; step < kMaxSteps && !in_.empty(); ++step) {
            one_step();
            check_bounds();
        }
        leave();
    }

private:
    struct Sent {
        ClientTransaction transaction;
        bool probe;
    };

    void fill(std::span<std::uint8_t> wanted) {
        for (auto& octet : wanted) octet = static_cast<std::uint8_t>(random_ = random_ * 6364136223846793005u + 1442695040888963407u, random_ >> 56);
    }

    void one_step() {
        switch (in_.below(12)) {
            case 0:
                return request();
            case 1:
                return stanza();
            case 2:
                return response();
            case 3:
                return pong();
            case 4:
                return error_stanza();
            case 5:
                now_ += milliseconds(in_.next() * 40);
                return tick();
            case 6:
                return switch_stream();
            case 7:
                return feed(OptionsChanged{options_of(in_.next())});
            case 8:
                return locate();
            case 9:
                return commit(in_.below(8) != 0);
            case 10:
                return in_.flag() ? presence() : notify();
            default:
                return request();
        }
    }

    void switch_stream() {
        up_ = !up_;
        if (up_) return feed(StreamUp{});
        ++losses_;
        feed(StreamDown{});
    }

    /// The store answers the oldest one.
    void commit(bool success) {
        if (commits_.empty()) return;
        const auto oldest = commits_.front();
        commits_.erase(commits_.begin());
        feed(Committed{oldest, success ? Result<void>(ok()) : Result<void>(fail(Code::unavailable, "no room"))});
    }

    void feed(Input input) {
        for (auto& action : engine_.handle(std::move(input), now_)) std::visit([this](const auto& one) { perform(one); }, action);
    }

    void tick() {
        if (const auto due = engine_.next_timeout(); due && *due <= now_) feed(Tick{});
    }

    void perform(const SendStanza& action) {
        const auto octets = session_.encode(action.stanza);
        STOX_ASSERT(octets || octets.error().code == Code::too_large);
        const auto& to = std::visit([](const auto& one) -> const xmpp::Jid& { return one.to; }, action.stanza);
        const auto& from = std::visit([](const auto& one) -> const xmpp::Jid& { return one.from; }, action.stanza);
        STOX_ASSERT(from.domain == "capulet.test" && !to.domain.empty());
        if (const auto* iq = std::get_if<xmpp::Iq>(&action.stanza)) {
            if (iq->type == xmpp::IqType::get) pings_.push_back(iq->id);
            return;
        }
        const auto* message = std::get_if<xmpp::Message>(&action.stanza);
        if (!message) return;
        STOX_ASSERT(!message->id.empty() || message->type == xmpp::MessageType::error);
        if (message->type == xmpp::MessageType::error) {
            if (const auto given = given_.find(message->id); given != given_.end()) STOX_ASSERT(++given->second <= 1 + losses_);
        } else {
            STOX_ASSERT(to.domain == "montague.test");
            written_.push_back(*message);
        }
    }
    void perform(const RespondSip& action) {
        STOX_ASSERT(open_.erase(action.transaction) == 1);
        const auto& response = action.response;
        STOX_ASSERT(response.status >= 200 && response.status < 700);
        const auto header = sip::mandatory_header(response.status);
        STOX_ASSERT(header.empty() || response.header(header));
        if (const auto* tag = response.header("SIP-ETag")) etag_ = *tag;
    }
    void perform(const SendSip& action) {
        STOX_ASSERT(!action.request.call_id.empty() && !action.request.from.tag.empty());
        STOX_ASSERT(action.request.max_forwards <= 70);
        for (const auto& line : action.request.headers)
            for (const char c : line.value) STOX_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
        sent_.push_back({action.transaction, action.request.method == "OPTIONS"});
        if (action.request.method == "SUBSCRIBE" && action.request.to.tag.empty()) subscribes_.push_back(action.request);
    }
    void perform(const Commit& action) {
        STOX_ASSERT(action.changes.size() <= Commit::kMaxChanges);
        commits_.push_back(action.commit);
    }
    void perform(const HoldFlow& action) { STOX_ASSERT(held_.insert(action.flow).second); }
    void perform(const ReleaseFlow& action) { STOX_ASSERT(held_.erase(action.flow) == 1); }
    void perform(const Locate& action) { locations_.push_back(action.location); }
    void perform(const Refused&) {}
    void perform(const Authorize& action) { asks_.push_back(action.id); }
    void perform(const Administer& action) { orders_.push_back(action.id); }
    void perform(const Log& action) {
        for (const char c : action.text) STOX_ASSERT(static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F);
    }

    void request() {
        sip::Request request;
        request.method = in_.of(kMethods);
        request.uri = uri("romeo", "montague.test");
        request.from = {in_.flag() ? in_.text() : std::string(), uri("juliet", "capulet.test"), in_.flag() ? "t" : "", {}};
        request.to = {{}, request.uri, in_.below(8) == 0 ? "x" : "", {}};
        request.call_id = in_.flag() ? "call" + std::to_string(in_.below(4)) : "call" + std::to_string(last_);
        request.cseq = 1;
        request.max_forwards = in_.below(4) == 0 ? in_.below(3) : 70;
        request.content_type = in_.of(kTypes);
        request.body = in_.text();
        for (unsigned left = in_.below(3); left > 0; --left) request.headers.push_back({std::string(in_.of(kHeaders)), in_.text()});
        if (request.method == "SUBSCRIBE") {
            request.contacts = {{{}, uri("juliet", "10.0.0.1"), {}}};
            request.headers.push_back({"Event", "presence"});
            request.headers.push_back({"Expires", std::to_string(in_.below(3) * 600)});
        }
        if (request.method == "PUBLISH") {
            request.uri = request.to.uri = request.from.uri;
            request.content_type = "application/pidf+xml";
            request.body = in_.of(kDocuments);
            request.headers.push_back({"Event", "presence"});
            request.headers.push_back({"Expires", std::to_string(in_.below(3) * 600)});
            if (in_.flag()) request.headers.push_back({"SIP-If-Match", etag_});
        }
        if (in_.below(8) == 0) request.uri.user = sip::percent_encode_user(in_.text());
        if (in_.below(8) == 0) request.from.uri.user = sip::percent_encode_user(in_.text());
        const ServerTransaction transaction{++last_};
        if (request.method != "ACK") open_.insert(transaction);
        const auto source = Address::v4({10, 0, 0, static_cast<std::uint8_t>(in_.below(8) == 0 ? 9 : 1)});
        SipRequestIn in{transaction, std::move(request), {source, 5060}, in_.flag() ? Transport::udp : Transport::tcp};
        if (in.transport == Transport::tcp) in.flow = Flow{1 + last_ % 3};
        feed(std::move(in));
    }

    static sip::Uri uri(std::string user, std::string host) {
        sip::Uri made;
        made.user = std::move(user);
        made.host = std::move(host);
        return made;
    }

    void stanza() {
        if (in_.below(4) == 0) return iq();
        xmpp::Message message;
        message.from = {"romeo", in_.below(8) == 0 ? "elsewhere.test" : "montague.test", in_.flag() ? "garden" : ""};
        message.to = {in_.flag() ? "juliet" : in_.flag() ? "nurse\\40verona.test" : "", "capulet.test", {}};
        message.id = "m" + std::to_string(++last_);
        message.type = in_.below(6) == 0 ? xmpp::MessageType::groupchat : xmpp::MessageType::chat;
        message.lang = in_.text();
        if (in_.below(6) != 0) message.bodies = {{in_.text() + "x", in_.text()}};
        if (in_.flag()) message.subjects = {{in_.text(), {}}};
        if (in_.flag()) message.thread = written_.empty() || in_.flag() ? in_.text() : written_.back().thread.value_or("");
        if (in_.below(6) == 0) message.payload.emplace_back("eu.siacs.conversations.axolotl", "encrypted");
        given_[message.id] = 0;
        feed(StanzaIn{std::move(message)});
    }

    void presence() {
        xmpp::Presence presence;
        presence.from = {"romeo", "montague.test", in_.flag() ? "garden" : ""};
        presence.to = {in_.flag() ? "juliet" : in_.flag() ? "nurse\\40verona.test" : "", "capulet.test", {}};
        presence.type = static_cast<xmpp::PresenceType>(in_.below(7));
        feed(StanzaIn{std::move(presence)});
    }

    /// What a contact's notifier says, mostly in the newest dialog.
    void notify() {
        const auto* subscribe = in_.of(subscribes_);
        if (!subscribe) return;
        sip::Request request;
        request.method = "NOTIFY";
        request.uri = uri("x", "capulet.test");
        request.from = {{}, subscribe->to.uri, in_.below(8) == 0 ? "y" : "them", {}};
        request.to = {{}, subscribe->from.uri, subscribe->from.tag, {}};
        request.call_id = subscribe->call_id;
        request.cseq = cseq_ += in_.below(3);
        request.contacts = {{{}, uri("juliet", "10.0.0.1"), {}, {}}};
        request.headers = {{"Event", "presence"}, {"Subscription-State", in_.of(kStates)}};
        if (in_.flag()) {
            request.content_type = "application/pidf+xml";
            request.body = in_.below(4) == 0 ? in_.text() : std::string(in_.of(kDocuments));
        }
        const ServerTransaction transaction{++last_};
        open_.insert(transaction);
        feed(SipRequestIn{transaction, std::move(request), {Address::v4({10, 0, 0, 1}), 5060}, Transport::udp});
    }

    void iq() {
        xmpp::Iq iq;
        iq.from = {"romeo", "montague.test", {}};
        iq.to = {in_.flag() ? "juliet" : "", "capulet.test", {}};
        iq.id = in_.text();
        iq.type = in_.flag() ? xmpp::IqType::get : xmpp::IqType::set;
        iq.payload = xml::Element(std::string(in_.of(kNamespaces)), "query");
        if (iq.payload->ns == "urn:x") iq.payload = command();
        feed(StanzaIn{std::move(iq)});
        // Some questions are left to time.
        if (!asks_.empty() && in_.below(4) != 0) feed(Authorized{std::exchange(asks_, {}).back(), in_.flag()});
        if (!orders_.empty() && in_.below(4) != 0)
            feed(Administered{std::exchange(orders_, {}).back(), {in_.flag(), in_.text(), {}}});
    }

    xml::Element command() {
        const auto commands = admin_commands();
        xmpp::AdhocCommand command;
        command.node = commands[in_.below(commands.size())].node();
        if (in_.flag()) {
            command.form = xmpp::DataForm{};
            command.form->type = xmpp::FormType::submit;
            for (const char* name : {"source", "user", "match", "minutes", "per_second", "state", "level"})
                if (in_.flag()) command.form->fields.push_back({name, {}, {}, false, {in_.text()}, {}});
        }
        return xmpp::encode(command);
    }

    /// The server answers the newest ping, or one that nobody asked.
    /// The server as it should be: it answers the newest ping.
    void answer_ping() {
        if (pings_.empty()) return;
        xmpp::Iq result;
        result.from = {{}, "montague.test", {}};
        result.to = {{}, "capulet.test", {}};
        result.type = xmpp::IqType::result;
        result.id = pings_.back();
        feed(StanzaIn{std::move(result)});
    }

    void pong() {
        xmpp::Iq result;
        result.from = {{}, "montague.test", {}};
        result.to = {{}, "capulet.test", {}};
        result.type = in_.below(8) == 0 ? xmpp::IqType::error : xmpp::IqType::result;
        if (result.type == xmpp::IqType::error) result.error = xmpp::StanzaError{};
        result.id = pings_.empty() || in_.below(8) == 0 ? in_.text() : pings_.back();
        feed(StanzaIn{std::move(result)});
    }

    void error_stanza() {
        if (written_.empty()) return;
        const auto& message = written_[in_.below(std::min<std::size_t>(written_.size(), 200))];
        xmpp::StanzaError error;
        error.condition = static_cast<xmpp::Condition>(in_.below(22));
        error.text = in_.text();
        if (in_.flag()) error.address = "xmpp:a@b.test";
        if (in_.flag()) error.sip_status = 100 + static_cast<int>(in_.next()) * 2;
        if (auto reply = xmpp::make_error(message, std::move(error))) feed(StanzaIn{std::move(*reply)});
    }

    void response() {
        if (sent_.empty()) return;
        const auto index = in_.below(std::min<std::size_t>(sent_.size(), 200));
        const auto transaction = sent_[index].transaction;
        sip::Response response;
        const auto local = in_.below(4) == 0 ? in_.of(kFailures) : LocalFailure::none;
        response.status = local == LocalFailure::none ? in_.of(kStatuses) : local == LocalFailure::timeout ? 408 : 503;
        response.reason = in_.text();
        if (in_.below(4) == 0) response.headers.push_back({"Retry-After", in_.text()});
        if (response.status == 401) response.headers.push_back({"WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\""});
        if (response.status == 302) response.contacts = {{{}, uri("tybalt", "capulet.test"), {}, {}}};
        if (response.status >= 200) sent_.erase(sent_.begin() + static_cast<std::ptrdiff_t>(index));
        feed(SipResponseIn{transaction, std::move(response), local});
    }

    void locate() {
        if (locations_.empty()) return;
        Located located{locations_.back(), {}};
        locations_.pop_back();
        if (in_.flag()) located.targets = {Target{Transport::udp, {Address::v4({10, 0, 0, 7}), 5060}}};
        if (located.targets.empty()) located.error = "nowhere";
        feed(std::move(located));
    }

    void check_bounds() const {
        const auto pending = engine_.pending();
        STOX_ASSERT(pending.held_messages <= pending.to_xmpp && pending.to_xmpp <= Inbox::kEntries);
        STOX_ASSERT(pending.queued_messages + pending.transactions + pending.errors <= MessageQueue::kInAll);
        STOX_ASSERT(pending.held_messages <= open_.size());
        if (const auto due = engine_.next_timeout()) STOX_ASSERT(*due >= now_ - std::chrono::hours(1));
    }

    /// Everybody goes: what was asked is answered, what was given has its fate.
    void leave() {
        feed(Shutdown{Shutdown::Why::removed});
        for (int round = 0; round < 2'000 && !engine_.drained(); ++round) {
            if (!up_) switch_stream();
            commit(true);
            pong();
            answer_ping();
            if (!sent_.empty()) answer(0, 200);
            now_ += milliseconds(100);
            tick();
        }
        STOX_ASSERT(engine_.drained() && open_.empty());
        const auto pending = engine_.pending();
        STOX_ASSERT(pending.held_messages == 0 && pending.queued_messages == 0 && pending.transactions == 0);
        while (!sent_.empty()) answer(0, 200);
        now_ += std::chrono::minutes(10);
        tick();
        STOX_ASSERT(open_.empty());
    }

    void answer(std::size_t index, int status) {
        sip::Response response;
        response.status = status;
        const auto transaction = sent_[index].transaction;
        sent_.erase(sent_.begin() + static_cast<std::ptrdiff_t>(index));
        feed(SipResponseIn{transaction, std::move(response)});
    }

    static constexpr std::array kStates{"active;expires=600", "active", "pending", "waiting", "terminated;reason=rejected",
                                        "terminated;reason=timeout", "terminated;reason=probation;retry-after=3", "terminated"};
    static constexpr std::array kDocuments{
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:a@b'/>",
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:a@b'><tuple id='a'><status><basic>open</basic></status></tuple></presence>",
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:a@b'><tuple id='a'><status><basic>closed</basic></status></tuple>"
        "<tuple id='b'><status><basic>open</basic></status><note>hi</note></tuple></presence>"};

    Octets in_;
    std::uint64_t random_ = 1;
    Engine engine_;
    xmpp::ComponentSession session_{"capulet.test", "secret"};
    TimePoint now_{};
    bool up_ = false;
    std::uint64_t last_ = 0;
    std::string etag_;
    std::set<ServerTransaction> open_;
    std::map<std::string, unsigned> given_;  ///< how often its author heard that it failed
    unsigned losses_ = 0;                    ///< of the stream
    std::vector<CommitId> commits_;
    std::vector<Sent> sent_;
    std::vector<Location> locations_;
    std::set<Flow> held_;
    std::vector<AdminId> asks_, orders_;  ///< questions to the host
    std::vector<std::string> pings_;
    std::vector<xmpp::Message> written_;
    std::vector<sip::Request> subscribes_;
    std::uint32_t cseq_ = 1;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Play(data, size).run();
    return 0;
}
