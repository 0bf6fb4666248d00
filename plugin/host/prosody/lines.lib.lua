-- What is said to the worker: the engine's options, and each domain with its own.

local json = require "util.json";
local timer = require "util.timer";
local options = part "options";
local server = part "state";

local lines = {};

-- Before "started" nothing is sent, and with it everything.
function lines.send(line)
	return server.running and server.handle:command(json.encode(line));
end

local function send_engine()
	lines.send { t = "engine-set", config = options.of_engine(server.service) };
end

-- A reload is told to every component of ours: the first one does it for all.
function lines.engine_once()
	if server.engine_sent then return; end
	server.engine_sent = true;
	timer.add_task(0, function () server.engine_sent = nil; end);
	send_engine();
end

local function xmpp_domains(domain)
	local users = {};
	for name, session in pairs(prosody.hosts) do
		if session.type == "local" then users[#users + 1] = name; end
	end
	table.sort(users);
	return options.xmpp_domains(domain, server.parents[domain], users);
end

function lines.domain(domain)
	local users = xmpp_domains(domain);
	server.domains[domain].users = json.encode(users);
	lines.send {
		t = "domain-set", domain = domain, xmpp_domains = users,
		xmpp = { unix = server.path, secret = server.domains[domain].secret }, config = options.of_domain(domain, server.parents[domain]),
	};
end

function lines.all()
	send_engine();
	for domain in pairs(server.domains) do lines.domain(domain); end
end

-- Once for all hosts that come or go at a stroke, and only to whom it makes a difference: components of ours are hosts too.
function lines.follow_hosts()
	if server.hosts_changed then return; end
	server.hosts_changed = true;
	timer.add_task(0, function ()
		server.hosts_changed = nil;
		if server.stopping then return; end
		for domain, known in pairs(server.domains) do
			if known.users and known.users ~= json.encode(xmpp_domains(domain)) then lines.domain(domain); end
		end
	end);
end

return lines;
