-- What the worker says, line by line.

local json = require "util.json";
local logger = require "util.logger";
local timer = require "util.timer";
local usermanager = require "core.usermanager";
local lines = part "lines";
local metrics = part "metrics";
local options = part "options";
local server = part "state";
local shell = part "shell";
local window = part "window";

local CONTROL_VERSION = 1;

local log = logger.init("stox");
local events = {};

local function log_for(domain)
	local known = domain and server.domains[domain];
	if not known then return log; end
	return function (...) known.module:log(...); end
end

function events.log(event)
	local level = event.level;
	if level ~= "error" and level ~= "warn" and level ~= "debug" then level = "info"; end
	log_for(event.domain)(level, "%s", tostring(event.text));
end

local function started(event)
	if server.counted_by ~= event.pid then metrics.clear(false); end
	server.counted_by = event.pid;
	if server.service then
		log("info", "connected to the worker, pid %d", event.pid);
	else
		log("info", "worker started, pid %d; it ends with this server, and what it carries with it", event.pid);
	end
	lines.send { stox = CONTROL_VERSION, version = server.library.version, features = {}, server = "prosody " .. options.private_path() };
	lines.all();
end

local function ended(event)
	metrics.clear(true);
	if event.restart_ms < 0 then
		log("error", "worker %s; it ended too often and stays down until the next reload of the configuration", event.how);
		timer.add_task(0, function () server.close_worker(); end);
	elseif server.service then
		log("warn", "worker %s, trying again in %.1f s", event.how, event.restart_ms / 1000);
	else
		log("warn", "worker %s, restart in %.1f s", event.how, event.restart_ms / 1000);
	end
end

function events.worker(event)
	server.running = event.state == "started";
	if server.running then started(event); else ended(event); end
end

function events.listening(event)
	log("info", "listening for SIP on %s", table.concat(event.sip or {}, ", "));
end

function events.up(event)
	log_for(event.domain)("info", "attached");
end

function events.down(event)
	log_for(event.domain)("warn", "detached: %s", event.reason or "no reason");
end

function events.taken(event)
	local known = server.known(event.domain);
	if known and known.window and known.window.stream == event.stream then window.taken(known.window, event.count); end
end

function events.removed(event)
	log("info", "%s removed", tostring(event.domain));
end

events["config-error"] = function (event)
	for _, problem in ipairs(event.problems or {}) do
		local path = (problem.path or "") ~= "" and ("option %s%s: "):format(event.domain and "stox_" or "stox.", problem.path) or "";
		log_for(event.domain)("error", "%s%s%s", path, problem.text or "", event.kept and "; the configuration before it stays" or "");
	end
end

-- Who administers the server administers every component of it.
function events.authz(event)
	local host = event.domain;
	if event.scope == "worker" then host = nil; end
	local known = server.domains[event.domain] ~= nil and type(event.jid) == "string";
	lines.send { t = "authz", id = event.id, allowed = known and usermanager.is_admin(event.jid, host) and true or false };
end

function events.admin(event)
	shell.answer(event);
end

function events.metrics(event)
	metrics.show(event.families or {});
end

-- Not from inside the event: both end or begin what it came from.
events["reload-wanted"] = function ()
	timer.add_task(0, function () prosody.reload_config(); end);
end

events["stop-wanted"] = function ()
	log("info", "an administrator stops the worker until the next reload of the configuration");
	timer.add_task(0, function () server.close_worker(); end);
end

function events.unsupported(event)
	log("warn", "the worker does not know %s: it is older than this module, restart the server", event.of or "a command");
end

return function (line)
	local event = json.decode(line);
	if type(event) ~= "table" then
		log("error", "the worker sent what is no JSON object");
	elseif event.stox then
		if event.stox ~= CONTROL_VERSION then
			log("error", "the worker speaks control version %s, this module %d: upgrade the older one and restart the server",
				tostring(event.stox), CONTROL_VERSION);
		end
	elseif events[event.t] then
		events[event.t](event);
	end
end
