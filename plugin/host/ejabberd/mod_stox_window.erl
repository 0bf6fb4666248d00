%% Copies of what was written to a service and not taken by it yet: a worker that is killed leaves unread what its socket held. They are
%% given again at the head of the next stream.
%%
%% It stands between ejabberd_service and its socket as a socket module of xmpp_socket: a socket is {Window, Domain, Port}, and each
%% stanza is one call of send/2, in the process of the stream.
-module(mod_stox_window).

-export([new/0, secret/1, inherited_by/3, taken/3, leave/2, ends/2, drop/1]).
-export([send/2, setopts/2, close/1, controlling_process/2, get_owner/1, peername/1, sockname/1, get_transport/1]).

-define(COPIES, 1024).
-define(COPIED_OCTETS, 2097152).
-define(STANZA_OCTETS, 262144). % the worker refuses a longer one
-define(TIMES_GIVEN, 3).

%% The table has {current, Stream}, {secret, Secret} of the domain, {{process, Pid}} of each stream, and of a stream:
%% {{window, Stream}, First, Next, Octets}, {{copy, Stream, Number}, Octets, TimesGiven}, {{taken, Stream}, Count}.
%% What is taken is written by the process that hears the worker, all else by that of the stream: no two write the same row.

%% Belongs to the caller and outlives every stream.
-spec new() -> ets:tid().
new() ->
    Window = ets:new(?MODULE, [set, public]),
    ets:insert(Window, {secret, binary:encode_hex(crypto:strong_rand_bytes(32))}),
    begin_stream(Window, <<>>),
    Window.

%% Kept with the window: a module that is back takes the stream as it is.
-spec secret(ets:tid()) -> binary().
secret(Window) -> ets:lookup_element(Window, secret, 2).

%% By its owner: who has it after the owner's end.
-spec inherited_by(ets:tid(), pid(), binary()) -> ok.
inherited_by(Window, Heir, Domain) ->
    ets:setopts(Window, {heir, Heir, {window, Domain}}),
    ok.

%% The worker has the first Count stanzas of that stream for good.
-spec taken(ets:tid(), binary(), non_neg_integer()) -> ok.
taken(Window, Stream, Count) ->
    try ets:insert(Window, {{taken, Stream}, max(count_of(Window, Stream), Count)}) of
        true -> ok
    catch error:badarg -> ok % the domain is gone, and its table
    end.

%% Another node has the domain: ends the streams, and the window. By its owner.
-spec leave(ets:tid(), binary()) -> ok.
leave(Window, Domain) ->
    [xmpp_stream_in:stop_async(Pid) || [Pid] <- ets:match(Window, {{process, '$1'}})],
    tell_left(Window, Domain),
    drop(Window).

%% The table goes with its owner, who calls this, unless somebody inherits it.
-spec ends(ets:tid(), binary()) -> ok.
ends(Window, Domain) ->
    Heir = ets:info(Window, heir),
    is_pid(Heir) andalso Heir =/= self() andalso is_process_alive(Heir) orelse tell_left(Window, Domain),
    ok.

tell_left(Window, Domain) ->
    Left = length(left_of(Window, Domain, current(Window))),
    Left > 0 andalso logger:warning("stox ~ts: the worker had not taken ~b stanzas, and they may be lost", [Domain, Left]).

%% The streams go on until the worker ends them: it may have to tell something yet. By its owner.
-spec drop(ets:tid()) -> ok.
drop(Window) ->
    ets:delete(Window),
    ok.

current(Window) -> ets:lookup_element(Window, current, 2).

count_of(Window, Stream) ->
    case ets:lookup(Window, {taken, Stream}) of
        [{_, Count}] -> Count;
        [] -> 0
    end.

%% There is a current one at any time.
begin_stream(Window, Stream) ->
    ets:insert(Window, {{window, Stream}, 1, 1, 0}),
    ets:insert(Window, {current, Stream}).

forget_others(Window, Stream) ->
    Other = [{'=/=', '$1', Stream}],
    ets:select_delete(Window, [{{{copy, '$1', '_'}, '_', '_'}, Other, [true]},
                               {{{window, '$1'}, '_', '_', '_'}, Other, [true]},
                               {{{taken, '$1'}, '_'}, Other, [true]}]).

remember_process(Window) ->
    [ets:delete(Window, {process, Pid}) || [Pid] <- ets:match(Window, {{process, '$1'}}), not is_process_alive(Pid)],
    ets:insert(Window, {{process, self()}}).

%% --- the socket

send({Window, Domain, Port}, Data) ->
    Octets = iolist_to_binary(Data),
    case kind(Octets) of
        stanza ->
            Kept = is_kept(Window, get(?MODULE), Octets),
            case gen_tcp:send(Port, Octets) of
                ok -> ok;
                {error, _} -> closed(Port, Kept)
            end;
        handshake ->
            mod_stox_worker:catch_up(), % what was taken before may wait to be read
            gen_tcp:send(Port, [Octets | follow(Window, Domain, get(?MODULE))]);
        {header, Stream} ->
            put(?MODULE, Stream),
            remember_process(Window),
            gen_tcp:send(Port, Octets);
        other -> gen_tcp:send(Port, Octets)
    end.

