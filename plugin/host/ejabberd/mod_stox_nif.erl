%% stox.so as Erlang sees it; plugin/host/abi/nif.c.
-module(mod_stox_nif).

-export([open/2, connect/1, select/2, next/1, command/2, close/2]).
-on_load(load/0).

load() ->
    erlang:load_nif(filename:join(code:priv_dir(stox), "stox_nif"), 0).

%% Worker, or with undefined the engine library inside this VM; absolute paths. The caller owns the handle: its end ends the worker.
-spec open(binary() | undefined, binary() | undefined) -> {ok, reference()} | {error, binary()}.
open(_Worker, _Engine) -> erlang:nif_error(not_loaded).

%% To a worker that is a service of its own, which goes on when the handle ends.
-spec connect(binary()) -> {ok, reference()} | {error, binary()}.
connect(_Control) -> erlang:nif_error(not_loaded).

%% Once, when an event waits, the caller gets {select, Handle, Ref, ready_input}.
-spec select(reference(), reference()) -> ok | closed.
select(_Handle, _Ref) -> erlang:nif_error(not_loaded).

-spec next(reference()) -> {ok, binary()} | none | closed.
next(_Handle) -> erlang:nif_error(not_loaded).

%% false: no worker runs, the line is dropped.
-spec command(reference(), iodata()) -> boolean().
command(_Handle, _Line) -> erlang:nif_error(not_loaded).

-spec close(reference(), non_neg_integer()) -> ok.
close(_Handle, _TimeoutMs) -> erlang:nif_error(not_loaded).
