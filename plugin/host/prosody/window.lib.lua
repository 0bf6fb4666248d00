-- Copies of what was written to a service and not taken by it yet: a worker that is killed leaves unread what its socket held. They are
-- given again at the head of the next stream. A window is of one stream, stanzas have its numbers from 1 on; it knows no socket.

local COPIES, COPIED_OCTETS = 1024, 2 * 1024 * 1024;
local STANZA_OCTETS = 256 * 1024; -- the worker refuses a longer one
local TIMES_GIVEN = 3;

local window = {};

function window.new(stream) return { stream = stream, first = 1, next = 1, octets = 0, copies = {}, times_given = {}, taken = 0 }; end

local function drop(kept)
	local first = kept.first;
	kept.octets = kept.octets - #kept.copies[first];
	kept.copies[first], kept.times_given[first] = nil, nil;
	kept.first = first + 1;
end

-- Of one that is too long an empty copy, which has its number and takes no other's place.
function window.keep(kept, octets, times_given)
	if #octets > STANZA_OCTETS then octets = ""; end
	kept.copies[kept.next], kept.times_given[kept.next] = octets, times_given;
	kept.next = kept.next + 1;
	kept.octets = kept.octets + #octets;
	while kept.next - kept.first > COPIES or kept.octets > COPIED_OCTETS do drop(kept); end
end

-- How much of its stream the worker has, for good.
function window.taken(kept, count)
	kept.taken = math.max(kept.taken, count);
	while kept.first < kept.next and kept.first <= count do drop(kept); end
end

local function tell_left_out(kept, log)
	local left_out = kept.first - 1 - kept.taken;
	if left_out > 0 then log("warn", "%d stanzas were too many to be kept for the worker, and may be lost", left_out); end
end

-- It goes, and what is in it.
function window.ends(kept, log)
	tell_left_out(kept, log);
	local left = 0;
	for number = kept.first, kept.next - 1 do
		if kept.copies[number] ~= "" then left = left + 1; end
	end
	if left > 0 then log("warn", "the worker had not taken %d stanzas, and they may be lost", left); end
end

-- At the head of a new stream, by send(octets, times_given): what is left of the one before. log(level, text, ...) is told of losses.
function window.give_again(before, log, send)
	tell_left_out(before, log);
	while before.copies[before.first] == "" do drop(before); end
	local times = before.times_given[before.first];
	if times and times >= TIMES_GIVEN then -- the worker may end of it each time
		log("warn", "a stanza was given to the worker again %d times and not taken: it is dropped", times);
		drop(before);
	end
	local count = 0;
	for number = before.first, before.next - 1 do
		local octets = before.copies[number];
		if octets ~= "" then
			count = count + 1;
			send(octets, before.times_given[number] + 1);
		end
	end
	if count > 0 then log("info", "%d stanzas are given to the worker again", count); end
end

return window;
