-- Metrics: what the worker counts, in Prosody's own registry, which mod_http_openmetrics shows. Every METRICS_SECONDS, since an answer
-- takes a turn of the loop and a collector does not wait for it. Nobody is asked where statistics are off. A counter is only set, never
-- cleared in between: a collector that is sent what was added would be sent all of it again.

local statsmanager = require "core.statsmanager";
local timer = require "util.timer";
local server = part "state";
local send = part "lines".send;

local METRICS_SECONDS = 10;

local metrics = {};

local function metric_family(family)
	local known = server.metric_families[family.name];
	if known then return known; end
	-- "_total" and "_info" are put behind names by the format; of an info Prosody knows nothing.
	local name = family.name:gsub("^stox_", "") .. (family.type == "info" and "_info" or "");
	local kind = family.type == "counter" and "counter" or "gauge";
	known = { is_gauge = kind == "gauge", metric = module:context("*"):metric(kind, name, "", family.help, family.labels), shown = {} };
	server.metric_families[family.name] = known;
	return known;
end

function metrics.show(families)
	for _, family in ipairs(families) do
		local known = metric_family(family);
		local gone = known.shown;
		known.shown = {};
		for _, sample in ipairs(family.samples) do
			local key = table.concat(sample.labels, "\0");
			known.shown[key], gone[key] = sample.labels, nil;
			known.metric:with_labels(table.unpack(sample.labels)):set(sample.value);
		end
		if known.is_gauge then
			for _, labels in pairs(gone) do known.metric:with_labels(table.unpack(labels)):set(0); end
		end
	end
end

-- A worker that ended has nothing; what it counted stays until another one counts from 0.
function metrics.clear(of_gauges)
	for _, known in pairs(server.metric_families) do
		if known.is_gauge == of_gauges then
			known.metric:clear();
			known.shown = {};
		end
	end
end

function server.ask_for_metrics()
	if server.stopping then return; end
	if server.running then send { t = "metrics", id = "openmetrics" }; end
	return METRICS_SECONDS;
end

function metrics.collect()
	if server.collecting or not statsmanager.get_metric_registry() then return; end
	server.collecting = true;
	timer.add_task(1, function () return server.ask_for_metrics(); end);
end

return metrics;
