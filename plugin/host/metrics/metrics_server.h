#pragma once
// The pages /metrics and /healthz of a worker, where its options say.

#include "plugin/config/options.h"
#include "plugin/engine/engine.h"
#include "plugin/host/metrics/exposition.h"
#include "plugin/host/metrics/health.h"
#include "plugin/host/metrics/http_server.h"
#include "plugin/host/patience.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace stox::host {

/// How late the loop was with what was due, at worst in the last minute. Pure.
class LoopDelay {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds kRemembered{60};

    void ran(TimePoint due, TimePoint now);
    std::chrono::steady_clock::duration worst(TimePoint now) const;

private:
    std::chrono::steady_clock::duration worst_{0};
    TimePoint seen_{};
};

/// Used and destroyed on the loop's thread.
class MetricsServer {
public:
    struct Events {
        std::function<std::vector<engine::Table>()> views;
        std::function<HealthFacts()> health;  ///< without loop_late
        std::function<void(engine::Level, std::string)> log;
    };

    MetricsServer(boost::asio::io_context& loop, Events events);

    /// From now on; an address that cannot be had is tried again, and told once if it does not come soon.
    void use(const config::MetricsOptions& options);
    void close();

private:
    void open();
    void tick();
    HttpPage page(std::string_view target, std::string_view accept);
    HttpPage metrics(Exposition exposition);
    HttpPage health();

    boost::asio::io_context& loop_;
    Events events_;
    config::MetricsOptions options_;
    std::unique_ptr<HttpServer> server_;
    Patience patience_;
    bool told_ = false;
    boost::asio::steady_timer retry_, ticks_;
    LoopDelay delay_;
    /// Made once a second at most, however often it is asked for.
    struct Made {
        std::chrono::steady_clock::time_point at{};
        std::string text;
    };
    std::array<Made, 2> made_;
};

}  // namespace stox::host
