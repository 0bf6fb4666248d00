#pragma once
// Sofia's transports with our edge in the place of its sockets: it parses and keeps transactions, and never touches the network.
//
// A primary transport stands for a listener, a secondary one for a connection. Whole messages wait in a queue of ours until they
// are delivered, when nothing of the library is on the stack; what it sends goes straight to the edge. The only descriptors it
// sees are eventfds, because it wants one for each transport; nothing is ever read from them.

#include "mapping/core/result.h"
#include "sip/endpoint.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct nta_agent_s;
struct tport_s;
struct iovec;

namespace stox::sip {

/// Whether the library we run with is the one that this was written for: sizes, then a call to itself over both kinds of
/// transport. Once per process; later calls repeat the answer, unless `layout` gives other sizes to be judged.
/// errors  unavailable: another library
Result<void> check_library(const std::optional<LibraryLayout>& layout);

class TportBridge {
public:
    /// The way out. Results are errno, 0 for none.
    struct Network {
        std::function<int(std::size_t listener, const stox::Endpoint& to, const iovec* parts, std::size_t count)> send;
        std::function<int(Flow flow, const iovec* parts, std::size_t count)> write;
        std::function<void(Flow flow)> finish;
        /// The first thing waits for deliver(). May be called from inside the library.
        std::function<void()> waiting;
    };

    /// The agent outlives this; check_library() was fine.
    TportBridge(nta_agent_s* agent, Network network);
    ~TportBridge();
    TportBridge(const TportBridge&) = delete;
    TportBridge& operator=(const TportBridge&) = delete;

    /// All primaries are added before `seal`, and flows are opened after it: adding one moves what flows point to.
    /// name      in Via: address and port
    /// listener  for Network::send
    /// returns   its number: 0, 1, 2 ...
    /// errors    unavailable: out of descriptors or memory
    Result<std::size_t> add_primary(Transport transport, const stox::Endpoint& name, std::size_t listener);
    void seal();

    /// False: too many wait already.
    bool datagram(std::size_t primary, const stox::Endpoint& from, std::string_view octets);
    void unreachable(std::size_t primary, const stox::Endpoint& to, int error);

    /// A connection that Sofia shall know.
    /// errors  unavailable: out of descriptors or memory
    Result<tport_s*> open(Flow flow, std::size_t primary, const stox::Endpoint& peer);
    void message(Flow flow, std::string text);
    /// After what waits was taken, transactions that wait for something on it hear that it failed.
    void closed(Flow flow);
    /// Hands all that waits to the library, whose callbacks run.
    void deliver();

    tport_s* primary(std::size_t number) const;
    tport_s* port(Flow flow) const;         ///< null: not open
    static Flow flow(const tport_s* port);  ///< none: a primary
    bool in_use(Flow flow) const;           ///< a transaction holds it
    /// How many messages the network took so far.
    std::uint64_t sent() const { return sent_; }

    struct Primary;
    struct Line;

private:
    friend struct BridgeHooks;

    void has_work();
    void has_work(Line& line);

    nta_agent_s* agent_;
    Network network_;
    std::uint64_t sent_ = 0;
    std::vector<std::unique_ptr<Primary>> primaries_;
    std::unordered_map<Flow, std::unique_ptr<Line>> lines_;
    bool waiting_ = false;    ///< deliver() was asked for
    std::vector<Flow> busy_;  ///< lines with something that waits, in the order in which it came
};

}  // namespace stox::sip
