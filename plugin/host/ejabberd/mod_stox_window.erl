%% Copies of what was written to a service and not taken by it yet: a worker that is killed leaves unread what its socket held. They are
%% given again at the head of the next stream.
%%
%% It stands between ejabberd_service and its socket as a socket module of xmpp_socket: a socket is {Window, Domain, Port}, and each
%% stanza is one call of send/2, in the process of the stream.
-module(mod_stox_window).

-export([new/0, taken/3]).
-export([send/2, setopts/2, close/1, controlling_process/2, get_owner/1, peername/1, sockname/1, get_transport/1]).

-define(COPIES, 1024).
-define(COPIED_OCTETS, 2097152).

%% In the table, beside the copies {Number, Octets}: {window, Stream, First, Next, Octets, Taken}.

%% Belongs to the caller and outlives every stream.
-spec new() -> ets:tid().
new() ->
    Window = ets:new(?MODULE, [set, public]),
    begin_stream(Window, <<>>),
    Window.

%% The worker has the first Count stanzas of that stream for good.
-spec taken(ets:tid(), binary(), non_neg_integer()) -> ok.
taken(Window, Stream, Count) ->
    case ets:lookup(Window, window) of
        [{window, Stream, First, Next, _, Before}] ->
            ets:update_element(Window, window, {6, max(Before, Count)}),
            [drop(Window, Number) || Number <- lists:seq(First, min(Count, Next - 1))],
            ok;
        _ -> ok
    end.

begin_stream(Window, Stream) -> ets:insert(Window, {window, Stream, 1, 1, 0, 0}).

drop(Window, Number) ->
    Size = byte_size(ets:lookup_element(Window, Number, 2)),
    ets:delete(Window, Number),
    ets:update_counter(Window, window, [{3, 1}, {5, -Size}]).

%% --- the socket

send({Window, Domain, Port}, Data) ->
    Octets = iolist_to_binary(Data),
    case kind(Octets) of
        stanza ->
            Stream = get(?MODULE),
            [{window, Of, _, _, _, _}] = ets:lookup(Window, window),
            Of =:= Stream andalso keep(Window, Octets),
            case gen_tcp:send(Port, Octets) of
                ok -> ok;
                {error, _} -> closed(Port)
            end;
        handshake ->
            mod_stox_worker:catch_up(), % what was taken before may wait to be read
            Before = copies(Window, Domain),
            begin_stream(Window, get(?MODULE)),
            [keep(Window, Copy) || Copy <- Before],
            gen_tcp:send(Port, [Octets | Before]);
        {header, Stream} ->
            put(?MODULE, Stream),
            gen_tcp:send(Port, Octets);
        other -> gen_tcp:send(Port, Octets)
    end.

%% Behind the stanzas that wait in this process for their turn: they are kept as well.
closed(Port) ->
    put(closed, true) =:= true orelse (self() ! {tcp_closed, Port}),
    ok.

setopts({_, _, Port}, Options) -> inet:setopts(Port, Options).
close({_, _, Port}) -> gen_tcp:close(Port).
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

keep(Window, Octets) ->
    [_, Next, _] = ets:update_counter(Window, window, [{3, 0}, {4, 1}, {5, byte_size(Octets)}]),
    ets:insert(Window, {Next - 1, Octets}),
    shorten(Window).

shorten(Window) ->
    [{window, _, First, Next, Octets, _}] = ets:lookup(Window, window),
    case Next - First > ?COPIES orelse Octets > ?COPIED_OCTETS of
        true ->
            drop(Window, First),
            shorten(Window);
        false -> ok
    end.

%% Those of the stream before, which go.
copies(Window, Domain) ->
    [{window, _, First, Next, _, Taken}] = ets:lookup(Window, window),
    First - 1 > Taken andalso
        logger:warning("stox ~ts: ~b stanzas were too many to be kept for the worker, and may be lost", [Domain, First - 1 - Taken]),
    Next > First andalso logger:info("stox ~ts: ~b stanzas are given to the worker again", [Domain, Next - First]),
    Copies = [ets:lookup_element(Window, Number, 2) || Number <- lists:seq(First, Next - 1)],
    ets:delete_all_objects(Window),
    Copies.
