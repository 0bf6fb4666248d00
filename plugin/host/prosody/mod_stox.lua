-- mod_stox: SIP and XMPP gateway as a component of Prosody.
--
--   Component "sip.example.com" "stox"                         or, shortest:
--   VirtualHost "example.com"  modules_enabled = { "stox" }    -- makes sip.example.com
--
-- One worker serves all domains of this server; each domain's options go to it as they are, and it checks them. The
-- component attaches by XEP-0114 on a private unix socket with a secret that no configuration knows.
-- docs/loading.md has the options.

local config = require "core.configmanager";
local json = require "util.json";

-- Options ------------------------------------------------------------------------------------------------------------

local MODULE_OPTIONS = { worker = true, engine = true, isolation = true, control = true, xmpp_domains = true };

local function each_option(from, into)
	for key, value in pairs(config.getconfig()[from] or {}) do
		local name = type(key) == "string" and key:match("^stox_(.+)$");
		if name and not MODULE_OPTIONS[name] then into[name] = value; end
	end
	return into;
end

-- Of the global section, the VirtualHost that made the domain, and the domain itself; the nearest one wins.
local function domain_options(domain, parent)
	local options = each_option("*", {});
	if parent then each_option(parent, options); end
	each_option(domain, options);
	local name = rawget(config.getconfig()[domain] or {}, "name");
	if type(name) == "string" then options.name = name; end
	return options;
end

local function directory_of(path) return path:match("^(.*)/[^/]*$") or "."; end

-- Commands of an operator ----------------------------------------------------------------------------------------------

