-- "ban 192.0.2.1 60 --json" as words: what the worker is asked.
return function (words, via)
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
