-- mod_stox: SIP and XMPP gateway as a component of Prosody.
--
--   Component "sip.example.com" "stox"                         or, shortest:
--   VirtualHost "example.com"  modules_enabled = { "stox" }    -- makes sip.example.com
--
-- One worker serves all domains of this server; each domain's options go to it as they are, and it checks them. The
-- component attaches by XEP-0114 on a private unix socket with a secret that no configuration knows.
-- docs/loading.md has the options. The parts are in the *.lib.lua beside this file; what they share is in state.lib.lua.

-- A part of the module, loaded once for each host whoever asks for it: parts see this function as they see `module`.
local parts = {};
function part(name) -- luacheck: ignore 131
	if parts[name] == nil then parts[name] = module:require(name) or true; end
	return parts[name];
end

-- prosodyctl runs the chunk too; it must change nothing there.
if prosody.process_type == "prosodyctl" then
	part "prosodyctl";
	return;
end

local config = require "core.configmanager";
local hex = require "util.hex";
local hostmanager = require "core.hostmanager";
local logger = require "util.logger";
local random = require "util.random";
local timer = require "util.timer";
local component_socket = part "component_socket";
local lines = part "lines";
local options = part "options";
local server = part "state";
local window = part "window";
local worker = part "worker";

local KEEP_SECONDS = 30;      -- the worker's life after its last domain
local AGAIN_SECONDS = 30;     -- until a start is tried again that failed
local EVENTS_AT_END = 50;     -- times what is read at once

local host = module.host;
local log = logger.init("stox");

-- Ports are not open and not all hosts are there while hosts are loaded.
function server.start()
	if server.starting_again then timer.stop(server.starting_again); end
	server.starting_again = nil;
	if server.stopping or not next(server.domains) then return; end
	local ok, why = pcall(function () component_socket.open(); worker.open(); end);
	if ok then return; end
	log("error", "%s; trying again", tostring(why));
	server.starting_again = timer.add_task(AGAIN_SECONDS, function ()
		server.starting_again = nil;
		server.start();
	end);
end

-- The copies of what a service has not taken go now. What it said it has is heard first.
local function tell_left()
	for _ = 1, EVENTS_AT_END do server.drain(); end
	for _, all in ipairs { server.domains, server.kept } do
		for _, known in pairs(all) do
			if known.window then window.ends(known.window, function (...) known.module:log(...); end); end
		end
	end
end

local function close_when_unused()
	if server.closing then timer.stop(server.closing); end
	server.closing = timer.add_task(KEEP_SECONDS, function ()
		server.closing = nil;
		if next(server.domains) then return; end
		tell_left();
		server.close_worker();
		server.kept = {};
	end);
end

module:hook_global("server-stopping", function ()
	if server.stopping then return; end -- every host of ours hears it
	server.stopping = true;
	tell_left();
	server.close_worker();
end);

-- Prosody reads the file again, but neither makes nor ends hosts at that: for components of ours this does. After the event,
-- since it may end the host whose module was called.
local function follow_configuration()
	if server.following then return; end
	server.following = true;
	timer.add_task(0, function ()
		server.following = nil;
		if server.stopping then return; end
		local all = config.getconfig();
		for domain, given in pairs(all) do
			if rawget(given, "component_module") == "stox" and not prosody.hosts[domain] then hostmanager.activate(domain); end
		end
		local gone = {};
		for domain in pairs(server.domains) do
			if not all[domain] or rawget(all[domain], "component_module") ~= "stox" then gone[#gone + 1] = domain; end
		end
		for _, domain in ipairs(gone) do hostmanager.deactivate(domain); end
	end);
end

-- A component of ours ------------------------------------------------------------------------------------------------

local function load_component()
	options.isolation(); -- an error keeps the component from loading
	local known = server.domains[host] or server.kept[host] or { secret = hex.to(random.bytes(32)) };
	known.module = module;

	-- A reload of the configuration builds it anew: before anyone else reads it, the secret has to be back. kick_old: the
	-- worker's new stream may come before the end of the old one is seen.
	local function put_secret()
		if rawget(config.getconfig()[host] or {}, "component_module") ~= "stox" then return; end -- taken out of the file
		config.set(host, "component_secret", known.secret);
		config.set(host, "component_conflict_resolve", "kick_old");
	end
	put_secret();
	module:hook_global("config-reloaded", put_secret, 100);
	module:depends("component");

	server.domains[host], server.kept[host] = known, nil;
	timer.add_task(0, function ()
		if not server.domains[host] then return; end
		if server.handle then lines.domain(host); else server.start(); end
	end);
	module:hook_global("config-reloaded", function ()
		if server.handle then
			lines.engine_once();
			lines.domain(host);
		else
			server.start(); -- it had ended too often
		end
		follow_configuration();
	end);
	-- The list of user domains changed.
	module:hook_global("host-activated", lines.follow_hosts);
	module:hook_global("host-deactivated", lines.follow_hosts);

	function module.unload()
		-- Only one that is gone from the file is gone for good: its users are told about messages that wait.
		local for_good = rawget(config.getconfig()[host] or {}, "component_module") ~= "stox";
		server.domains[host], server.kept[host] = nil, not for_good and known or nil;
		-- A service keeps a domain whose module only stops.
		if for_good or not server.service then lines.send { t = "domain-remove", domain = host, for_good = for_good }; end
		close_when_unused();
	end
end

-- The VirtualHost form: makes sip.<host> -----------------------------------------------------------------------------

local function load_virtual_host()
	local domain = "sip." .. host;
	local stopped = false;

	local function put()
		config.set(domain, "component_module", "stox");
		local admins = rawget(config.getconfig()[host] or {}, "admins");
		if admins and rawget(config.getconfig()[domain] or {}, "admins") == nil then config.set(domain, "admins", admins); end
	end
	local function ensure()
		if stopped or server.stopping then return; end
		put();
		server.parents[domain] = host;
		if not prosody.hosts[domain] then hostmanager.activate(domain); end
	end
	if prosody.start_time then timer.add_task(0, ensure); else module:hook_global("hosts-activated", ensure); end
	module:hook_global("config-reloaded", put, 100);
	module:hook_global("config-reloaded", ensure);

	function module.unload()
		stopped = true;
		server.parents[domain] = nil;
		if prosody.hosts[domain] and not server.stopping then hostmanager.deactivate(domain); end
	end
end

if module:get_host_type() == "component" then load_component(); else load_virtual_host(); end
