%% `ejabberdctl stox_doctor`: judges the configuration that this node has, and stox.yml as it stands in the file. It is no command to
%% the worker, for it may be the worker that cannot start.
-module(mod_stox_doctor).

-export([run/1]).

%% What is to be shown, and the exit status when all is not well: 1 warnings, 2 errors.
-spec run(text | json | lines) -> {ok | pos_integer(), binary()}.
run(How) ->
    case mod_stox_settings:read() of
        {error, Why} -> {2, unreadable(How, Why)};
        {ok, Settings} when How =:= lines -> {ok, string:trim(lines(Settings), trailing, "\n")};
        {ok, Settings} ->
            case mod_stox_settings:is_service(Settings) of
                true -> {2, <<"the worker is a service with a user of its own, who has to look:\n"
                              "  ejabberdctl stox \"doctor --lines\" | runuser -u stox -- /usr/libexec/stox/stoxd --doctor">>};
                false -> judged(How, Settings)
            end
    end.

judged(How, Settings) ->
    File = filename:join(mod_stox_settings:private_directory(), "doctor-" ++ binary_to_list(binary:encode_hex(crypto:strong_rand_bytes(8)))),
    ok = file:write_file(File, lines(Settings)),
    Json = case How of
               json -> " --json";
               text -> ""
           end,
    Command = [quoted(mod_stox_settings:worker_path(Settings)), " --doctor", Json, " < ", quoted(File), "; echo $?"],
    Said = unicode:characters_to_binary(string:trim(os:cmd(unicode:characters_to_list(Command)), trailing, "\n")),
    _ = file:delete(File),
    {Output, Status} = last_line(Said),
    {case Status of <<"0">> -> ok; _ -> binary_to_integer(Status) end, Output}.

%% In the doctor's own words and form.
unreadable(json, Why) ->
    jiffy:encode({[{version, <<"0.1.0">>}, {warnings, 0}, {errors, 1},
                   {findings, [{[{level, error}, {check, configuration}, {text, Why}, {advice, <<"correct the file, then reload_config">>}]}]}]});
unreadable(_, Why) -> <<"error    configuration ", Why/binary, "; correct the file, then reload_config\n1 error, 0 warnings">>.

%% What the module would tell the worker.
lines(Settings) ->
    Xmpp = {[{unix, <<"-">>}, {secret, <<"-">>}]}, % not looked at
    Domains = [mod_stox:configured(Host) || Host <- ejabberd_option:hosts(), gen_mod:is_loaded(Host, mod_stox)],
    Lines = [mod_stox_worker:engine_line(mod_stox_settings:engine(Settings)) |
             [mod_stox_worker:domain_line(Domain, #{xmpp_domains => Of, config => Config, xmpp => Xmpp}) || {Domain, {Of, Config}} <- Domains]],
    iolist_to_binary([[jiffy:encode(Line), "\n"] || Line <- Lines]).

quoted(Word) -> ["'", string:replace(Word, "'", "'\\''", all), "'"].

last_line(Text) ->
    case string:split(Text, "\n", trailing) of
        [Before, Last] -> {Before, Last};
        [Last] -> {<<>>, Last}
    end.
