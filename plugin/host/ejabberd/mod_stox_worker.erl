%% Holds the node's one worker for all hosts that have mod_stox: passes each domain to it, again after each of its starts,
%% and its log lines to the server's log. Ends 30 s after the last domain.
-module(mod_stox_worker).

-behaviour(gen_server).

-export([set/2, remove/2, window/1, catch_up/0, ask/1, socket_place/0, server_name/0, config_reloaded/0, engine_line/1, domain_line/2]).
-export([start_link/0, init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2, format_status/1]).

-define(CONTROL_VERSION, 1).
-define(KEEP_MS, 30000).
-define(CLOSE_MS, 3000).
-define(EVENTS_AT_ONCE, 200).
-define(EVENTS_AT_END, 10000).
-define(ANSWER_MS, 10000).

%% windows: those inherited from modules that ended; tables: the latest of each domain, whoever has it now.
-record(state, {handle, ref, service = false, running = false, down = false, domains = #{}, owners = #{}, windows = #{}, tables = #{}, engine = #{}, keep, questions = #{}, last_question = 0}).

%% Adds or changes a domain of the calling process, whose end removes it. Returns a monitor of the worker's process.
-spec set(binary(), map()) -> reference().
set(Domain, #{window := Window} = Settings) ->
    ensure_started(),
    Ref = erlang:monitor(process, ?MODULE),
    Worker = whereis(?MODULE),
    is_pid(Worker) andalso mod_stox_window:inherited_by(Window, Worker, Domain),
    gen_server:cast(?MODULE, {set, Domain, self(), Settings}),
    Ref.

%% gone: from the configuration, for good; stops: its server or module does; elsewhere: another node has it.
-spec remove(binary(), gone | stops | elsewhere) -> ok.
remove(Domain, How) -> gen_server:cast(?MODULE, {remove, Domain, self(), How}).

%% The window of a domain whose module's process ended, for the calling process.
-spec window(binary()) -> {ok, ets:tid()} | none.
window(Domain) ->
    try gen_server:call(?MODULE, {window, Domain})
    catch exit:_ -> none
    end.

%% Returns when what the worker has said so far was read.
-spec catch_up() -> ok.
catch_up() ->
    try gen_server:call(?MODULE, catch_up)
    catch exit:_ -> ok
    end.

%% A command of an operator, as words; what is to be shown, and the exit status when it did not succeed.
-spec ask([binary()]) -> {ok | pos_integer(), binary()}.
ask(Words) ->
    try gen_server:call(?MODULE, {admin, Words}, ?ANSWER_MS) of
        {0, Output} -> {ok, Output};
        {Code, Output} -> {Code, Output}
    catch exit:_ -> {1, <<"the worker did not answer">>}
    end.

%% Hook: the list of hosts or stox.yml may be another.
config_reloaded() -> gen_server:cast(?MODULE, reload).

%% Where a component socket stands, how its name begins, and its mode. A service has a user of its own, who cannot enter the private
%% directory: then it is beside the control socket, in a directory whose group has the servers and the service in it.
-spec socket_place() -> {ok, process | service, file:filename(), string(), integer()} | {error, binary()}.
socket_place() ->
    case mod_stox_settings:current() of
        {ok, Settings} ->
            case mod_stox_settings:is_service(Settings) of
                true -> {ok, service, filename:dirname(binary_to_list(mod_stox_settings:control_path(Settings))), "ejabberd-", 8#660};
                false -> {ok, process, mod_stox_settings:private_directory(), "", 8#600}
            end;
        Error -> Error
    end.

%% This node among all servers of its user.
server_name() -> unicode:characters_to_binary(["ejabberd ", filename:absname(mnesia:system_info(directory))]).

%% --- the process

%% Temporary: after a crash the domains ask for it again (mod_stox monitors it).
ensure_started() ->
    Child = #{id => ?MODULE, start => {?MODULE, start_link, []}, restart => temporary, shutdown => 2 * ?CLOSE_MS},
    case supervisor:start_child(ejabberd_gen_mod_sup, Child) of
        {ok, _} -> ok;
        {error, {already_started, _}} -> ok;
        {error, Why} -> logger:error("stox: ~p", [Why])
    end.

start_link() -> gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

init([]) ->
    process_flag(trap_exit, true),
    ejabberd_hooks:add(config_reloaded, ?MODULE, config_reloaded, 50),
    mod_stox_commands:register(), % the doctor is asked for when it is the worker that does not start
    case open() of
        {ok, Handle, Settings} ->
            {ok, poll(with_settings(Settings, #state{handle = Handle}))};
        {error, Why} ->
            ejabberd_hooks:delete(config_reloaded, ?MODULE, config_reloaded, 50),
            logger:error("stox: ~ts", [Why]),
            {stop, {shutdown, Why}}
    end.

handle_call({admin, Words}, From, #state{questions = Questions, last_question = Last} = State) ->
    Id = integer_to_binary(Last + 1),
    case send(State, admin_question(Words, [{id, Id}, {who, <<"server">>}, {via, <<"ejabberdctl">>}])) of
        true -> {noreply, State#state{questions = Questions#{Id => From}, last_question = Last + 1}};
        _ -> {reply, {1, <<"the worker does not run">>}, State}
    end;
handle_call({window, Domain}, {Owner, _}, #state{windows = Windows} = State) ->
    case maps:take(Domain, Windows) of
        {Window, Rest} ->
            ets:give_away(Window, Owner, kept),
            {reply, {ok, Window}, State#state{windows = Rest}};
        error -> {reply, none, State}
    end;
handle_call(catch_up, _From, State) -> {reply, ok, drain(State, ?EVENTS_AT_ONCE)};
handle_call(_Request, _From, State) -> {reply, ok, State}.

handle_cast({set, Domain, Owner, #{window := Window} = Settings}, Before) ->
    #state{domains = Domains, owners = Owners, tables = Tables} = State = revive(Before),
    forget(Domain, Owners),
    Known = Owners#{Domain => {Owner, erlang:monitor(process, Owner)}},
    send_domain(State, Domain, Settings),
    {noreply, keep(State#state{domains = Domains#{Domain => Settings}, owners = Known, tables = Tables#{Domain => Window}})};
handle_cast({remove, Domain, Owner, How}, #state{owners = Owners} = State) ->
    case Owners of
        #{Domain := {Owner, _}} -> {noreply, remove_domain(Domain, How, State)};
        #{Domain := _} -> {noreply, State};
        _ when How =:= elsewhere -> {noreply, remove_domain(Domain, How, State)}; % of a process that ended before, which a service kept
        _ -> {noreply, State}
    end;
handle_cast(reload, State) ->
    Revived = revive(State),
    case mod_stox_settings:current() of
        {ok, Settings} ->
            Next = Revived#state{engine = mod_stox_settings:engine(Settings, Revived#state.service)},
            send_all(Next),
            {noreply, Next};
        {error, Why} ->
            logger:error("stox: ~ts", [Why]),
            {noreply, Revived}
    end.

handle_info({select, Handle, Ref, ready_input}, #state{handle = Handle, ref = Ref} = State) ->
    {noreply, poll(drain(State, ?EVENTS_AT_ONCE))};
handle_info({'DOWN', _, process, Owner, _}, #state{owners = Owners} = State) ->
    Gone = [Domain || {Domain, {Pid, _}} <- maps:to_list(Owners), Pid =:= Owner],
    {noreply, lists:foldl(fun(Domain, Left) -> remove_domain(Domain, stops, Left) end, State, Gone)};
handle_info({'ETS-TRANSFER', Window, _, {window, Domain}}, #state{windows = Windows, tables = Tables} = State) ->
    [ets:delete(Older) || {ok, Older} <- [maps:find(Domain, Windows)]],
    {noreply, State#state{windows = Windows#{Domain => Window}, tables = Tables#{Domain => Window}}};
handle_info(unused, #state{domains = Domains} = State) when map_size(Domains) =:= 0 -> {stop, normal, State};
handle_info(_, State) -> {noreply, State}.

%% What the worker said it has is heard first, or it would be told of as lost.
terminate(_Reason, State) ->
    #state{handle = Handle, windows = Windows} = drain(State, ?EVENTS_AT_END),
    maps:foreach(fun(Domain, Window) -> mod_stox_window:ends(Window, Domain) end, Windows),
    mod_stox_commands:unregister(),
    ejabberd_hooks:delete(config_reloaded, ?MODULE, config_reloaded, 50),
    mod_stox_nif:close(Handle, ?CLOSE_MS).

%% What a crash report shows of it: no secret.
format_status(Status) ->
    maps:map(fun(state, #state{domains = Domains} = State) -> State#state{domains = maps:keys(Domains)};
                (message, {'$gen_cast', {set, Domain, Owner, _}}) -> {set, Domain, Owner, hidden};
                (_, Value) -> Value
             end, Status).

%% One that ended too often stays down until somebody changes something: then it has another chance.
revive(#state{down = false} = State) -> State;
revive(#state{handle = Handle} = State) ->
    mod_stox_nif:close(Handle, ?CLOSE_MS),
    case open() of
        {ok, New, Settings} -> poll(with_settings(Settings, State#state{handle = New, running = false, down = false}));
        {error, Why} ->
            logger:error("stox: ~ts", [Why]),
            State
    end.

%% --- domains

forget(Domain, Owners) ->
    case Owners of
        #{Domain := {_, Ref}} -> erlang:demonitor(Ref, [flush]);
        _ -> ok
    end.

%% A service keeps a domain whose server or module only stops.
remove_domain(Domain, How, #state{domains = Domains, owners = Owners, tables = Tables, service = Service} = State) ->
    forget(Domain, Owners),
    case Service andalso How =:= stops of
        true -> ok;
        false -> send(State, {[{t, <<"domain-remove">>}, {domain, Domain}, {for_good, How =:= gone}]})
    end,
    Left = case How of
               stops -> Tables;
               _ -> maps:remove(Domain, Tables)
           end,
    keep(State#state{domains = maps:remove(Domain, Domains), owners = maps:remove(Domain, Owners), tables = Left}).

keep(#state{keep = Timer, domains = Domains} = State) ->
    is_reference(Timer) andalso erlang:cancel_timer(Timer),
    case map_size(Domains) of
        0 -> State#state{keep = erlang:send_after(?KEEP_MS, self(), unused)};
        _ -> State#state{keep = undefined}
    end.

send_all(#state{domains = Domains, engine = Engine} = State) ->
    send(State, engine_line(Engine)),
    maps:foreach(fun(Domain, Settings) -> send_domain(State, Domain, Settings) end, Domains).

send_domain(State, Domain, Settings) -> send(State, domain_line(Domain, Settings)).

engine_line(Engine) -> {[{t, <<"engine-set">>}, {config, Engine}]}.

domain_line(Domain, #{xmpp_domains := XmppDomains, config := Config, xmpp := Xmpp}) ->
    Hosts = case XmppDomains of
                undefined -> ejabberd_option:hosts();
                _ -> XmppDomains
            end,
    {[{t, <<"domain-set">>}, {domain, Domain}, {xmpp_domains, Hosts}, {xmpp, Xmpp}, {config, Config}]}.

%% Before "started" nothing is sent, and with it everything.
send(#state{running = false}, _) -> false;
send(#state{handle = Handle}, Line) -> mod_stox_nif:command(Handle, jiffy:encode(Line)).

%% --- the worker's events

poll(#state{handle = Handle} = State) ->
    Ref = make_ref(),
    mod_stox_nif:select(Handle, Ref),
    State#state{ref = Ref}.

drain(State, 0) -> State;
drain(#state{handle = Handle} = State, Left) ->
    case mod_stox_nif:next(Handle) of
        {ok, Line} ->
            Next = try taken(jiffy:decode(Line, [return_maps]), State)
                   catch _:Why ->
                       logger:error("stox: event of the worker: ~p", [Why]),
                       State
                   end,
            drain(Next, Left - 1);
        _ -> State
    end.

taken(#{<<"t">> := <<"worker">>, <<"state">> := Is} = Event, State) ->
    [gen_server:reply(From, {1, <<"the worker ended">>}) || From <- maps:values(State#state.questions)],
    Next = State#state{running = Is =:= <<"started">>, down = maps:get(<<"restart_ms">>, Event, 0) < 0, questions = #{}},
    take(Event, Next),
    Next;
taken(#{<<"t">> := <<"admin">>, <<"id">> := Id, <<"code">> := Code, <<"output">> := Output}, #state{questions = Questions} = State) ->
    case Questions of
        #{Id := From} -> gen_server:reply(From, {Code, string:trim(Output, trailing, "\n")});
        _ -> ok
    end,
    State#state{questions = maps:remove(Id, Questions)};
taken(#{<<"t">> := <<"taken">>, <<"domain">> := Domain, <<"stream">> := Stream, <<"count">> := Count}, #state{tables = Tables} = State) ->
    case Tables of % also while no module has it: the worker says each mark once
        #{Domain := Window} -> mod_stox_window:taken(Window, Stream, Count);
        _ -> ok
    end,
    State;
%% Until the next reload, which revives it.
taken(#{<<"t">> := <<"stop-wanted">>}, #state{handle = Handle} = State) ->
    logger:info("stox: an administrator stops the worker until the next reload_config"),
    mod_stox_nif:close(Handle, ?CLOSE_MS),
    State#state{running = false, down = true};
taken(Event, State) ->
    take(Event, State),
    State.

take(#{<<"t">> := <<"log">>, <<"level">> := Level, <<"text">> := Text} = Event, _) -> log(level(Level), Event, Text);
take(#{<<"t">> := <<"worker">>, <<"state">> := <<"started">>, <<"pid">> := Pid}, State) ->
    case State#state.service of
        true -> logger:info("stox: connected to the worker, pid ~b", [Pid]);
        false -> logger:info("stox: worker started, pid ~b; it ends with this server, and what it carries with it", [Pid])
    end,
    send(State, {[{stox, ?CONTROL_VERSION}, {version, <<"0.1.0">>}, {features, []}, {server, server_name()}]}),
    send_all(State);
take(#{<<"t">> := <<"worker">>, <<"state">> := <<"ended">>, <<"how">> := How, <<"restart_ms">> := -1}, _) ->
    logger:error("stox: worker ~ts; it ended too often and stays down until the next reload_config", [How]);
take(#{<<"t">> := <<"worker">>, <<"state">> := <<"ended">>, <<"how">> := How, <<"restart_ms">> := Ms}, #state{service = true}) ->
    logger:warning("stox: worker ~ts, trying again in ~b ms", [How, Ms]);
take(#{<<"t">> := <<"worker">>, <<"state">> := <<"ended">>, <<"how">> := How, <<"restart_ms">> := Ms}, _) ->
    logger:warning("stox: worker ~ts, restart in ~b ms", [How, Ms]);
take(#{<<"t">> := <<"listening">>, <<"sip">> := Sip}, _) ->
    logger:info("stox: listening for SIP on ~ts", [lists:join(", ", Sip)]);
take(#{<<"t">> := <<"up">>} = Event, _) -> log(info, Event, <<"attached">>);
take(#{<<"t">> := <<"down">>} = Event, _) -> log(warning, Event, [<<"detached: ">>, maps:get(<<"reason">>, Event, <<>>)]);
take(#{<<"t">> := <<"removed">>} = Event, _) -> log(info, Event, <<"removed">>);
take(#{<<"t">> := <<"config-error">>, <<"problems">> := Problems} = Event, _) ->
    Kept = case maps:get(<<"kept">>, Event, false) of
               true -> <<"; the configuration before it stays">>;
               false -> <<>>
           end,
    [log(error, Event, [option(Path), Text, Kept]) || #{<<"path">> := Path, <<"text">> := Text} <- Problems];
take(#{<<"t">> := <<"authz">>, <<"id">> := Id} = Event, State) ->
    send(State, {[{t, <<"authz">>}, {id, Id}, {allowed, is_admin(Event, State)}]});
%% Not by this process, which is told of the end of it.
take(#{<<"t">> := <<"reload-wanted">>}, _) -> spawn(ejabberd_config, reload, []);
take(#{<<"t">> := <<"unsupported">>, <<"of">> := Of}, _) ->
    logger:warning("stox: the worker does not know ~ts: it is older than this module, restart the server", [Of]);
take(#{<<"stox">> := Version}, _) when Version =/= ?CONTROL_VERSION ->
    logger:error("stox: the worker speaks control version ~p, this module ~b: upgrade the older one and restart the server",
                 [Version, ?CONTROL_VERSION]);
take(_, _) -> ok.

%% What is wrong may be of no option.
option(<<>>) -> [];
option(Path) -> ["option ", Path, ": "].

level(<<"error">>) -> error;
level(<<"warn">>) -> warning;
level(<<"debug">>) -> debug;
level(_) -> info.

log(Level, Event, Text) ->
    case maps:get(<<"domain">>, Event, <<>>) of
        <<>> -> logger:log(Level, "stox: ~ts", [Text]);
        Domain -> logger:log(Level, "stox ~ts: ~ts", [Domain, Text])
    end.

%% --- administration

%% Who may configure the domain, by the rule of its host; or the whole server.
is_admin(#{<<"jid">> := Jid, <<"domain">> := Domain, <<"scope">> := Scope}, #state{domains = Domains}) ->
    case Domains of
        #{Domain := #{host := Host, access := Access}} ->
            {Where, Rule} = case Scope of
                                <<"worker">> -> {global, configure}; % whoever may configure the whole server, whatever a host says
                                _ -> {Host, Access}
                            end,
            try acl:match_rule(Where, Rule, jid:decode(Jid)) =:= allow
            catch _:_ -> false
            end;
        _ -> false
    end.

admin_question(Words, Fields) ->
    {Command, Arguments, Options} = admin_words(Words, [], []),
    {[{t, <<"admin">>}, {command, Command}, {arguments, Arguments} | Fields ++ Options]}.

admin_words([<<"--json">> | Rest], Plain, Options) -> admin_words(Rest, Plain, [{json, true} | Options]);
admin_words([<<"--domain">>, Domain | Rest], Plain, Options) -> admin_words(Rest, Plain, [{domain, Domain} | Options]);
admin_words([Word | Rest], Plain, Options) -> admin_words(Rest, [Word | Plain], Options);
admin_words([], Plain, Options) ->
    case lists:reverse(Plain) of
        [] -> {<<>>, [], Options};
        [Command | Arguments] -> {Command, Arguments, Options}
    end.

%% --- settings

with_settings(Settings, State) ->
    State#state{service = mod_stox_settings:is_service(Settings), engine = mod_stox_settings:engine(Settings)}.

open() ->
    case mod_stox_settings:current() of
        {ok, Settings} ->
            case open(Settings) of
                {ok, Handle} -> {ok, Handle, Settings};
                Error -> Error
            end;
        Error -> Error
    end.

open(Settings) ->
    Engine = mod_stox_settings:engine_path(Settings),
    case mod_stox_settings:get(<<"isolation">>, Settings, "process") of
        <<"process">> -> mod_stox_nif:open(mod_stox_settings:worker_path(Settings), Engine);
        <<"service">> -> mod_stox_nif:connect(mod_stox_settings:control_path(Settings));
        <<"none">> -> mod_stox_nif:open(undefined, Engine);
        Other -> {error, ["isolation ", io_lib:format("~p", [Other]), " in stox.yml is not known, use process, service or none"]}
    end.
