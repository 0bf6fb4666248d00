%% Tries values of options on what ejabberd would say of them: prints a line "good|bad TAB option TAB accepted|refused: why" for each.
-module(econf_check).

-export([main/1]).

%% A file with a list of [option, "good"|"bad", configuration], as YAML, so that values have the types that ejabberd's reader gives.
main(File) ->
    ok = io:setopts([{encoding, unicode}]),
    {ok, _} = application:ensure_all_started(fast_yaml),
    {ok, [Rows]} = fast_yaml:decode_from_file(File, [plain_as_atom]),
    Types = maps:from_list([{Name, mod_stox_options:type(Name)} || Name <- mod_stox_options:names()]),
    [io:format("~ts\t~ts\t~ts~n", [Which, Option, verdict(Types, Given)]) || [Option, Which, Given] <- Rows],
    halt(0).

verdict(Types, Given) ->
    case econf:validate(econf:options(Types, [unique]), Given) of
        {ok, Values} ->
            _ = jiffy:encode({[{Name, mod_stox_settings:json_value(Value)} || {Name, Value} <- Values]}), % as it goes to the worker
            <<"accepted">>;
        {error, Why, Where} -> ["refused: ", econf:format_error(Why, Where)]
    end.
