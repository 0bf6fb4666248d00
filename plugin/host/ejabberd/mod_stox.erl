%% mod_stox: SIP and XMPP gateway as a component of ejabberd. One process for each host that has the module; the worker
%% belongs to mod_stox_worker, one for the node. docs/loading.md has the options.
%%
%% The component attaches by XEP-0114 on a private unix socket with a secret that no configuration knows.
-module(mod_stox).

-behaviour(gen_mod).
-behaviour(gen_server).

-export([start/2, stop/1, reload/3, depends/2, mod_options/1, mod_opt_type/1, mod_doc/0]).
-export([init/1, handle_continue/2, handle_call/3, handle_cast/2, handle_info/2, terminate/2, format_status/1]).
-export([accept_loop/3, hold/2, configured/1]).

%% Handed to the worker, which checks them once more; made of plugin/config/schema.json.
-define(DOMAIN_OPTIONS, mod_stox_options:names()).
-define(AGAIN_MS, 200).
-define(REFUSED_MS, 30000).

%% lead: the process that shows the nodes of a cluster that this one leads the domain; leader: a monitor of another node's, while this one
%% stands by. window: {Domain, Table}.
-record(state, {host, domain, options, access, secret, path, socket, worker, lead, leader, window, again}).

%% --- gen_mod

start(Host, Opts) -> gen_mod:start_child(?MODULE, Host, Opts).

stop(Host) -> gen_mod:stop_child(?MODULE, Host).

reload(Host, NewOpts, _OldOpts) -> gen_server:cast(gen_mod:get_module_proc(Host, ?MODULE), {reload, NewOpts}).

depends(_Host, _Opts) -> [].

mod_options(Host) ->
    [{host, <<"sip.", Host/binary>>}, {xmpp_domains, undefined}, {access_admin, configure} | [{Name, undefined} || Name <- ?DOMAIN_OPTIONS]].

mod_opt_type(host) -> econf:host();
mod_opt_type(xmpp_domains) -> econf:list_or_single(econf:domain());
mod_opt_type(access_admin) -> econf:acl();
mod_opt_type(Name) -> mod_stox_options:type(Name).

