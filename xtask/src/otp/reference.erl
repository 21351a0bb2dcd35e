%% Runs schedules through OTP's own supervisor and prints what it did, one line for each.
%% Written for `cargo xtask otp`; the schedules and the tokens of a trace are described in
%% schedule.rs.
-module(reference).
-export([main/1, init/1, start_child/1, child/3, log/2]).

main([Schedules, Traces]) ->
    ok = logger:remove_handler(default),
    ok = logger:add_handler(watch, ?MODULE, #{}),
    {ok, All} = file:consult(Schedules),
    {ok, Out} = file:open(Traces, [write, raw, delayed_write]),
    lists:foreach(fun(Schedule) -> ok = file:write(Out, trace(Schedule)) end, All),
    ok = file:close(Out),
    halt(0).

%% Each schedule runs in a process of its own, which is the supervisor's parent.
trace(Schedule) ->
    {Pid, Mon} = spawn_monitor(fun() -> exit({trace, run(Schedule)}) end),
    receive
        {'DOWN', Mon, process, Pid, {trace, Trace}} -> [Trace, $\n];
        {'DOWN', Mon, process, Pid, Other} -> exit({schedule, element(2, Schedule), Other})
    end.

run({schedule, Index, Strategy, Intensity, Auto, Specs, Fails, Steps}) ->
    process_flag(trap_exit, true),
    Notes = spawn_link(fun() -> notes(Fails, #{}, []) end),
    true = register(notes, Notes),
    Flags = #{strategy => Strategy, intensity => Intensity, period => 1000000,
              auto_shutdown => Auto},
    case supervisor:start_link(?MODULE, {Flags, [spec(Spec) || Spec <- Specs]}) of
        {ok, Sup} ->
            note(state(Sup)),
            steps(Steps, Sup);
        {error, {shutdown, {failed_to_start_child, Id, _}}} ->
            note(["D:start_failed:", Id])
    end,
    Trace = call(notes, take),
    true = unregister(notes),
    [integer_to_list(Index) | [[$\s, Note] || Note <- Trace]].

init({Flags, Specs}) ->
    {ok, {Flags, Specs}}.

spec({Id, Restart, Significant}) ->
    #{id => Id, start => {?MODULE, start_child, [Id]}, restart => Restart,
      significant => Significant, shutdown => infinity}.

%%% The children

start_child(Id) ->
    case call(notes, {start, Id}) of
        ok -> proc_lib:start_link(?MODULE, child, [Id, self(), whereis(notes)]);
        Refused -> Refused
    end.

child(Id, Parent, Notes) ->
    process_flag(trap_exit, true),
    proc_lib:init_ack(Parent, {ok, self()}),
    receive
        {'EXIT', Parent, Reason} ->
            ok = call(Notes, {note, ["-", Id]}),
            exit(Reason);
        {die, Reason} ->
            exit(Reason)
    end.

%%% The steps

steps([], Sup) ->
    note("S"),
    Mon = monitor(process, Sup),
    exit(Sup, shutdown),
    receive {'DOWN', Mon, process, Sup, Reason} -> note(ended("asked", Reason)) end;
steps([Step | Steps], Sup) ->
    note("/"),
    Children = children(Sup),
    Replies = step(Step, Sup, Children),
    Alive = settle(Sup),
    [note(["=", receive {reply, Ref, Reply} -> Reply end]) || Ref <- Replies],
    case Alive of
        true ->
            note(state(Sup)),
            steps(Steps, Sup);
        {ended, Reason} ->
            note(ended("by_itself", Reason))
    end.

%% One action happens while the supervisor is at work, several while it is held, so that all of
%% them are in its mailbox when it goes on, in this order.
step([Action], Sup, Children) ->
    act(Action, Sup, Children);
step(Actions, Sup, Children) ->
    ok = sys:suspend(Sup),
    Replies = lists:append([held(Action, Sup, Children) || Action <- Actions]),
    ok = sys:resume(Sup),
    Replies.

held(Action, Sup, Children) ->
    Before = waiting(Sup),
    Replies = act(Action, Sup, Children),
    case Action of
        {exit, Id, _} ->
            case lists:keyfind(Id, 1, Children) of
                {_, Pid} when is_pid(Pid) -> until(fun() -> not is_process_alive(Pid) end),
                                             until(fun() -> has_exit(Sup, Pid) end);
                _ -> ok
            end;
        _ ->
            until(fun() -> waiting(Sup) > Before end)
    end,
    Replies.

act({exit, Id, Reason}, _Sup, Children) ->
    case lists:keyfind(Id, 1, Children) of
        {_, Pid} when is_pid(Pid) ->
            case is_process_alive(Pid) of
                true ->
                    note(["x", Id, ":", reason(Reason)]),
                    Mon = monitor(process, Pid),
                    Pid ! {die, Reason},
                    receive {'DOWN', Mon, process, Pid, _} -> ok end;
                false -> note(".")
            end;
        _ -> note(".")
    end,
    [];
act(Request, Sup, _Children) ->
    {Runner, Ref} = {self(), make_ref()},
    spawn(fun() -> Runner ! {reply, Ref, request(Request, Sup)} end),
    [Ref].

reason({shutdown, _}) -> "shutdown";
reason(Reason) -> atom_to_list(Reason).

request(Request, Sup) ->
    try
        case Request of
            {add, Spec} -> supervisor:start_child(Sup, spec(Spec));
            {terminate, Id} -> supervisor:terminate_child(Sup, Id);
            {restart, Id} -> supervisor:restart_child(Sup, Id);
            {delete, Id} -> supervisor:delete_child(Sup, Id)
        end
    of
        ok -> "ok";
        {ok, _} -> "ok";
        {error, {already_started, _}} -> "already_started";
        {error, Known} when Known =:= already_present; Known =:= not_found; Known =:= running;
                            Known =:= restarting -> atom_to_list(Known);
        {error, _} -> "start_failed"
    catch
        exit:_ -> "ending"
    end.

%%% Waiting until the supervisor has done all it is going to do

settle(Sup) ->
    case is_process_alive(Sup) andalso is_settled(Sup) of
        true -> true;
        false ->
            receive {'EXIT', Sup, Reason} -> {ended, Reason}
            after 0 -> erlang:yield(), settle(Sup)
            end
    end.

is_settled(Sup) ->
    try supervisor:which_children(Sup) of
        Children ->
            Settled = fun({_, Pid, _, _}) when is_pid(Pid) -> is_process_alive(Pid);
                         ({_, State, _, _}) -> State =:= undefined end,
            lists:all(Settled, Children) andalso waiting(Sup) =:= 0
    catch
        exit:_ -> false
    end.

waiting(Sup) ->
    case process_info(Sup, message_queue_len) of
        {_, Length} -> Length;
        undefined -> 0
    end.

has_exit(Sup, Pid) ->
    {messages, Messages} = process_info(Sup, messages),
    lists:any(fun({'EXIT', From, _}) -> From =:= Pid; (_) -> false end, Messages).

until(Holds) ->
    case Holds() of
        true -> ok;
        false -> erlang:yield(), until(Holds)
    end.

children(Sup) ->
    [{Id, Pid} || {Id, Pid, _, _} <- lists:reverse(supervisor:which_children(Sup))].

state(Sup) ->
    Mark = fun(Pid) when is_pid(Pid) -> "+"; (_) -> "-" end,
    ["[", [[Id, Mark(Pid)] || {Id, Pid} <- children(Sup)], "]"].

ended(How, shutdown) -> ["D:", How];
ended(How, Reason) -> ["D:", How, io_lib:format(":~0p", [Reason])].

%%% The notes: what happened, in order, and which starts fail

notes(Fails, Counts, Notes) ->
    receive
        {From, Ref, take} ->
            From ! {Ref, lists:reverse(Notes)},
            receive after infinity -> ok end;
        {From, Ref, {note, Note}} ->
            From ! {Ref, ok},
            notes(Fails, Counts, [Note | Notes]);
        {From, Ref, {start, Id}} ->
            Count = maps:get(Id, Counts, 0) + 1,
            {Mark, Answer} = case lists:member({Id, Count}, Fails) of
                true when Count rem 2 =:= 0 -> {"!", {error, refused}};
                true -> {"!", refused};
                false -> {"+", ok}
            end,
            From ! {Ref, Answer},
            notes(Fails, Counts#{Id => Count}, [[Mark, Id] | Notes])
    end.

note(Note) ->
    ok = call(notes, {note, Note}).

call(Notes, Message) ->
    Ref = make_ref(),
    Notes ! {self(), Ref, Message},
    receive {Ref, Answer} -> Answer end.

%% A logger handler, called in the supervisor's process: the only place where OTP tells a
%% supervisor that gave up from one that ended normally.
log(#{msg := {report, #{label := {supervisor, shutdown}, report := Report}}}, _) ->
    {_, reached_max_restart_intensity} = lists:keyfind(reason, 1, Report),
    {_, Offender} = lists:keyfind(offender, 1, Report),
    {_, Id} = lists:keyfind(id, 1, Offender),
    note(["G:", Id]);
log(_, _) ->
    ok.
