-- `prosodyctl mod_stox COMMAND ...`: asks the worker, or the doctor, who needs none.

local config = require "core.configmanager";
local json = require "util.json";
local options = part "options";
local question = part "question";

local function has_module(modules)
	for _, name in ipairs(type(modules) == "table" and modules or {}) do
		if name == "stox" then return true; end
	end
end

-- What the module would tell the worker, read from the file alone.
local function control_lines()
	local users, lines = {}, { json.encode { t = "engine-set", config = options.of_engine(options.is_service()) } };
	for name, given in pairs(config.getconfig()) do
		if name ~= "*" and rawget(given, "component_module") == nil then users[#users + 1] = name; end
	end
	table.sort(users);
	local function add(domain, parent)
		lines[#lines + 1] = json.encode {
			t = "domain-set", domain = domain, xmpp_domains = options.xmpp_domains(domain, parent, users),
			xmpp = { unix = "-", secret = "-" }, config = options.of_domain(domain, parent), -- not looked at
		};
	end
	for name, given in pairs(config.getconfig()) do
		if name ~= "*" and rawget(given, "component_module") == "stox" then add(name); end
	end
	for _, name in ipairs(users) do
		if has_module(config.get(name, "modules_enabled")) then add("sip." .. name, name); end
	end
	return table.concat(lines, "\n") .. "\n";
end

local function quoted(word) return "'" .. word:gsub("'", "'\\''") .. "'"; end

-- Not a command to the worker: it need not run. Exit status 0: all is well, 1: warnings, 2: errors.
local function doctor(arg)
	local worker = config.get("*", "stox_worker") or options.beside_module("stoxd");
	if arg[2] == "--lines" then
		io.stdout:write(control_lines());
		return 0;
	elseif options.is_service() then
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

function module.command(arg)
	if arg[1] == "doctor" then return doctor(arg); end
	local unix = require "socket.unix";
	local path = options.is_service() and options.control_path() or options.state_directory() .. "/admin.sock";
	local socket = (type(unix) == "table" and unix.stream or unix)();
	socket:settimeout(10);
	local ok, why = socket:connect(path);
	if not ok then
		io.stderr:write(("the worker cannot be reached on %s: %s\n"):format(path, why));
		return 1;
	end
	socket:send(json.encode(question(arg, "prosodyctl")) .. "\n");
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
