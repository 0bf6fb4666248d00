-- Plays streams through window.lib.lua of Prosody's module: prints a line "ok|failed TAB what" for each case. Usage: window_check.lua FILE

local window = assert(loadfile(arg[1]))();
local COPIES, OCTETS, TOO_LONG = 1024, 2 * 1024 * 1024, 256 * 1024 + 1;

local current, said;

local function texts(first, last)
	local list = {};
	for number = first, last do list[#list + 1] = ("<message>%d</message>"):format(number); end
	return list;
end

local function join(...)
	local all = {};
	for _, list in ipairs { ... } do table.move(list, 1, #list, #all + 1, all); end
	return all;
end

local function log(level, text, ...) said[#said + 1] = level .. ": " .. text:format(...); end

-- Writes these on a new stream; what was given again at its head. What it said of losses is in `said`.
local function stream(name, stanzas)
	local before, given = current, {};
	current, said = window.new(name), {};
	if before then
		window.give_again(before, log, function (octets, times_given)
			given[#given + 1] = octets;
			window.keep(current, octets, times_given);
		end);
	end
	for _, octets in ipairs(stanzas) do window.keep(current, octets, 0); end
	return given;
end

local function same(expected, got)
	assert(#expected == #got, ("expected %d, got %d"):format(#expected, #got));
	for n = 1, #expected do assert(expected[n] == got[n], ("%d: expected %s, got %s"):format(n, expected[n]:sub(1, 60), got[n]:sub(1, 60))); end
end

local cases = {
	{ "what is not taken is the head of the next stream", function ()
		stream("a", texts(1, 5));
		window.taken(current, 2);
		same(texts(3, 5), stream("b", texts(6, 6)));
		same({ "info: 3 stanzas are given to the worker again" }, said);
		same(texts(3, 6), stream("c", {}));
	end },
	{ "all that was taken is silent", function ()
		stream("a", texts(1, 5));
		window.taken(current, 5);
		same({}, stream("b", {}));
		same({}, said);
	end },
	{ "more is taken than was written", function ()
		stream("a", texts(1, 3));
		window.taken(current, 100);
		same({}, stream("b", texts(1, 1)));
		same(texts(1, 1), stream("c", {}));
	end },
	{ "it is taken while more than is kept is written", function ()
		stream("a", {});
		for number = 1, 20000 do
			window.keep(current, texts(number, number)[1], 0);
			window.taken(current, number - 1);
		end
		same(texts(20000, 20000), stream("b", {}));
		same({ "info: 1 stanzas are given to the worker again" }, said);
	end },
	{ "1024 are kept, and the others counted as lost", function ()
		stream("a", texts(1, COPIES + 76));
		same(texts(77, COPIES + 76), stream("b", {}));
		same({ "warn: 76 stanzas were too many to be kept for the worker, and may be lost", "info: 1024 stanzas are given to the worker again" }, said);
	end },
	{ "what had been taken of those that went is no loss", function ()
		stream("a", texts(1, COPIES + 76));
		window.taken(current, 10);
		same(texts(77, COPIES + 76), stream("b", {}));
		same({ "warn: 66 stanzas were too many to be kept for the worker, and may be lost", "info: 1024 stanzas are given to the worker again" }, said);
	end },
	{ "taken later than it went, it is no loss either", function ()
		stream("a", texts(1, COPIES + 76));
		window.taken(current, 76);
		same(texts(77, COPIES + 76), stream("b", {}));
		same({ "info: 1024 stanzas are given to the worker again" }, said);
	end },
	{ "two MiB are kept", function ()
		local big = ("x"):rep(128 * 1024);
		stream("a", texts(1, 1));
		for _ = 1, OCTETS // #big do window.keep(current, big, 0); end
		local given = stream("b", {});
		assert(#given == OCTETS // #big and given[1] == big);
		same({ "warn: 1 stanzas were too many to be kept for the worker, and may be lost", "info: 16 stanzas are given to the worker again" }, said);
		window.taken(current, 15);
		assert(#stream("c", {}) == 1 and current.octets == #big);
	end },
	{ "one that is too long takes no other's place, and has its number", function ()
		stream("a", join(texts(1, 2), { ("x"):rep(TOO_LONG) }, texts(4, 5)));
		window.taken(current, 1);
		same(join(texts(2, 2), texts(4, 5)), stream("b", {}));
		window.taken(current, 2);
		same(texts(5, 5), stream("c", {}));
	end },
	{ "copies that go are told", function ()
		stream("a", join(texts(1, 4), { ("x"):rep(TOO_LONG) }));
		window.taken(current, 2);
		window.ends(current, log);
		same({ "warn: the worker had not taken 2 stanzas, and they may be lost" }, said);
		stream("b", {});
		window.taken(current, 3);
		said = {};
		window.ends(current, log);
		same({}, said);
		stream("c", texts(1, COPIES + 1));
		window.ends(current, log);
		same({ "warn: 1 stanzas were too many to be kept for the worker, and may be lost", "warn: the worker had not taken 1024 stanzas, and they may be lost" }, said);
	end },
	{ "what is given three times for nothing is dropped, and said", function ()
		stream("a", texts(1, 2));
		for _, name in ipairs { "b", "c", "d" } do same(texts(1, 2), stream(name, {})); end
		same(texts(2, 2), stream("e", {}));
		same({ "warn: a stanza was given to the worker again 3 times and not taken: it is dropped", "info: 1 stanzas are given to the worker again" }, said);
	end },
};

for _, case in ipairs(cases) do
	current, said = nil, nil;
	local ok, why = pcall(case[2]);
	print(("%s\t%s"):format(ok and "ok" or "failed: " .. tostring(why), case[1]));
end
