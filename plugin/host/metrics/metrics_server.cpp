#include "plugin/host/metrics/metrics_server.h"

#include <utility>

namespace stox::host {

using engine::Level;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds kTick{1}, kFresh{1};
constexpr std::string_view kPlain = "text/plain; charset=utf-8";

}  // namespace

void LoopDelay::ran(TimePoint due, TimePoint now) {
    const auto late = now - due;
    if (late < worst(now)) return;
    worst_ = late;
    seen_ = now;
}

steady_clock::duration LoopDelay::worst(TimePoint now) const {
    return now - seen_ < kRemembered ? worst_ : steady_clock::duration::zero();
}

MetricsServer::MetricsServer(boost::asio::io_context& loop, Events events)
    : loop_(loop), events_(std::move(events)), retry_(loop), ticks_(loop) {}

void MetricsServer::use(const config::MetricsOptions& options) {
    const bool same = options.endpoint == options_.endpoint && options.unix_path == options_.unix_path;
    options_ = options;
    if (same && server_) return;
    close();
    if (!options_.is_on()) return;
    told_ = false;
    patience_.begin(steady_clock::now());
    open();
    ticks_.expires_after(kTick);
    tick();
}

void MetricsServer::close() {
    server_.reset();
    retry_.cancel();
    ticks_.cancel();
    made_ = {};
}

void MetricsServer::open() {
    auto page = [this](std::string_view target, std::string_view accept) { return this->page(target, accept); };
    auto opened = options_.endpoint ? HttpServer::open(loop_, *options_.endpoint, std::move(page), {})
                                    : HttpServer::open(loop_, options_.unix_path, std::move(page), {});
    if (opened) {
        server_ = std::move(opened).value();
        return events_.log(Level::info, "metrics are served on " + server_->address());
    }
    const auto now = steady_clock::now();
    if (!patience_.lasts(now) && !std::exchange(told_, true))
        events_.log(Level::error, "cannot serve metrics: " + opened.error().detail + "; free the address or change metrics.listen. Trying again.");
    retry_.expires_after(patience_.pause(now));
    retry_.async_wait([this](boost::system::error_code error) {
        if (!error) open();
    });
}

void MetricsServer::tick() {
    ticks_.async_wait([this](boost::system::error_code error) {
        if (error) return;
        delay_.ran(ticks_.expiry(), steady_clock::now());
        ticks_.expires_after(kTick);
        tick();
    });
}

HttpPage MetricsServer::page(std::string_view target, std::string_view accept) {
    if (target == "/metrics") return metrics(exposition_for(accept));
    if (target == "/healthz") return health();
    return {404, std::string(kPlain), "Here are /metrics and /healthz.\n"};
}

HttpPage MetricsServer::metrics(Exposition exposition) {
    auto& [at, text] = made_[static_cast<std::size_t>(exposition)];
    const auto now = steady_clock::now();
    if (text.empty() || now - at >= kFresh) {
        text = to_exposition(to_families(events_.views()), exposition);
        at = now;
    }
    return {200, std::string(content_type(exposition)), text};
}

HttpPage MetricsServer::health() {
    auto facts = events_.health();
    facts.loop_late = delay_.worst(steady_clock::now());
    const auto reasons = unhealthy(facts, std::chrono::seconds(options_.link_down_s));
    if (reasons.empty()) return {200, std::string(kPlain), "ok\n"};
    std::string text;
    for (const auto& reason : reasons) text += reason + '\n';
    return {503, std::string(kPlain), std::move(text)};
}

}  // namespace stox::host
