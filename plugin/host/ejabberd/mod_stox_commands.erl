%% What an operator can do by ejabberdctl (and by mod_http_api): each command of the worker as stox_COMMAND, with all its arguments;
%% and `ejabberdctl stox "peers --domain sip.example.com --json"` with everything that a command line knows.
-module(mod_stox_commands).

-include("ejabberd_commands.hrl").

-export([register/0, unregister/0]).
-export([line/1, doctor/0, status/0, overview/0, domains/0, peers/0, errors/0, limits/0, counters/0,
         user_limit/2, drain/1, trace/2, traces/0, bans/0, ban/2, unban/1, log_level/1, subscriptions/0, cancel_subscription/2, reload/0, stop/0]).

register() -> ejabberd_commands:register_commands(?MODULE, commands()).

unregister() -> ejabberd_commands:unregister_commands(commands()).

commands() ->
    [command(stox, line, [line], "Give the SIP gateway a command; help lists them"),
     command(stox_doctor, doctor, [], "What is wrong with the configuration of the SIP gateway on this machine"),
     command(stox_status, status, [], "Overview of the SIP gateway"),
     command(stox_overview, overview, [], "Overview of the SIP gateway"),
     command(stox_domains, domains, [], "Domains of the SIP gateway"),
     command(stox_peers, peers, [], "Peers of the SIP gateway and their states"),
     command(stox_errors, errors, [], "Last errors of the SIP gateway"),
     command(stox_limits, limits, [], "Limits of the SIP gateway and how near they are"),
     command(stox_counters, counters, [], "What the SIP gateway has counted since its start"),
     command(stox_user_limit, user_limit, [user, per_second], "Limit a user of the SIP gateway"),
     command(stox_drain, drain, [state], "Let the SIP gateway take nothing new: on or off"),
     command(stox_trace, trace, [match, minutes], "Log every line about a JID, source or Call-ID"),
     command(stox_traces, traces, [], "What is traced"),
     command(stox_bans, bans, [], "Sources that the SIP gateway does not hear"),
     command(stox_ban, ban, [source, minutes], "Ban a source of SIP"),
     command(stox_unban, unban, [source], "Hear a banned source again"),
     command(stox_log_level, log_level, [level], "Log level of the SIP gateway: error, warn, info or debug"),
     command(stox_subscriptions, subscriptions, [], "Who watches which SIP contact"),
     command(stox_cancel_subscription, cancel_subscription, [user, contact], "End a user's subscription to a SIP contact"),
     command(stox_reload, reload, [], "Read the configuration again"),
     command(stox_stop, stop, [], "Stop the SIP gateway until the next reload")].

command(Name, Function, Arguments, Description) ->
    #ejabberd_commands{name = Name, tags = [stox], desc = Description, module = ?MODULE, function = Function,
                       args = [{Argument, binary} || Argument <- Arguments], result = {res, restuple}}.

line(Line) ->
    case string:lexemes(Line, " ") of
        [<<"doctor">>, <<"--json">>] -> mod_stox_doctor:run(json);
        [<<"doctor">>, <<"--lines">>] -> mod_stox_doctor:run(lines);
        [<<"doctor">>] -> doctor();
        Words -> mod_stox_worker:ask(Words)
    end.

%% Not a command to the worker: it may be the worker that cannot start.
doctor() -> mod_stox_doctor:run(text).

status() -> overview().

overview() -> mod_stox_worker:ask([<<"overview">>]).
domains() -> mod_stox_worker:ask([<<"domains">>]).
peers() -> mod_stox_worker:ask([<<"peers">>]).
errors() -> mod_stox_worker:ask([<<"errors">>]).
limits() -> mod_stox_worker:ask([<<"limits">>]).
counters() -> mod_stox_worker:ask([<<"counters">>]).
user_limit(User, PerSecond) -> mod_stox_worker:ask([<<"user-limit">>, User, PerSecond]).
drain(State) -> mod_stox_worker:ask([<<"drain">>, State]).
trace(Match, Minutes) -> mod_stox_worker:ask([<<"trace">>, Match, Minutes]).
traces() -> mod_stox_worker:ask([<<"traces">>]).
bans() -> mod_stox_worker:ask([<<"bans">>]).
ban(Source, Minutes) -> mod_stox_worker:ask([<<"ban">>, Source, Minutes]).
unban(Source) -> mod_stox_worker:ask([<<"unban">>, Source]).
log_level(Level) -> mod_stox_worker:ask([<<"log-level">>, Level]).
subscriptions() -> mod_stox_worker:ask([<<"subscriptions">>]).
cancel_subscription(User, Contact) -> mod_stox_worker:ask([<<"cancel-subscription">>, User, Contact]).
reload() -> mod_stox_worker:ask([<<"reload">>]).
stop() -> mod_stox_worker:ask([<<"stop">>]).
