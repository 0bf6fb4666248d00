%% Plays streams through mod_stox_window, with a socket in the worker's place: prints a line "ok|failed TAB what" for each case.
-module(window_check).

-export([main/0, log/2]).

-define(DOMAIN, <<"sip.test">>).

main() ->
    true = register(?MODULE, self()),
    ok = logger:remove_handler(default),
    ok = logger:set_primary_config(level, warning),
    ok = logger:add_handler(?MODULE, ?MODULE, #{}),
    {ok, Listener} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(Listener),
    [begin
         put(window, mod_stox_window:new()),
         put(listener, {Listener, Port}),
         Verdict = try Case() of
                       ok -> "ok"
                   catch _:Why -> io_lib:format("failed: ~0p", [Why])
                   end,
         io:format("~ts\t~ts~n", [Verdict, What])
     end || {What, Case} <- cases()],
    halt(0).

cases() ->
    [{"what is not taken is the head of the next stream",
      fun() ->
          stream(<<"a">>, texts(1, 5)),
          taken(<<"a">>, 2),
          same(texts(3, 6), stream(<<"b">>, texts(6, 6)))
      end},
     {"a stream of before has nothing to say",
      fun() ->
          stream(<<"a">>, texts(1, 3)),
          stream(<<"b">>, []),
          taken(<<"a">>, 3),
          same(texts(1, 3), stream(<<"c">>, []))
      end},
     {"more is taken than was written",
      fun() ->
          stream(<<"a">>, texts(1, 3)),
          taken(<<"a">>, 100),
          same([], stream(<<"b">>, [])),
          same(texts(1, 1), stream(<<"c">>, texts(1, 1))),
          same(texts(1, 1), stream(<<"d">>, []))
      end},
     {"it is taken while more than is kept is written",
      fun() ->
          Window = get(window),
          {_, Worker} = spawn_monitor(fun() -> [take_some(Window, Count) || Count <- lists:seq(1, 19999)] end),
          stream(<<"a">>, texts(1, 20000)),
          receive {'DOWN', Worker, process, _, Why} -> normal = Why end,
          taken(<<"a">>, 19999),
          same(texts(20000, 20000), stream(<<"b">>, []))
      end},
     {"1024 are kept",
      fun() ->
          stream(<<"a">>, texts(1, 1100)),
          taken(<<"a">>, 10), % one that went already
          same(texts(77, 1100), stream(<<"b">>, []))
      end},
     {"one that is too long takes no other's place, and has its number",
      fun() ->
          stream(<<"a">>, texts(1, 2) ++ [too_long()] ++ texts(4, 5)),
          taken(<<"a">>, 1),
          same(texts(2, 2) ++ texts(4, 5), stream(<<"b">>, [])),
          taken(<<"b">>, 2),
          same(texts(5, 5), stream(<<"c">>, []))
      end},
     {"what is given three times for nothing is dropped",
      fun() ->
          stream(<<"a">>, texts(1, 2)),
          [same(texts(1, 2), stream(Stream, [])) || Stream <- [<<"b">>, <<"c">>, <<"d">>]],
          same(texts(2, 2), stream(<<"e">>, []))
      end},
     {"copies that go with their owner are told, unless somebody inherits them",
      fun() ->
          stream(<<"a">>, texts(1, 5)),
          taken(<<"a">>, 2),
          _ = said(),
          {Heir, Ref} = spawn_monitor(fun() -> receive stop -> ok end end),
          mod_stox_window:inherited_by(get(window), Heir, ?DOMAIN),
          mod_stox_window:ends(get(window), ?DOMAIN),
          same([], said()),
          Heir ! stop,
          receive {'DOWN', Ref, process, _, _} -> ok end,
          mod_stox_window:ends(get(window), ?DOMAIN),
          Lost = "stox sip.test: the worker had not taken 3 stanzas, and they may be lost",
          same([Lost], said()),
          taken(<<"a">>, 5),
          mod_stox_window:ends(get(window), ?DOMAIN),
          same([], said())
      end},
     {"copies that their heir has are told at its end",
      fun() ->
          stream(<<"a">>, texts(1, 5)),
          _ = said(),
          {Heir, Ref} = spawn_monitor(fun() -> receive {'ETS-TRANSFER', Window, _, _} -> mod_stox_window:ends(Window, ?DOMAIN) end end),
          mod_stox_window:inherited_by(get(window), Heir, ?DOMAIN),
          ets:give_away(get(window), Heir, kept),
          receive {'DOWN', Ref, process, _, Why} -> normal = Why end,
          same(["stox sip.test: the worker had not taken 5 stanzas, and they may be lost"], said())
      end},
     {"what the worker says while no module has the window is not lost",
      fun() ->
          Worker = worker(),
          stream(<<"a">>, texts(1, 5)),
          _ = said(),
          ets:give_away(get(window), Worker, {window, ?DOMAIN}),
          says(<<"a">>, 3),
          ok = mod_stox_worker:catch_up(),
          {ok, _} = mod_stox_worker:window(?DOMAIN),
          says(<<"a">>, 4),
          ok = mod_stox_worker:catch_up(),
          same(texts(5, 5), stream(<<"b">>, [])),
          ok = gen_server:stop(Worker),
          same([], said())
      end},
     {"at the end of the worker's process no more is told as lost than is",
      fun() ->
          Worker = worker(),
          stream(<<"a">>, texts(1, 5)),
          _ = said(),
          ets:give_away(get(window), Worker, {window, ?DOMAIN}),
          says(<<"a">>, 3),
          ok = gen_server:stop(Worker),
          same(["stox sip.test: the worker had not taken 2 stanzas, and they may be lost"], said())
      end},
     {"a window that is gone ends no stream",
      fun() ->
          stream(<<"a">>, []),
          Window = get(window),
          get(stream) ! {send, hd(texts(1, 1))},
          receive sent -> ok after 5000 -> exit(not_sent) end,
          mod_stox_window:drop(Window),
          mod_stox_window:taken(Window, <<"a">>, 1),
          get(stream) ! {send, hd(texts(2, 2))},
          receive sent -> ok after 5000 -> exit(not_sent) end
      end}].

%% The process that has a worker, with lines of a table for what the worker says, and without ejabberd.
worker() ->
    ets:whereis(lines) =/= undefined andalso ets:delete(lines),
    lines = ets:new(lines, [ordered_set, public, named_table]),
    fake("-module(mod_stox_nif). -export([open/2, select/2, next/1, command/2, close/2]). "
         "open(_, _) -> {ok, make_ref()}. select(_, _) -> ok. command(_, _) -> true. close(_, _) -> ok. "
         "next(_) -> case ets:first(lines) of '$end_of_table' -> none; At -> [{_, Line}] = ets:take(lines, At), {ok, Line} end."),
    fake("-module(mod_stox_commands). -export([register/0, unregister/0]). register() -> ok. unregister() -> ok."),
    fake("-module(ejabberd_hooks). -export([add/4, delete/4]). add(_, _, _, _) -> ok. delete(_, _, _, _) -> ok."),
    fake("-module(ejabberd_config). -export([path/0]). path() -> <<\"/nonexistent/ejabberd.yml\">>."),
    fake("-module(mnesia). -export([system_info/1]). system_info(directory) -> \".\"."),
    {ok, Worker} = mod_stox_worker:start_link(),
    Worker.

fake(Source) ->
    {ok, Tokens, _} = erl_scan:string(Source),
    {Module, Beam} = compiled(Tokens, [], []),
    {module, Module} = code:load_binary(Module, "fake", Beam).

compiled([], [], Forms) ->
    {ok, Module, Beam} = compile:forms(lists:reverse(Forms), [nowarn_unused_function, {no_auto_import, [{register, 0}]}]),
    {Module, Beam};
compiled([{dot, _} = Dot | Rest], Form, Forms) ->
    {ok, Parsed} = erl_parse:parse_form(lists:reverse([Dot | Form])),
    compiled(Rest, [], [Parsed | Forms]);
compiled([Token | Rest], Form, Forms) -> compiled(Rest, [Token | Form], Forms).

says(Stream, Count) ->
    Line = {[{t, taken}, {domain, ?DOMAIN}, {stream, Stream}, {count, Count}]},
    ets:insert(lines, {erlang:unique_integer([monotonic]), jiffy:encode(Line)}).

%% A handler of the log, in the process that writes to it.
log(#{msg := {Format, Arguments}}, _) -> ?MODULE ! {said, lists:flatten(io_lib:format(Format, Arguments))};
log(_, _) -> ok.

said() ->
    receive {said, Line} -> [Line | said()]
    after 0 -> []
    end.

texts(First, Last) -> [iolist_to_binary(["<message>", integer_to_list(Number), "</message>"]) || Number <- lists:seq(First, Last)].

too_long() -> <<"<message>", (binary:copy(<<"x">>, 3000000))/binary, "</message>">>.

taken(Stream, Count) -> mod_stox_window:taken(get(window), Stream, Count).

%% About as fast as they are written.
take_some(Window, Count) ->
    Count rem 40 =:= 0 andalso timer:sleep(1),
    mod_stox_window:taken(Window, <<"a">>, Count).

same(Stanzas, Stanzas) -> ok;
same(Expected, Got) -> exit({expected, length(Expected), Expected, got, length(Got), Got}).

%% Writes these on a new stream; what came of it after its handshake.
stream(Name, Stanzas) ->
    Tester = self(),
    {Listener, Port} = get(listener),
    Window = get(window),
    put(stream, spawn(fun() -> writer(Tester, Window, Port, Name, Stanzas) end)),
    {ok, Connection} = gen_tcp:accept(Listener),
    stanzas(read_to_the_end(Connection, <<>>)).

writer(Tester, Window, Port, Name, Stanzas) ->
    {ok, Connection} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]),
    Socket = {Window, ?DOMAIN, Connection},
    [ok = mod_stox_window:send(Socket, Octets) || Octets <- [["<stream:stream id='", Name, "'>"], "<handshake/>" | Stanzas]],
    ok = gen_tcp:shutdown(Connection, write),
    more(Tester, Socket).

more(Tester, Socket) ->
    receive
        {send, Octets} ->
            ok = mod_stox_window:send(Socket, Octets),
            Tester ! sent,
            more(Tester, Socket)
    end.

read_to_the_end(Connection, Before) ->
    case gen_tcp:recv(Connection, 0, 5000) of
        {ok, Octets} -> read_to_the_end(Connection, [Before, Octets]);
        {error, closed} -> iolist_to_binary(Before)
    end.

stanzas(Octets) ->
    [_, After] = binary:split(Octets, <<"<handshake/>">>),
    [<<"<message", Stanza/binary>> || Stanza <- tl(binary:split(After, <<"<message">>, [global]))].
