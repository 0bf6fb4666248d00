-- What all chunks of the module share, one for each host. It survives a reload of the module; the functions in it are always those of
-- the newest chunk.

local server = module:shared("/*/stox/server");
server.domains = server.domains or {};  -- component domain -> { secret, module, users, window }
server.kept = server.kept or {};        -- the same of domains whose module is not loaded now, and a service has them
server.parents = server.parents or {};  -- component domain -> VirtualHost that made it
server.metric_families = server.metric_families or {};

-- handle, watch     the worker, of stox.so, and what wakes us when it says something; none: it is not wanted or has ended too often
-- running           it listens to us
-- service           it is a service, not our child
-- socket, path      where it attaches its components
-- stopping          the server ends
-- starting_again    a timer, after a start that failed

function server.known(domain) return server.domains[domain] or server.kept[domain]; end

return server;
