#include "tests/hostile/softphone.h"

#include "mapping/sip/header_values.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#if defined(__SANITIZE_ADDRESS__)
// Of AddressSanitizer's allocator interface, whose header GCC does not have.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#else
#include <malloc.h>
#endif

namespace stox::test {

using namespace sip;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

constexpr seconds kWayUnused{10};

UserAgent::Settings dialog_settings() {
    UserAgent::Settings settings;
    // Short, so that an attack sees their ends as well.
    settings.calls.ring = settings.calls.modify = seconds(12);
    settings.calls.answer = seconds(10);
    settings.calls.description = seconds(4);
    settings.calls.progress_every = seconds(3);
    settings.limits = {10'000, 10'000};
    return settings;
}

bool is_loopback(const Address& address) {
    static const auto loopback = Prefix::parse("127.0.0.0/8").value();
    return loopback.contains(address);
}

/// Where a URI leads, as far as it says so in numbers; port 0: it does not.
NextHop numeric_hop(const Uri& uri) {
    NextHop hop;
    const auto address = Address::parse(uri.host);
    if (!address || uri.scheme == Scheme::tel) return hop;
    if (const auto* parameter = uri.parameter("transport"); parameter && parameter->value)
        if (const auto transport = parse_transport(*parameter->value)) hop.transport = transport.value();
    if (uri.scheme == Scheme::sips) hop.transport = Transport::tls;
    hop.endpoint = {address.value(), uri.port.value_or(hop.transport == Transport::tls ? 5061 : 5060)};
    hop.configured = is_loopback(hop.endpoint.address);  // all peers are there; elsewhere the dial policy has to hold
    return hop;
}

std::uint64_t heap_octets() {
#if defined(__SANITIZE_ADDRESS__)
    return __sanitizer_get_current_allocated_bytes();
#else
    return ::mallinfo2().uordblks;
#endif
}

std::uint64_t resident_octets() {
    std::uint64_t size = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t peak_octets() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

std::uint64_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::uint64_t>(std::distance(begin(all), end(all))) - 1;  // without the one that reads the folder
}

bool makes_dialog(const std::string& method) { return method == "INVITE" || method == "SUBSCRIBE" || method == "REFER"; }

}  // namespace

// ---- Start ----

Result<std::unique_ptr<Softphone>> Softphone::start(boost::asio::io_context& loop, Settings settings) {
    std::unique_ptr<Softphone> phone(new Softphone(loop, settings.seed));
    auto* self = phone.get();
    sip::Endpoint::Events events;
    events.request = [self](IncomingRequest&& in) { self->receive(std::move(in)); };
    events.cancelled = [self](TransactionId transaction) {
        self->run([&](auto& out) { self->agent_.cancelled(transaction, steady_clock::now(), out); });
    };
    events.acknowledged = [self](TransactionId transaction, Request&& ack) { self->acknowledged(transaction, std::move(ack)); };
    events.unacknowledged = [self](TransactionId transaction) { self->acceptable_.erase(transaction); };
    auto started = sip::Endpoint::start(loop, std::move(settings.endpoint), std::move(events));
    if (!started) return started.error();
    phone->endpoint_ = std::move(started).value();
    for (const auto& [transport, endpoint] : phone->endpoint_->listening()) {
        const auto text = "sip:ua@" + endpoint.to_string() + ";transport=" + std::string(to_string(transport));
        phone->contacts_.try_emplace(transport, NameAddr{"", Uri::parse(text).value(), ""});
    }
    phone->endpoint_->trust(std::move(settings.trusted));
    phone->is_told_nothing_ = settings.is_told_nothing;
    return phone;
}

Softphone::Softphone(boost::asio::io_context& loop, std::uint64_t seed)
    : timer_(loop),
      dice_(seed),
      agent_(
          dialog_settings(), [this](std::uint32_t bound) { return below(bound); }, [this] { return token("tag"); }) {}

std::string Softphone::token(const char* prefix) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string text(prefix);
    for (int word = 0; word < 2; ++word) {
        auto bits = dice_();
        for (int digit = 0; digit < 16; ++digit, bits >>= 4) text += kHex[bits % 16];
    }
    return text;
}

NameAddr Softphone::contact(Transport transport) const {
    if (const auto own = contacts_.find(transport); own != contacts_.end()) return own->second;
    return {"", Uri::parse("sip:ua@127.0.0.1").value(), ""};
}

// ---- What comes ----

void Softphone::receive(IncomingRequest&& in) {
    ++tally_.requests_in;
    unanswered_.insert(in.transaction);
    if (auto refused = refusal(in.request)) return on(Respond{in.transaction, std::move(*refused)});
    if (makes_dialog(in.request.method)) {
        auto& way = ways_[in.request.call_id];
        way.hop = {in.transport, in.source, {}, {}, in.flow, true};
        way.used = steady_clock::now();
    }
    InDialogLayer layer{in.transaction, std::move(in.request), in.source.address.to_string(), contact(in.transport),
                        in.transport == Transport::tls};
    run([&](auto& out) { agent_.receive(layer, steady_clock::now(), out); });
}

