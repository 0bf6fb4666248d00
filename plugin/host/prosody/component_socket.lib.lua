-- Where the worker attaches its components: mod_component's own listener on a unix socket of ours, with component_ports = {} too. What goes
-- to a service is watched, and copies of it are kept.

local lfs = require "lfs";
local net_server = require "net.server";
local portmanager = require "core.portmanager";
local pposix = require "util.pposix";
local sha256 = require "util.hashes".sha256;
local st = require "util.stanza";
local options = part "options";
local server = part "state";
local window = part "window";

local component_socket = {};

local function private_directory()
	local path = options.private_path();
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
	if not options.is_service() then return private_directory() .. "/component.sock"; end
	return ("%s/prosody-%s.sock"):format(options.directory_of(options.control_path()), sha256(options.private_path(), true):sub(1, 16));
end

local function watch_stream(session)
	local write, stanza_names = session.send, { message = true, iq = true, presence = true };
	local function send(octets, times_given)
		local known = server.known(session.host);
		if known and known.window and known.window.stream == session.streamid then window.keep(known.window, octets, times_given or 0); end
		return write(octets);
	end
	function session.send(data)
		if not st.is_stanza(data) then return write(data); end
		local known = session.type == "component" and server.service and server.known(session.host);
		if known and stanza_names[data.name] then return send(tostring(data)); end
		local written = write(data);
		if known and data.name == "handshake" then
			local before = known.window;
			known.window = window.new(session.streamid);
			if before then window.give_again(before, function (...) known.module:log(...); end, send); end
		end
		return written;
	end
end

local function watched(listener)
	local sessions = module:shared("/*/component/sessions");
	return setmetatable({
		onconnect = function (conn)
			listener.onconnect(conn);
			if sessions[conn] then watch_stream(sessions[conn]); end
		end;
	}, { __index = listener });
end

function component_socket.open()
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
	server.path, server.socket = path, net_server.wrapserver(socket, path, 0, watched(service.listener));
end

return component_socket;
