%% stox.yml beside ejabberd.yml: the options of the whole server, and where the worker is.
%%
%% A file that cannot be read changes nothing: what was read last goes on to count, and is what the node knows until it ends.
-module(mod_stox_settings).

-export([read/0, current/0, get/3, is_service/1, engine/1, engine/2, control_path/1, worker_path/1, engine_path/1]).
-export([json_value/1, private_directory/0]).

%% Which the worker is not told.
-define(OWN_OPTIONS, [<<"worker">>, <<"engine">>, <<"isolation">>, <<"control">>]).

-type settings() :: [{binary() | atom(), term()}].

%% As the file stands there. No file is no options.
-spec read() -> {ok, settings()} | {error, binary()}.
read() ->
    Path = filename:join(filename:dirname(ejabberd_config:path()), "stox.yml"),
    try fast_yaml:decode_from_file(Path, [plain_as_atom]) of
        {ok, []} -> {ok, []};
        {ok, [Pairs]} -> judged(Path, Pairs);
        {ok, _} -> {error, unicode:characters_to_binary([Path, ": it holds more than one document"])};
        {error, enoent} -> {ok, []};
        {error, Why} -> {error, unicode:characters_to_binary([Path, ": ", fast_yaml:format_error(Why)])}
    catch _:_ -> {error, unicode:characters_to_binary([Path, ": it is no YAML"])}
    end.

%% What is wrong is told of here, not by whoever trips over it.
judged(Path, Pairs) ->
    try is_mapping(Pairs) andalso json_value(Pairs) of
        false -> {error, unicode:characters_to_binary([Path, ": options are wanted, one \"name: value\" in a line"])};
        _ ->
            case [Name || Name <- ?OWN_OPTIONS, not is_binary(get(Name, Pairs, ""))] of
                [] -> {ok, Pairs};
                [Name | _] -> {error, unicode:characters_to_binary([Path, ": ", Name, " is a text"])}
            end
    catch _:_ -> {error, unicode:characters_to_binary([Path, ": there is a name that is no text"])}
    end.

is_mapping(Pairs) -> is_list(Pairs) andalso lists:all(fun(Pair) -> is_tuple(Pair) andalso tuple_size(Pair) =:= 2 end, Pairs).

%% What counts. error: nothing was ever read, so nothing can be started.
-spec current() -> {ok, settings()} | {error, binary()}.
current() ->
    case read() of
        {ok, Settings} ->
            persistent_term:put(?MODULE, Settings),
            {ok, Settings};
        {error, Why} ->
            case persistent_term:get(?MODULE, none) of
                none -> {error, Why};
                Before ->
                    logger:error("stox: ~ts; what it said before stays", [Why]),
                    {ok, Before}
            end
    end.

%% Of an option that the module itself reads.
get(Name, Settings, Default) ->
    case [Value || {Key, Value} <- Settings, json_key(Key) =:= Name] of
        [Value | _] -> json_value(Value);
        [] -> unicode:characters_to_binary(Default)
    end.

is_service(Settings) -> get(<<"isolation">>, Settings, "process") =:= <<"service">>.

control_path(Settings) -> get(<<"control">>, Settings, "/run/stox/control").

worker_path(Settings) -> get(<<"worker">>, Settings, filename:join(code:priv_dir(stox), "stoxd")).

engine_path(Settings) -> get(<<"engine">>, Settings, filename:join(code:priv_dir(stox), "libstox_engine.so")).

%% What the worker is told. What outlives a restart stands beside the sockets, unless the operator wants it elsewhere; a service has a
%% place of its own.
engine(Settings) -> engine(Settings, is_service(Settings)).

%% The isolation that the file asks for by now is that of the next worker.
engine(Settings, IsService) ->
    Given = [Pair || {Key, _} = Pair <- Settings, not lists:member(json_key(Key), ?OWN_OPTIONS)],
    Default = [{state_dir, absolute(filename:join(private_directory(), "state"))}
               || not IsService, not lists:any(fun({Key, _}) -> json_key(Key) =:= <<"state_dir">> end, Given)],
    json_value(Default ++ Given).

absolute(Path) -> unicode:characters_to_binary(filename:absname(Path)).

%% Sockets in it need no other protection.
private_directory() ->
    Directory = filename:join(mnesia:system_info(directory), "stox"),
    ok = filelib:ensure_dir(filename:join(Directory, "x")),
    ok = file:change_mode(Directory, 8#700),
    Directory.

%% What the YAML reader gives, as jiffy takes it: mappings are lists of pairs, plain scalars are atoms.
json_value([{_, _} | _] = Pairs) -> {[{json_key(Key), json_value(Value)} || {Key, Value} <- Pairs]};
json_value(List) when is_list(List) -> [json_value(Value) || Value <- List];
json_value(Map) when is_map(Map) -> {[{json_key(Key), json_value(Value)} || {Key, Value} <- maps:to_list(Map)]};
json_value(Value) when is_boolean(Value); is_number(Value); is_binary(Value); Value =:= null -> Value;
json_value(Value) when is_atom(Value) -> atom_to_binary(Value, utf8);
json_value({Pairs}) -> {Pairs}.

json_key(Key) when is_atom(Key) -> atom_to_binary(Key, utf8);
json_key(Key) when is_integer(Key) -> integer_to_binary(Key);
json_key(Key) when is_binary(Key) -> Key.
