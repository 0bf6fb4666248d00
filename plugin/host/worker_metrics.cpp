// What the worker tells those who collect metrics: over HTTP, and to a module that has a collector of its own.

#include "plugin/host/metrics/families.h"
#include "plugin/host/worker.h"

#include <algorithm>
#include <utility>

namespace stox::host {

MetricsServer::Events Worker::for_metrics() {
    return {[this] { return administration_.counted(); }, [this] { return health(); },
            [this](engine::Level level, const std::string& text) { log(level, text); }};
}

HealthFacts Worker::health() const {
    HealthFacts facts;
    facts.store_open = store_.is_open();
    facts.sip_open = sip_ != nullptr;
    for (const auto& [name, domain] : domains_)
        facts.domains.push_back({name, domain.host->unattached_for(), domain.host->row().store_failing});
    return facts;
}

/// A module sees its own server's domains, and what the worker counts for all.
void Worker::perform(const MetricsAsked& command) {
    auto tables = administration_.counted();
    for (auto& table : tables) {
        const auto column = std::ranges::find(table.columns, "domain", &engine::Column::name);
        if (column == table.columns.end()) continue;
        const auto number = static_cast<std::size_t>(column - table.columns.begin());
        std::erase_if(table.rows, [&](const auto& row) {
            const auto& name = std::get<std::string>(row[number]);
            const auto known = domains_.find(name);
            return known != domains_.end() && known->second.server != server_;
        });
    }
    reply(metrics_line(command.id, to_families(tables)));
}

}  // namespace stox::host