/// What stands in the way of a request wherever it belongs.   (RFC 3261 §8.2.1, §8.2.2.3)
std::optional<Response> Softphone::refusal(const Request& request) const {
    constexpr std::array served{"INVITE", "BYE", "PRACK", "UPDATE", "INFO", "OPTIONS", "MESSAGE", "SUBSCRIBE", "NOTIFY", "REFER"};
    Response response;
    if (std::ranges::find(served, request.method) == served.end()) {
        response.status = 405;
        response.headers = {{"Allow", CallSettings{}.allow}};
        return response;
    }
    for (const auto& header : request.headers) {
        if (!same_token(header.name, "Require")) continue;
        for (std::istringstream tags(header.value); !tags.eof();) {
            std::string tag;
            std::getline(tags >> std::ws, tag, ',');
            tag.erase(tag.find_last_not_of(" \t") + 1);
            if (tag.empty() || tag == "100rel" || tag == "timer" || tag == "replaces") continue;
            response.status = 420;
            response.headers = {{"Unsupported", tag}};
            return response;
        }
    }
    return std::nullopt;
}

/// The transaction says which call an ACK is for, whatever the ACK itself says.
void Softphone::acknowledged(TransactionId transaction, Request&& ack) {
    const auto found = acceptable_.find(transaction);
    if (found == acceptable_.end()) return;
    ack.call_id = found->second.call_id;
    ack.from = found->second.from;
    ack.to = found->second.to;
    acceptable_.erase(found);
    run([&](auto& out) { agent_.receive({0, std::move(ack), {}, {}, false}, steady_clock::now(), out); });
}

void Softphone::receive(RequestKey key, Response response) {
    ++tally_.responses_in;
    const auto client = clients_.find(key);
    std::vector<Header> answers;
    if (client != clients_.end() && (response.status == 401 || response.status == 407))
        answers = credentials(client->second, response);
    run([&](auto& out) { agent_.receive({key, std::move(response), std::move(answers)}, steady_clock::now(), out); });
}

std::vector<Header> Softphone::credentials(const Client& client, const Response& response) {
    static const digest::Login login{"ua", digest::Password{"secret"}, {}};
    const auto way = ways_.find(client.request.call_id);
    if (way == ways_.end()) return {};
    const auto uri = client.request.uri.to_string();
    auto made = digest::answer(login, digest::Counterpart::peer_of_login, response.headers, way->second.challenges,
                               way->second.attempt, {client.request.method, uri, client.request.body}, token("c"));
    return made ? std::move(made).value() : std::vector<Header>{};
}

// ---- What is to be done ----

void Softphone::run(const std::function<void(Actions&)>& input) {
    Actions actions;
    actions.reserve(4);
    input(actions);
    if (running_) {
        for (auto& action : actions) queue_.push_back(std::move(action));
        return;
    }
    running_ = true;
    for (const auto& action : actions) perform(action);
    for (std::size_t i = 0; i < queue_.size(); ++i) perform(queue_[i]);  // which may add to it
    queue_.clear();
    running_ = false;
    wake();
}

void Softphone::perform(const Action& action) {
    std::visit([this](const auto& one) { on(one); }, action);
}

NextHop Softphone::next_hop(const Request& request) {
    auto hop = numeric_hop(request.routes.empty() ? request.uri : request.routes.front().uri);
    hop.configured = hop.configured && !is_told_nothing_;
    const auto known = ways_.find(request.call_id);
    if (known == ways_.end()) return hop;
    known->second.used = steady_clock::now();
    // Back over the connection that the dialog came by, unless another place is named.   (RFC 5626, RFC 5923)
    const auto& back = known->second.hop;
    const bool elsewhere = hop.endpoint.port != 0 && hop.endpoint.address != back.endpoint.address;
    if (hop.transport == back.transport && hop.endpoint == back.endpoint) {  // a message has told us, and nobody else
        hop.configured = false;
        hop.heard = {back.transport, back.endpoint};
    }
    return back.flow != Flow::none && !elsewhere ? back : hop;
}

void Softphone::on(const SendRequest& action) {
    ++tally_.requests_out;
    const auto key = action.key;
    const auto hop = next_hop(action.request);
    auto& way = ways_[action.request.call_id];
    way.used = steady_clock::now();
    if (!action.request.header("Authorization") && !action.request.header("Proxy-Authorization")) way.attempt = {};
    ClientHandlers handlers;
    handlers.on_provisional = [this, key](Response response) { receive(key, std::move(response)); };
    handlers.on_final = [this, key](Outcome outcome) { receive(key, std::move(outcome.response)); };
    handlers.on_end = [this, key] { clients_.erase(key); };
    auto& client = clients_[key];
    client.request = action.request;
    client.transaction = endpoint_->start(action.request, hop, std::move(handlers));
}