mod_doc() ->
    #{desc => <<"Gateway between XMPP and SIP, as a component of each host that has it. Options of the whole server stand in stox.yml.">>,
      opts => [{host, #{value => <<"a domain name">>, desc => <<"domain of the gateway, by default sip.@HOST@">>}},
               {xmpp_domains, #{value => <<"list of: a domain name">>, desc => <<"domains whose accounts use the gateway, by default all hosts">>}},
               {access_admin, #{value => <<"AccessName">>, desc => <<"who administers the domain, by default configure">>}}
               | mod_stox_options:doc()]}.

%% --- the process of one host

init([Host | _]) ->
    process_flag(trap_exit, true),
    {ok, #state{host = Host}, {continue, open}}.

%% Not in init: the supervisor that waits for it is the one that starts the worker's process.
handle_continue(open, #state{host = Host} = State) -> {noreply, open(State, gen_mod:get_module_opts(Host, ?MODULE))}.

handle_call(_Request, _From, State) -> {reply, ok, State}.

handle_cast({reload, Opts}, #state{domain = Domain} = State) ->
    case gen_mod:get_opt(host, Opts) of
        Domain when State#state.leader =/= undefined -> {noreply, State}; % it reads them when it leads
        Domain when State#state.socket =/= undefined -> {noreply, set(State#state{options = options(Opts), access = gen_mod:get_opt(access_admin, Opts)})};
        _ -> {noreply, open(close(State), Opts)}
    end.

%% The worker's process ended: another one starts with the first domain that asks for it.
handle_info({'DOWN', Ref, process, _, Reason}, #state{worker = Ref} = State) ->
    Wait = case Reason of
               noproc -> ?REFUSED_MS; % it did not even start, and said why
               _ -> ?AGAIN_MS
           end,
    erlang:send_after(Wait, self(), set),
    {noreply, State#state{worker = undefined}};
handle_info({'DOWN', Ref, process, _, _}, #state{host = Host, leader = Ref} = State) ->
    {noreply, open(State#state{leader = undefined}, gen_mod:get_module_opts(Host, ?MODULE))};
handle_info({another_leads, Lead, Domain}, #state{host = Host, lead = Lead} = State) ->
    logger:warning("stox ~ts: the nodes of the cluster found each other again, and another one has it", [Domain]),
    {noreply, open(leave_window(close(State, elsewhere)), gen_mod:get_module_opts(Host, ?MODULE))};
handle_info(set, #state{socket = undefined} = State) -> {noreply, State};
handle_info(set, State) -> {noreply, set(State)};
handle_info(open, #state{host = Host, socket = undefined, leader = undefined} = State) -> {noreply, open(State, gen_mod:get_module_opts(Host, ?MODULE))};
handle_info({'EXIT', _, normal}, State) -> {noreply, State};
handle_info({'EXIT', _, Reason}, State) -> {stop, Reason, State};
handle_info(_, State) -> {noreply, State}.

terminate(_Reason, State) ->
    case close_at_end(State) of
        #state{window = {Domain, Window}} -> mod_stox_window:ends(Window, Domain);
        _ -> ok
    end.

close_at_end(#state{socket = undefined} = State) -> State;
close_at_end(State) -> close(State).

%% What a crash report shows of it.
format_status(#{state := #state{} = State} = Status) -> Status#{state := State#state{secret = hidden}};
format_status(Status) -> Status.

open(State, Opts) ->
    Domain = gen_mod:get_opt(host, Opts),
    Known = State#state{domain = Domain},
    case lead(Known) of
        {true, Lead} -> open(Known#state{lead = Lead}, Opts, Domain);
        {false, Leader} -> stand_by(Known, Leader)
    end.

open(Before, Opts, Domain) ->
    #state{window = {Domain, Window}} = State = with_window(Before, Domain),
    Secret = mod_stox_window:secret(Window),
    Opened = State#state{domain = Domain, options = options(Opts), access = gen_mod:get_opt(access_admin, Opts), secret = Secret},
    case listen(Domain) of
        {ok, Isolation, Path, Socket} ->
            spawn_link(?MODULE, accept_loop, [Socket, {Isolation =:= service, Window, Domain}, service_options(Domain, Secret)]),
            set(Opened#state{socket = Socket, path = Path});
        {error, Why} -> % a crash would take all of ejabberd's modules with it
            logger:error("stox ~ts: ~ts; trying again", [Domain, Why]),
            mod_stox_commands:register(), % the doctor's, if nothing of the gateway runs
            give_up(again_later(Opened#state{socket = undefined}))
    end.

again_later(#state{again = Before} = State) ->
    is_reference(Before) andalso erlang:cancel_timer(Before),
    State#state{again = erlang:send_after(?REFUSED_MS, self(), open)}.

%% To another node, if there is one.
give_up(State) ->
    case ejabberd_cluster:get_nodes() of
        [_] -> State;
        _ -> resign(leave(State))
    end.

listen(Domain) ->
    try mod_stox_worker:socket_place() of
        {ok, Isolation, Directory, Prefix, Mode} ->
            Path = socket_path(Domain, Directory, Prefix),
            case listen(Path, Mode) of
                {ok, Socket} -> {ok, Isolation, Path, Socket};
                {error, Why} -> {error, ["cannot listen on ", Path, ": ", file:format_error(Why)]}
            end;
        Error -> Error
    catch _:{badmatch, {error, Why}} -> {error, ["no directory for its socket: ", file:format_error(Why)]} % another user's
    end.

listen(Path, Mode) ->
    _ = file:delete(Path),
    case gen_tcp:listen(0, [{ifaddr, {local, Path}}, binary, {packet, 0}, {active, false}, {backlog, 8},
                            {send_timeout, 15000}, {send_timeout_close, true}]) of
        {ok, Socket} ->
            _ = file:change_mode(Path, Mode),
            {ok, Socket};
        Error -> Error
    end.

%% Of this domain: another one has a new one.
with_window(#state{window = {Domain, _}} = State, Domain) -> State;
with_window(State, Domain) -> (drop_window(State))#state{window = {Domain, kept_window(Domain)}}.

kept_window(Domain) ->
    case mod_stox_worker:window(Domain) of
        {ok, Window} -> Window;
        none -> mod_stox_window:new()
    end.

drop_window(#state{window = undefined} = State) -> State;
drop_window(#state{window = {_, Window}} = State) ->
    mod_stox_window:drop(Window),
    State#state{window = undefined}.

leave_window(#state{window = undefined} = State) -> State;
leave_window(#state{window = {Domain, Window}} = State) ->
    mod_stox_window:leave(Window, Domain),
    State#state{window = undefined}.

close(#state{host = Host, domain = Domain} = State) ->
    case still_configured(Host, Domain) of
        true -> close(State, stops);
        false -> drop_window(close(State, gone))
    end.

close(#state{leader = Leader} = State, _) when is_reference(Leader) ->
    erlang:demonitor(Leader, [flush]),
    State#state{leader = undefined};
close(#state{socket = undefined} = State, _) -> resign(State);
close(#state{domain = Domain, socket = Socket, path = Path, worker = Worker} = State, How) ->
    is_reference(Worker) andalso erlang:demonitor(Worker, [flush]),
    mod_stox_worker:remove(Domain, How),
    _ = gen_tcp:close(Socket),
    _ = file:delete(Path),
    resign(State#state{worker = undefined, socket = undefined}).

%% --- one node of a cluster leads a domain: with several connections ejabberd would split or lose its traffic. Who leads has a process
%% under a global name; when that is gone, or its node, the others try to take the name.

lead(#state{lead = Lead}) when is_pid(Lead) -> {true, Lead};
lead(#state{domain = Domain}) ->
    Name = {?MODULE, Domain},
    global:sync(), % a node that has just come knows no names of the others yet
    Lead = spawn(?MODULE, hold, [self(), Domain]),
    case global:register_name(Name, Lead, fun global:random_notify_name/3) of
        yes -> {true, Lead};
        no ->
            Lead ! resign,
            {false, global:whereis_name(Name)}
    end.

%% Until its owner resigns or ends, or the halves of a cluster find each other again and the other one was chosen.
hold(Owner, Domain) ->
    Ref = erlang:monitor(process, Owner),
    receive
        {'DOWN', Ref, process, _, _} -> ok;
        {global_name_conflict, _} -> Owner ! {another_leads, self(), Domain};
        resign -> ok
    end.

resign(#state{lead = Lead} = State) ->
    is_pid(Lead) andalso (Lead ! resign),
    State#state{lead = undefined}.

stand_by(State, undefined) -> % it ended just now
    erlang:send_after(?AGAIN_MS, self(), open),
    State;
stand_by(#state{domain = Domain} = Before, Leader) ->
    State = leave(Before),
    logger:info("stox ~ts: stands by, ~ts has it", [Domain, node(Leader)]),
    State#state{leader = erlang:monitor(process, Leader)}.

%% This process led the domain, or one before it, and its service is attached here yet.
leave(#state{domain = Domain, window = {Domain, _}} = State) ->
    mod_stox_worker:remove(Domain, elsewhere),
    leave_window(State);
leave(#state{domain = Domain} = State) ->
    case mod_stox_worker:window(Domain) of
        {ok, Window} -> leave((drop_window(State))#state{window = {Domain, Window}});
        none -> drop_window(State)
    end.

%% Only one that is gone from the file is gone for good: its users are told about messages that wait. At a stop of the server, or
%% of the module, the file still has it.
still_configured(Host, Domain) ->
    lists:member(Host, ejabberd_option:hosts()) andalso
        case lists:keyfind(?MODULE, 1, ejabberd_option:modules(Host)) of
            false -> false;
            Module -> gen_mod:get_opt(host, element(2, Module)) =:= Domain
        end.

set(#state{worker = Before, window = {_, Window}} = State) ->
    is_reference(Before) andalso erlang:demonitor(Before, [flush]),
    #state{host = Host, domain = Domain, options = {XmppDomains, Config}, access = Access, path = Path, secret = Secret} = State,
    Worker = mod_stox_worker:set(Domain, #{xmpp_domains => XmppDomains, config => Config, host => Host, access => Access, window => Window,
                                           xmpp => #{unix => unicode:characters_to_binary(Path), secret => Secret}}),
    State#state{worker = Worker}.

%% What a host's module says of its domain.
-spec configured(binary()) -> {binary(), {undefined | [binary()], map()}}.
configured(Host) ->
    Opts = gen_mod:get_module_opts(Host, ?MODULE),
    {gen_mod:get_opt(host, Opts), options(Opts)}.

options(Opts) ->
    Given = [{Name, gen_mod:get_opt(Name, Opts)} || Name <- ?DOMAIN_OPTIONS],
    {gen_mod:get_opt(xmpp_domains, Opts),
     maps:from_list([{Name, mod_stox_settings:json_value(Value)} || {Name, Value} <- Given, Value =/= undefined])}.

%% A path for a socket has 107 octets at most, so a digest stands for the domain, and for the node where other servers have sockets.
socket_path(Domain, Directory, Prefix) ->
    <<Digest:8/binary, _/binary>> = crypto:hash(sha256, [Domain, Prefix, mod_stox_worker:server_name()]),
    filename:join(Directory, Prefix ++ binary_to_list(binary:encode_hex(Digest)) ++ ".sock").

%% --- XEP-0114 on our own socket: ejabberd_service serves it, no listener of the configuration is involved.

%% Without global_routes false a component would get the routes of every domain of its listener.
service_options(Domain, Secret) ->
    Own = [{hosts, [{Domain, Secret}]}, {global_routes, false}, {max_stanza_size, 524288}, {check_from, true}],
    Rest = [{Name, Value} || {Name, Value} <- ejabberd_service:listen_options(), not lists:keymember(Name, 1, Own)],
    Own ++ Rest.

accept_loop(Socket, Through, Options) ->
    case gen_tcp:accept(Socket) of
        {ok, Connection} ->
            serve(Connection, Through, Options),
            accept_loop(Socket, Through, Options);
        {error, closed} -> ok;
        {error, _} ->
            timer:sleep(?AGAIN_MS),
            accept_loop(Socket, Through, Options)
    end.

serve(Connection, {true, Window, Domain}, Options) -> serve_by(mod_stox_window, {Window, Domain, Connection}, Connection, Options);
serve(Connection, {false, _, _}, Options) -> serve_by(gen_tcp, Connection, Connection, Options).

serve_by(Module, Socket, Connection, Options) ->
    case ejabberd_service:start(Module, Socket, Options) of
        {ok, Pid} ->
            case gen_tcp:controlling_process(Connection, Pid) of
                ok -> ejabberd_service:accept(Pid);
                {error, _} -> gen_tcp:close(Connection)
            end;
        _ -> gen_tcp:close(Connection)
    end.
