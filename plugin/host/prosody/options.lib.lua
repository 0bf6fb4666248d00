-- What the configuration says: options of domains as they are given, and where things are.

local config = require "core.configmanager";

local options = {};

local MODULE_OPTIONS = { worker = true, engine = true, isolation = true, control = true, xmpp_domains = true };

local function each_option(from, into)
	for key, value in pairs(config.getconfig()[from] or {}) do
		local name = type(key) == "string" and key:match("^stox_(.+)$");
		if name and not MODULE_OPTIONS[name] then into[name] = value; end
	end
	return into;
end

-- Of the global section, the VirtualHost that made the domain, and the domain itself; the nearest one wins.
function options.of_domain(domain, parent)
	local found = each_option("*", {});
	if parent then each_option(parent, found); end
	each_option(domain, found);
	local name = rawget(config.getconfig()[domain] or {}, "name");
	if type(name) == "string" then found.name = name; end
	return found;
end

-- A list with one entry needs no braces.
function options.as_list(value) return type(value) == "string" and { value } or value; end

function options.directory_of(path) return path:match("^(.*)/[^/]*$") or "."; end

local function is_file(path)
	local file = io.open(path, "rb");
	if file then file:close(); end
	return file ~= nil;
end

-- What comes with the module stands beside mod_stox.lua, or beside its folder.
function options.beside_module(name)
	local folder = options.directory_of(module.path);
	local above = folder:match("^(.+)/mod_stox$");
	if above and not is_file(folder .. "/" .. name) then folder = above; end
	return folder .. "/" .. name;
end

function options.private_path()
	local data = prosody.paths.data;
	if data:sub(1, 1) ~= "/" then data = require "lfs".currentdir() .. "/" .. data; end
	return data .. "/stox";
end

-- Where the worker listens that is a service of its own.
function options.control_path()
	return config.get("*", "stox_control") or "/run/stox/control";
end

function options.is_service()
	return config.get("*", "stox_isolation") == "service";
end

function options.state_directory()
	local given = config.get("*", "stox");
	return type(given) == "table" and given.state_dir or options.private_path() .. "/state";
end

-- What outlives a restart stands beside the socket, unless the operator wants it elsewhere. A service has a place of its own.
function options.of_engine(service)
	local given = config.get("*", "stox") or {};
	if type(given) ~= "table" or service or given.state_dir ~= nil then return given; end
	local found = { state_dir = options.state_directory() };
	for key, value in pairs(given) do found[key] = value; end
	return found;
end

-- One for the module itself: of the domain, of the VirtualHost that made it, or global.
local function own_option(domain, parent, name)
	local value = rawget(config.getconfig()[domain] or {}, name);
	if value == nil and parent then value = rawget(config.getconfig()[parent] or {}, name); end
	if value == nil then value = config.get("*", name); end
	return value;
end

-- users: what counts when nothing is said.
function options.xmpp_domains(domain, parent, users)
	return options.as_list(own_option(domain, parent, "stox_xmpp_domains") or users);
end

-- An error says what else it may be.
function options.isolation()
	local isolation = config.get("*", "stox_isolation") or "process";
	if isolation ~= "process" and isolation ~= "service" and isolation ~= "none" then
		error(("stox_isolation = %q is not known, use \"process\", \"service\" or \"none\""):format(tostring(isolation)), 0);
	end
	return isolation;
end

return options;