%% Behind the stanzas that wait in this process for their turn: they are kept as well.
closed(Port, Kept) ->
    Kept orelse put(lost, lost() + 1),
    put(closed, true) =:= true orelse (self() ! {tcp_closed, Port}),
    ok.

lost() ->
    case get(lost) of
        undefined -> 0;
        Count -> Count
    end.

close({_, Domain, Port}) ->
    lost() > 0 andalso logger:warning("stox ~ts: ~b stanzas came to a stream after its end, and are lost", [Domain, lost()]),
    gen_tcp:close(Port).

setopts({_, _, Port}, Options) -> inet:setopts(Port, Options).
controlling_process({_, _, Port}, Pid) -> gen_tcp:controlling_process(Port, Pid).
get_owner({_, _, _}) -> self(). % the parser of the stream is its own process
peername({_, _, Port}) -> inet:peername(Port).
sockname({_, _, Port}) -> inet:sockname(Port).
get_transport(_) -> tcp.

kind(<<"<message", _/binary>>) -> stanza;
kind(<<"<iq", _/binary>>) -> stanza;
kind(<<"<presence", _/binary>>) -> stanza;
kind(<<"<handshake", _/binary>>) -> handshake;
kind(Octets) ->
    case re:run(Octets, "<stream:stream[^>]*\\sid=['\"]([^'\"]*)", [{capture, all_but_first, binary}]) of
        {match, [Stream]} -> {header, Stream};
        nomatch -> other
    end.

%% Not of a stream that another one followed, nor of a domain that is gone: their rows, or the table, may go meanwhile.
is_kept(Window, Stream, Octets) ->
    try current(Window) =:= Stream andalso keep(Window, Stream, Octets, 0)
    catch error:badarg -> false
    end.

%% Of one that is too long an empty copy, which has its number and takes no other's place.
keep(Window, Stream, Octets, Given) when byte_size(Octets) > ?STANZA_OCTETS -> keep(Window, Stream, <<>>, Given);
keep(Window, Stream, Octets, Given) ->
    [Number, _] = ets:update_counter(Window, {window, Stream}, [{3, 0}, {4, byte_size(Octets)}]),
    ets:insert(Window, {{copy, Stream, Number}, Octets, Given}),
    ets:update_counter(Window, {window, Stream}, {3, 1}),
    shorten(Window, Stream, count_of(Window, Stream)).

shorten(Window, Stream, Taken) ->
    [First, Next, Octets] = ets:update_counter(Window, {window, Stream}, [{2, 0}, {3, 0}, {4, 0}]),
    case First < Next andalso (First =< Taken orelse Next - First > ?COPIES orelse Octets > ?COPIED_OCTETS) of
        true ->
            Size = byte_size(ets:lookup_element(Window, {copy, Stream, First}, 2)),
            ets:delete(Window, {copy, Stream, First}),
            ets:update_counter(Window, {window, Stream}, [{2, 1}, {4, -Size}]),
            shorten(Window, Stream, Taken);
        false -> true
    end.

%% --- a new stream

%% What is left of the one before is the head of the new one.
follow(Window, Domain, Stream) ->
    Before = current(Window),
    begin_stream(Window, Stream),
    Left = without_suspect(Domain, left_of(Window, Domain, Before)),
    Left =/= [] andalso logger:info("stox ~ts: ~b stanzas are given to the worker again", [Domain, length(Left)]),
    [keep(Window, Stream, Octets, Given + 1) || {Octets, Given} <- Left],
    forget_others(Window, Stream),
    [Octets || {Octets, _} <- Left].

left_of(Window, Domain, Stream) ->
    [{_, First, Next, _}] = ets:lookup(Window, {window, Stream}),
    Taken = count_of(Window, Stream),
    First - 1 > Taken andalso
        logger:warning("stox ~ts: ~b stanzas were too many to be kept for the worker, and may be lost", [Domain, First - 1 - Taken]),
    [{Octets, Given} || Number <- numbers(max(First, Taken + 1), Next - 1),
                        {_, Octets, Given} <- ets:lookup(Window, {copy, Stream, Number}), Octets =/= <<>>].

numbers(First, Last) when First > Last -> [];
numbers(First, Last) -> lists:seq(First, Last).

%% The worker may end of the first one each time.
without_suspect(Domain, [{_, Given} | Rest]) when Given >= ?TIMES_GIVEN ->
    logger:warning("stox ~ts: a stanza was given to the worker again ~b times and not taken: it is dropped", [Domain, Given]),
    Rest;
without_suspect(_, Left) -> Left.