void Softphone::on(const SendAck& action) { endpoint_->acknowledge(action.request, next_hop(action.request)); }

void Softphone::on(const SendCancel& action) {
    const auto client = clients_.find(action.invite);
    if (client != clients_.end()) endpoint_->cancel(client->second.transaction);
}

void Softphone::on(const Respond& action) {
    const auto& response = action.response;
    if (response.status >= 200) unanswered_.erase(action.transaction);
    const auto acceptable = acceptable_.find(action.transaction);
    if (acceptable != acceptable_.end() && response.status >= 300)
        acceptable_.erase(acceptable);
    else if (acceptable != acceptable_.end() && !response.to_tag.empty())
        acceptable->second.to.tag = response.to_tag;
    endpoint_->respond(action.transaction, response);
}

void Softphone::respond(TransactionId transaction, int status) {
    Response response;
    response.status = status;
    on(Respond{transaction, std::move(response)});
}

// ---- Time ----

void Softphone::later(unsigned most_ms, std::function<void(Actions&)> input) {
    plans_.emplace(steady_clock::now() + milliseconds(below(most_ms + 1)), std::move(input));
}

void Softphone::wake() {
    auto next = agent_.next_timeout();
    if (!plans_.empty()) next = std::min(next.value_or(plans_.begin()->first), plans_.begin()->first);
    if (!ways_.empty()) next = std::min(next.value_or(TimePoint::max()), steady_clock::now() + seconds(1));
    if (!next || *next >= wakes_at_) return;  // one that goes off too early just looks again
    wakes_at_ = *next;
    timer_.expires_at(*next);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        wakes_at_ = TimePoint::max();
        const auto now = steady_clock::now();
        run([&](auto& out) { agent_.tick(now, out); });
        while (!plans_.empty() && plans_.begin()->first <= now) {
            const auto plan = plans_.extract(plans_.begin());
            run(plan.mapped());
        }
        forget_ways(now);
        wake();
    });
}

void Softphone::forget_ways(TimePoint now) {
    if (now < forget_at_) return;
    forget_at_ = now + seconds(1);
    std::erase_if(ways_, [&](const auto& entry) { return now - entry.second.used > kWayUnused; });
}

// ---- What it holds ----

std::string Softphone::counters() const {
    const auto edge = endpoint_->counters();
    const std::pair<const char*, std::uint64_t> all[] = {
        // Until all is over these are 0.
        {"dialogs", agent_.dialogs()},
        {"usages", agent_.usages()},
        {"requests", agent_.requests()},
        {"clients", clients_.size()},
        {"unanswered", unanswered_.size()},
        {"acceptable", acceptable_.size()},
        {"calls_held", calls_.size()},
        {"plans", plans_.size()},
        {"ways", ways_.size()},
        // The process.
        {"heap", heap_octets()},
        {"resident", resident_octets()},
        {"peak", peak_octets()},
        {"descriptors", open_descriptors()},
        // Since the start.
        {"requests_in", tally_.requests_in},
        {"requests_out", tally_.requests_out},
        {"responses_in", tally_.responses_in},
        {"calls", tally_.calls},
        {"answered", tally_.answered},
        {"established", tally_.established},
        {"failed", tally_.failed},
        {"ended", tally_.ended},
        {"notified", tally_.notified},
        {"datagrams", edge.datagrams},
        {"messages", edge.messages},
        {"connections", edge.connections},
        {"dialled", edge.dialled},
        {"dials_refused", edge.dials_refused},
        {"sends_refused", edge.sends_refused},
        {"dropped_source_rate", edge.dropped_source_rate},
        {"dropped_total_rate", edge.dropped_total_rate},
        {"dropped_banned", edge.dropped_banned},
        {"dropped_noise", edge.dropped_noise},
        {"dropped_malformed", edge.dropped_malformed},
        {"dropped_queue", edge.dropped_queue},
        {"dropped_by_kernel", edge.dropped_by_kernel},
        {"refused_source_connections", edge.refused_source_connections},
        {"refused_total_connections", edge.refused_total_connections},
        {"refused_handshakes", edge.refused_handshakes},
        {"refused_descriptors", edge.refused_descriptors},
        {"closed_violation", edge.closed_violation},
        {"closed_deadline", edge.closed_deadline},
    };
    std::ostringstream line;
    for (const auto& [name, value] : all) line << (line.tellp() == 0 ? "{\"" : ", \"") << name << "\": " << value;
    line << '}';
    return line.str();
}

}  // namespace stox::test
