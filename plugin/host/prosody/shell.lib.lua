-- prosodyctl shell 'stox:peers()', 'stox:ban("192.0.2.1", 60)', 'stox:status("--json")'

local promise = require "util.promise";
local timer = require "util.timer";
local question_of = part "question";
local send = part "lines".send;
local server = part "state";

local ANSWER_SECONDS = 10;

local shell = {};

local function ask_worker(words)
	return promise.new(function (resolve, reject)
		server.questions = server.questions or {};
		server.last_question = (server.last_question or 0) + 1;
		local question = question_of(words, "shell");
		question.id, question.who = tostring(server.last_question), "shell";
		server.questions[question.id] = { resolve = resolve, reject = reject };
		if not send(question) then
			server.questions[question.id] = nil;
			return reject("the worker does not run");
		end
		timer.add_task(ANSWER_SECONDS, function ()
			if not server.questions[question.id] then return; end
			server.questions[question.id] = nil;
			reject("the worker did not answer");
		end);
	end);
end

function shell.answer(event)
	local waiting = server.questions and server.questions[event.id];
	if not waiting then return; end
	server.questions[event.id] = nil;
	local output = tostring(event.output):gsub("\n$", "");
	if event.code == 0 then waiting.resolve(output); else waiting.reject(output); end
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

return shell;
