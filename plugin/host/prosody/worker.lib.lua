-- The worker: a child of ours, a service that we connect to, or a thread; all by stox.so.

local config = require "core.configmanager";
local logger = require "util.logger";
local net_server = require "net.server";
local metrics = part "metrics";
local options = part "options";
local server = part "state";
local take = part "events";

local CLOSE_MS = 3000;
local EVENTS_AT_ONCE = 200;   -- the server has one thread

local log = logger.init("stox");
local worker = {};

-- By its full path: Prosody's plugin directories are not searched for libraries.
local function load_library()
	local open, why = package.loadlib(options.beside_module("stox.so"), "luaopen_stox");
	local library;
	if open then
		library = open();
	else
		local ok, found = pcall(require, "stox");
		if not ok then error(("cannot load stox.so: %s"):format(why), 0); end
		library = found;
	end
	if library.abi ~= 1 then error(("stox.so has ABI %s, this module needs 1"):format(tostring(library.abi)), 0); end
	server.library = library;
end

local function absolute(path)
	if path:sub(1, 1) ~= "/" then error("the path " .. path .. " is not absolute", 0); end
	return path;
end

local function connect_or_start(isolation)
	local program = absolute(config.get("*", "stox_worker") or options.beside_module("stoxd"));
	local engine = absolute(config.get("*", "stox_engine") or options.beside_module("libstox_engine.so"));
	if isolation == "service" then return server.library.connect(absolute(options.control_path())); end
	return server.library.open(isolation ~= "none" and program or nil, engine);
end

function worker.open()
	if server.handle or server.stopping then return; end
	load_library();
	local isolation = options.isolation();
	server.service = isolation == "service";
	local handle, why = connect_or_start(isolation);
	if not handle then error("cannot start the worker: " .. tostring(why), 0); end
	server.handle = handle;
	metrics.collect();
	server.watch = net_server.watchfd(handle:fd(), function () server.drain(); end);
end

function server.drain()
	for _ = 1, EVENTS_AT_ONCE do
		local line = server.handle and server.handle:next();
		if not line then return; end
		local ok, why = pcall(take, line);
		if not ok then log("error", "event of the worker: %s", tostring(why)); end
	end
end

-- A reload that comes while the worker ends runs in the middle of this, as signals do, and may start another one: all is
-- forgotten before the end is waited for.
function server.close_worker()
	local watch, handle, socket = server.watch, server.handle, server.socket;
	server.watch, server.handle, server.socket, server.running = nil, nil, nil, false;
	if watch then watch:close(); end
	if socket then
		socket:close();
		os.remove(server.path);
	end
	if handle then handle:close(CLOSE_MS); end
	metrics.clear(true);
end

return worker;