-- "ban 192.0.2.1 60 --json" as words: what the worker is asked.
local function admin_question(words, via)
	local question, arguments = { t = "admin", via = via, json = false }, {};
	local skip = false;
	for n, word in ipairs(words) do
		if skip then
			skip = false;
		elseif word == "--json" then
			question.json = true;
		elseif word == "--domain" then
			question.domain = words[n + 1] or "";
			skip = true;
		elseif not question.command then
			question.command = word;
		else
			arguments[#arguments + 1] = word;
		end
	end
	question.command = question.command or "";
	if #arguments > 0 then question.arguments = arguments; end -- an empty table would be an object
	return question;
end

local function private_path()
	local data = prosody.paths.data;
	if data:sub(1, 1) ~= "/" then data = require "lfs".currentdir() .. "/" .. data; end
	return data .. "/stox";
end

-- Where the worker listens that is a service of its own.
local function control_path()
	return config.get("*", "stox_control") or "/run/stox/control";
end

local function is_service()
	return config.get("*", "stox_isolation") == "service";
end

local function state_directory()
	local given = config.get("*", "stox");
	return type(given) == "table" and given.state_dir or private_path() .. "/state";
end

-- What outlives a restart stands beside the socket, unless the operator wants it elsewhere. A service has a place of its own.
local function engine_options(service)
	local given = config.get("*", "stox") or {};
	if type(given) ~= "table" or service or given.state_dir ~= nil then return given; end
	local options = { state_dir = state_directory() };
	for key, value in pairs(given) do options[key] = value; end
	return options;
end

-- The doctor --------------------------------------------------------------------------------------------------------

local function has_module(modules)
	for _, name in ipairs(type(modules) == "table" and modules or {}) do
		if name == "stox" then return true; end
	end
end

-- What the module would tell the worker, read from the file alone.
local function control_lines()
	local users, lines = {}, { json.encode { t = "engine-set", config = engine_options(is_service()) } };
	for name, options in pairs(config.getconfig()) do
		if name ~= "*" and rawget(options, "component_module") == nil then users[#users + 1] = name; end
	end
	table.sort(users);
	local function add(domain, parent)
		local given = rawget(config.getconfig()[domain] or {}, "stox_xmpp_domains");
		if given == nil and parent then given = rawget(config.getconfig()[parent], "stox_xmpp_domains"); end
		lines[#lines + 1] = json.encode {
			t = "domain-set", domain = domain, xmpp_domains = given or config.get("*", "stox_xmpp_domains") or users,
			xmpp = { unix = "-", secret = "-" }, config = domain_options(domain, parent), -- not looked at
		};
	end
	for name, options in pairs(config.getconfig()) do
		if name ~= "*" and rawget(options, "component_module") == "stox" then add(name); end
	end
	for _, name in ipairs(users) do
		if has_module(config.get(name, "modules_enabled")) then add("sip." .. name, name); end
	end
	return table.concat(lines, "\n") .. "\n";
end

local function quoted(word) return "'" .. word:gsub("'", "'\\''") .. "'"; end

-- Not a command to the worker: it need not run. Exit status 0: all is well, 1: warnings, 2: errors.
local function doctor(arg)
	local worker = config.get("*", "stox_worker") or directory_of(module.path) .. "/stoxd";
	if arg[2] == "--lines" then
		io.stdout:write(control_lines());
		return 0;
	elseif is_service() then
		io.stderr:write("the worker is a service with a user of its own, who has to look:\n"
			.. "  prosodyctl mod_stox doctor --lines | runuser -u stox -- /usr/libexec/stox/stoxd --doctor\n");
		return 2;
	end
	local path = os.tmpname();
	local file, why = io.open(path, "w");
	if not file then
		io.stderr:write(("cannot write %s: %s\n"):format(path, why));
		return 2;
	end
	file:write(control_lines());
	file:close();
	local json_wanted = arg[2] == "--json" and " --json" or "";
	local _, how, code = os.execute(("%s --doctor%s < %s"):format(quoted(worker), json_wanted, quoted(path)));
	os.remove(path);
	return how == "exit" and code or 2;
end

-- prosodyctl runs the chunk too; it must change nothing there. `prosodyctl mod_stox COMMAND ...` calls this.
if prosody.process_type == "prosodyctl" then
	function module.command(arg)
		if arg[1] == "doctor" then return doctor(arg); end
		local unix = require "socket.unix";
		local path = is_service() and control_path() or state_directory() .. "/admin.sock";
		local socket = (type(unix) == "table" and unix.stream or unix)();
		socket:settimeout(10);
		local ok, why = socket:connect(path);
		if not ok then
			io.stderr:write(("the worker cannot be reached on %s: %s\n"):format(path, why));
			return 1;
		end
		socket:send(json.encode(admin_question(arg, "prosodyctl")) .. "\n");
		local answer;
		repeat -- a service greets first
			local line;
			line, why = socket:receive("*l");
			answer = line and json.decode(line);
		until not answer or answer.t == "admin"
		if not answer then
			io.stderr:write(("the worker did not answer: %s\n"):format(why or "no JSON"));
			return 1;
		end
		(answer.code == 0 and io.stdout or io.stderr):write(answer.output);
		return answer.code;
	end
	return;
end

local hostmanager = require "core.hostmanager";
local portmanager = require "core.portmanager";
local lfs = require "lfs";
local logger = require "util.logger";
local pposix = require "util.pposix";
local promise = require "util.promise";
local random = require "util.random";
local hex = require "util.hex";
local net_server = require "net.server";
local timer = require "util.timer";
local sha256 = require "util.hashes".sha256;
local usermanager = require "core.usermanager";
local statsmanager = require "core.statsmanager";

local CONTROL_VERSION = 1;
local KEEP_SECONDS = 30;      -- the worker's life after its last domain
local CLOSE_MS = 3000;
local METRICS_SECONDS = 10;
local EVENTS_AT_ONCE = 200;   -- the server has one thread

local host = module.host;
-- Survives a reload of the module; the functions in it are always those of the newest chunk.
local server = module:shared("/*/stox/server");
server.domains = server.domains or {};  -- component domain -> { secret, module }
server.parents = server.parents or {};  -- component domain -> VirtualHost that made it
local log = logger.init("stox");

-- Options ------------------------------------------------------------------------------------------------------------

local function option(domain, name)
	local value = rawget(config.getconfig()[domain] or {}, name);
	if value == nil and server.parents[domain] then value = rawget(config.getconfig()[server.parents[domain]] or {}, name); end
	if value == nil then value = config.get("*", name); end
	return value;
end

local function xmpp_domains(domain)
	local list = option(domain, "stox_xmpp_domains");
	if list ~= nil then return list; end
	list = {};
	for name, session in pairs(prosody.hosts) do
		if session.type == "local" then list[#list + 1] = name; end
	end
	table.sort(list);
	return list;
end

-- The private socket -------------------------------------------------------------------------------------------------

local function private_directory()
	local path = private_path();
	if lfs.attributes(path, "mode") == "directory" and lfs.attributes(path, "permissions") ~= "rwx------" then
		error(path .. " must be readable by its owner only: chmod 700 it, or remove it", 0);
	end
	local mask = pposix.umask("077");
	lfs.mkdir(path);
	pposix.umask(mask);
	if lfs.attributes(path, "mode") ~= "directory" then error("cannot make the directory " .. path, 0); end
	return path;
end

-- A service has a user of its own, who cannot enter our private directory: then the socket stands beside the control socket, in a
-- directory whose group has the servers and the service in it. The name is ours alone among the servers there.
local function socket_path()
	if not is_service() then return private_directory() .. "/component.sock"; end
	return ("%s/prosody-%s.sock"):format(directory_of(control_path()), sha256(private_path(), true):sub(1, 16));
end

-- mod_component's own listener on a socket of ours: works with component_ports = {} too.
local function listen()
	if server.socket then return; end
	local unix = require "socket.unix";
	local service = portmanager.get_service("component");
	if not service then error("mod_component is not loaded", 0); end
	local path = socket_path();
	os.remove(path);
	local socket = (type(unix) == "table" and unix.stream or unix)();
	local mask = pposix.umask("007");
	local ok, why = socket:bind(path);
	pposix.umask(mask);
	if ok then ok, why = socket:listen(); end
	if not ok then error(("cannot listen on %s: %s"):format(path, why), 0); end
	socket:settimeout(0);
	server.path, server.socket = path, net_server.wrapserver(socket, path, 0, service.listener);
end

-- The worker ---------------------------------------------------------------------------------------------------------

-- Before "started" nothing is sent, and with it everything.
local function send(line)
	return server.running and server.handle:command(json.encode(line));
end

local function send_engine()
	send { t = "engine-set", config = engine_options(server.service) };
end

-- A reload is told to every component of ours: the first one does it for all.
local function send_engine_once()
	if server.engine_sent then return; end
	server.engine_sent = true;
	timer.add_task(0, function () server.engine_sent = nil; end);
	send_engine();
end

local function send_domain(domain)
	local users = xmpp_domains(domain);
	server.domains[domain].users = json.encode(users);
	send {
		t = "domain-set", domain = domain, xmpp_domains = users,
		xmpp = { unix = server.path, secret = server.domains[domain].secret }, config = domain_options(domain, server.parents[domain]),
	};
end

local function send_all()
	send_engine();
	for domain in pairs(server.domains) do send_domain(domain); end
end

-- Once for all hosts that come or go at a stroke, and only to whom it makes a difference: components of ours are hosts too.
local function follow_hosts()
	if server.hosts_changed then return; end
	server.hosts_changed = true;
	timer.add_task(0, function ()
		server.hosts_changed = nil;
		if server.stopping then return; end
		for domain, known in pairs(server.domains) do
			if known.users and known.users ~= json.encode(xmpp_domains(domain)) then send_domain(domain); end
		end
	end);
end

local function log_for(domain)
	local known = domain and server.domains[domain];
	if not known then return log; end
	return function (...) known.module:log(...); end
end

local events = {};

function events.log(event)
	local level = event.level;
	if level ~= "error" and level ~= "warn" and level ~= "debug" then level = "info"; end
	log_for(event.domain)(level, "%s", tostring(event.text));
end

function events.worker(event)
	server.running = event.state == "started";
	if server.running then
		if server.service then
			log("info", "connected to the worker, pid %d", event.pid);
		else
			log("info", "worker started, pid %d; it ends with this server, and what it carries with it", event.pid);
		end
		send({ stox = CONTROL_VERSION, version = server.library.version, features = {}, server = "prosody " .. private_path() });
		send_all();
	elseif event.restart_ms < 0 then
		log("error", "worker %s; it ended too often and stays down until the next reload of the configuration", event.how);
		timer.add_task(0, function () server.close_worker(); end);
	elseif server.service then
		log("warn", "worker %s, trying again in %.1f s", event.how, event.restart_ms / 1000);
	else
		log("warn", "worker %s, restart in %.1f s", event.how, event.restart_ms / 1000);
	end
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

function events.removed(event)
	log("info", "%s removed", tostring(event.domain));
end

events["config-error"] = function (event)
	for _, problem in ipairs(event.problems or {}) do
		log_for(event.domain)("error", "option %s%s: %s; the configuration before it stays",
			event.domain and "stox_" or "stox.", problem.path or "", problem.text or "");
	end
end

-- Who administers the server administers every component of it.
function events.authz(event)
	local host = event.domain;
	if event.scope == "worker" then host = nil; end
	local known = server.domains[event.domain] ~= nil and type(event.jid) == "string";
	send { t = "authz", id = event.id, allowed = known and usermanager.is_admin(event.jid, host) and true or false };
end

function events.admin(event)
	local waiting = server.questions and server.questions[event.id];
	if not waiting then return; end
	server.questions[event.id] = nil;
	local output = tostring(event.output):gsub("\n$", "");
	if event.code == 0 then waiting.resolve(output); else waiting.reject(output); end
end

-- Metrics: what the worker counts, in Prosody's own registry, which mod_http_openmetrics shows. Every METRICS_SECONDS, since an answer
-- takes a turn of the loop and a collector does not wait for it. Nobody is asked where statistics are off.
local function metric_family(family)
	local known = server.metrics and server.metrics[family.name];
	if known then return known; end
	-- "_total" and "_info" are put behind names by the format; of an info Prosody knows nothing.
	local name = family.name:gsub("^stox_", "") .. (family.type == "info" and "_info" or "");
	local kind = family.type == "counter" and "counter" or "gauge";
	known = module:context("*"):metric(kind, name, "", family.help, family.labels);
	server.metrics = server.metrics or {};
	server.metrics[family.name] = known;
	return known;
end

function events.metrics(event)
	for _, family in ipairs(event.families or {}) do
		local metric = metric_family(family);
		metric:clear(); -- what is gone is 0
		for _, sample in ipairs(family.samples) do
			metric:with_labels(table.unpack(sample.labels)):set(sample.value);
		end
	end
end

function server.ask_for_metrics()
	if server.stopping then return; end
	if server.running then send { t = "metrics", id = "openmetrics" }; end
	return METRICS_SECONDS;
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

local function take(line)
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

function server.drain()
	for _ = 1, EVENTS_AT_ONCE do
		local line = server.handle and server.handle:next();
		if not line then return; end
		local ok, why = pcall(take, line);
		if not ok then log("error", "event of the worker: %s", tostring(why)); end
	end
end

-- By its full path: Prosody's plugin directories are not searched for libraries. A symbolic link is followed, since the
-- worker is beside the file itself.
local function load_library()
	local directory = directory_of(module.path);
	local path = directory .. "/stox.so";
	local open, why = package.loadlib(path, "luaopen_stox");
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
	return directory;
end

local function absolute(path)
	if path:sub(1, 1) ~= "/" then error("the path " .. path .. " is not absolute", 0); end
	return path;
end

local function check_isolation()
	local isolation = config.get("*", "stox_isolation") or "process";
	if isolation ~= "process" and isolation ~= "service" and isolation ~= "none" then
		error(("stox_isolation = %q is not known, use \"process\", \"service\" or \"none\""):format(tostring(isolation)), 0);
	end
	return isolation;
end

local function open_worker()
	if server.handle or server.stopping then return; end
	local directory = load_library();
	local worker = absolute(config.get("*", "stox_worker") or directory .. "/stoxd");
	local engine = absolute(config.get("*", "stox_engine") or directory .. "/libstox_engine.so");
	local isolation = check_isolation();
	server.service = isolation == "service";
	if isolation == "none" then worker = nil; end
	local handle, why;
	if server.service then
		handle, why = server.library.connect(absolute(control_path()));
	else
		handle, why = server.library.open(worker, engine);
	end
	if not handle then error("cannot start the worker: " .. tostring(why), 0); end
	server.handle = handle;
	if not server.collecting and statsmanager.get_metric_registry() then
		server.collecting = true;
		timer.add_task(1, function () return server.ask_for_metrics(); end);
	end
	server.watch = net_server.watchfd(handle:fd(), function () server.drain(); end);
end

-- prosodyctl shell 'stox:peers()', 'stox:ban("192.0.2.1", 60)', 'stox:status("--json")'
local function ask_worker(words)
	return promise.new(function (resolve, reject)
		server.questions = server.questions or {};
		server.last_question = (server.last_question or 0) + 1;
		local question = admin_question(words, "shell");
		question.id, question.who = tostring(server.last_question), "shell";
		server.questions[question.id] = { resolve = resolve, reject = reject };
		if not send(question) then
			server.questions[question.id] = nil;
			return reject("the worker does not run");
		end
		timer.add_task(10, function ()
			if not server.questions[question.id] then return; end
			server.questions[question.id] = nil;
			reject("the worker did not answer");
		end);
	end);
end

module:shared("/*/admin_shell/env").stox = setmetatable({}, {
	__index = function (_, name)
		if type(name) ~= "string" then return nil; end
		return function (_, ...)
			local words = { (name:gsub("_", "-")) };
			for n = 1, select("#", ...) do words[n + 1] = tostring((select(n, ...))); end
			return ask_worker(words);
		end
	end;
});

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
end

-- Ports are not open and not all hosts are there while hosts are loaded.
local function start()
	if server.stopping or not next(server.domains) then return; end
	local ok, why = pcall(function () listen(); open_worker(); end);
	if not ok then log("error", "%s", tostring(why)); end
end

local function close_when_unused()
	if server.closing then timer.stop(server.closing); end
	server.closing = timer.add_task(KEEP_SECONDS, function ()
		server.closing = nil;
		if not next(server.domains) then server.close_worker(); end
	end);
end

module:hook_global("server-stopping", function ()
	server.stopping = true;
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
		for domain, options in pairs(all) do
			if rawget(options, "component_module") == "stox" and not prosody.hosts[domain] then hostmanager.activate(domain); end
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
	check_isolation();
	local known = server.domains[host] or { secret = hex.to(random.bytes(32)) };
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

	server.domains[host] = known;
	timer.add_task(0, function ()
		if not server.domains[host] then return; end
		if server.handle then send_domain(host); else start(); end
	end);
	module:hook_global("config-reloaded", function ()
		if server.handle then
			send_engine_once();
			send_domain(host);
		else
			start(); -- it had ended too often
		end
		follow_configuration();
	end);
	-- The list of user domains changed.
	module:hook_global("host-activated", follow_hosts);
	module:hook_global("host-deactivated", follow_hosts);

	function module.unload()
		server.domains[host] = nil;
		-- Only one that is gone from the file is gone for good: its users are told about messages that wait.
		local for_good = rawget(config.getconfig()[host] or {}, "component_module") ~= "stox";
		-- A service keeps a domain whose module only stops.
		if for_good or not server.service then send { t = "domain-remove", domain = host, for_good = for_good }; end
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
