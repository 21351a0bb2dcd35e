%% The same cases with an Erlang/OTP supervisor and gen_servers: `main [Case, Ops]` prints one line of
%% JSON and halts. Where an actor fails it is registered: its name is what outlives a restart.
-module(bench).
-export([main/1, start_probe/3, init/1, handle_call/3, handle_cast/2, handle_info/2]).

main([Case, Ops]) ->
    %% Reports of crashes would be most of a restart's time.
    logger:set_primary_config(level, none),
    Figures = (catch measure(Case, list_to_integer(Ops))),
    case Figures of
        [{_, _} | _] ->
            Fields = [io_lib:format("\"~s\":~.3f", [Name, float(Value)]) || {Name, Value} <- Figures],
            io:format("{~s}~n", [lists:join(",", Fields)]),
            erlang:halt(0, [{flush, true}]);
        Problem ->
            io:format(standard_error, "~s: ~p~n", [Case, Problem]),
            erlang:halt(1, [{flush, true}])
    end.

measure("tell", Ops) ->
    {_, Pid} = one(),
    Begin = now_ns(),
    bursts(Pid, Ops div 1000),
    Elapsed = now_ns() - Begin,
    {1, Ops} = gen_server:call(Pid, ask),
    [{value, Elapsed / Ops}];
measure("tell-one-per-wakeup", Ops) ->
    {_, Pid} = one(),
    Begin = now_ns(),
    repeat(Ops, fun(_) -> gen_server:cast(Pid, tell), erlang:yield() end),
    Elapsed = now_ns() - Begin,
    {1, Ops} = gen_server:call(Pid, ask),
    [{value, Elapsed / Ops}];
measure("ask", Ops) ->
    {_, Pid} = one(),
    Begin = now_ns(),
    repeat(Ops, fun(_) -> {1, 0} = gen_server:call(Pid, ask) end),
    [{value, (now_ns() - Begin) / Ops}];
measure("spawn", Ops) ->
    {Sup, Made} = open(Ops),
    Begin = now_ns(),
    repeat(Ops, fun(Index) -> answering(Sup, Made, Index) end),
    Elapsed = now_ns() - Begin,
    all_alive(Sup, Ops),
    [{value, Elapsed / Ops}];
measure("bytes", Ops) ->
    {Sup, Made} = open(Ops),
    First = Ops div 100,
    repeat(First, fun(Index) -> answering(Sup, Made, Index) end),
    Before = resident(),
    repeat(Ops - First, fun(Index) -> answering(Sup, Made, First + Index) end),
    Grown = resident() - Before,
    all_alive(Sup, Ops),
    [{value, Grown / (Ops - First)}];
measure("restart-" ++ How, Ops) ->
    %% A supervisor looks through all restarts of the last second at each restart; a new one for every
    %% hundred keeps that out of the figure.
    Times = lists:sort(lists:append([restarts(How, 100) || _ <- lists:seq(1, Ops div 100)])),
    At = fun(Share) -> lists:nth(1 + trunc((length(Times) - 1) * Share), Times) end,
    [{value, At(0.5)}, {p99, At(0.99)}];
measure("storm-10k-" ++ How, Ops) -> storm(How, Ops);
measure("storm-100k-" ++ How, Ops) -> storm(How, Ops);
measure("queued-" ++ How, Ops) ->
    {Sup, Made} = open(1),
    Name = named(Sup, Made, 1),
    Pid = whereis(Name),
    %% The handler waits for `go', or it would be done before the messages are there.
    gen_server:cast(Pid, {gated_fail, How}),
    repeat(Ops, fun(_) -> gen_server:cast(Name, tell) end),
    Pid ! go,
    {2, Count} = ask(Name),
    [{value, Count}];
measure("idle-1m", Ops) ->
    {Sup, Made} = open(Ops),
    Before = resident(),
    Begin = now_ns(),
    Pids = [start(Sup, Made, Index, none) || Index <- lists:seq(1, Ops)],
    Started = now_ns(),
    lists:foreach(fun(Pid) -> {1, 0} = gen_server:call(Pid, ask) end, Pids),
    Answered = now_ns(),
    Grown = resident() - Before,
    all_alive(Sup, Ops),
    Stopping = now_ns(),
    stop(Sup),
    Stopped = now_ns(),
    [{value, Grown / Ops}, {start_s, (Started - Begin) / 1.0e9},
     {answer_s, (Answered - Started) / 1.0e9}, {stop_s, (Stopped - Stopping) / 1.0e9}].

restarts(How, Ops) ->
    {Sup, Made} = open(1),
    Name = named(Sup, Made, 1),
    Times = [restart(How, Name, Failed) || Failed <- lists:seq(1, Ops)],
    stop(Sup),
    Times.

restart(How, Name, Failed) ->
    Begin = now_ns(),
    gen_server:cast(Name, {fail, How}),
    Answer = ask(Name),
    Took = now_ns() - Begin,
    Answer = {Failed + 1, 0},
    Took.

storm(How, Ops) ->
    {Sup, Made} = open(Ops),
    Names = [named(Sup, Made, Index) || Index <- lists:seq(1, Ops)],
    Begin = now_ns(),
    lists:foreach(fun(Name) -> gen_server:cast(Name, {fail, How}) end, Names),
    lists:foreach(fun(Name) -> {2, 0} = ask(Name) end, Names),
    Elapsed = now_ns() - Begin,
    all_alive(Sup, Ops),
    [{value, Elapsed / 1.0e6}].

%% A supervisor of children of one kind, and the counts of their incarnations.
open(Ops) ->
    {ok, Sup} = supervisor:start_link(?MODULE, supervisor),
    {Sup, counters:new(Ops, [])}.

stop(Sup) ->
    unlink(Sup),
    Monitor = monitor(process, Sup),
    exit(Sup, shutdown),
    receive {'DOWN', Monitor, process, Sup, _} -> ok end.

one() ->
    {Sup, Made} = open(1),
    Pid = start(Sup, Made, 1, none),
    {1, 0} = gen_server:call(Pid, ask),
    {Sup, Pid}.

start(Sup, Made, Index, Name) ->
    {ok, Pid} = supervisor:start_child(Sup, [Made, Index, Name]),
    Pid.

answering(Sup, Made, Index) ->
    {1, 0} = gen_server:call(start(Sup, Made, Index, none), ask).

named(Sup, Made, Index) ->
    Name = list_to_atom("probe_" ++ integer_to_list(Index)),
    start(Sup, Made, Index, Name),
    {1, 0} = ask(Name),
    Name.

%% Asks until an incarnation answers.
ask(Name) ->
    try gen_server:call(Name, ask, infinity)
    catch exit:_ -> erlang:yield(), ask(Name)
    end.

all_alive(Sup, Ops) ->
    {active, Ops} = lists:keyfind(active, 1, supervisor:count_children(Sup)).

bursts(_, 0) -> ok;
bursts(Pid, Left) ->
    repeat(1000, fun(_) -> gen_server:cast(Pid, tell) end),
    gen_server:call(Pid, ask),
    bursts(Pid, Left - 1).

repeat(0, _) -> ok;
repeat(Left, Do) -> Do(Left), repeat(Left - 1, Do).

now_ns() -> erlang:monotonic_time(nanosecond).

resident() ->
    {ok, Statm} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = string:lexemes(Statm, " \n"),
    binary_to_integer(Pages) * 4096.

%% The supervisor and its children.

start_probe(Made, Index, none) -> gen_server:start_link(?MODULE, {probe, Made, Index}, []);
start_probe(Made, Index, Name) ->
    gen_server:start_link({local, Name}, ?MODULE, {probe, Made, Index}, []).

init(supervisor) ->
    Flags = #{strategy => simple_one_for_one, intensity => 1000000000, period => 1},
    Child = #{id => probe, start => {?MODULE, start_probe, []}, restart => transient},
    {ok, {Flags, [Child]}};
init({probe, Made, Index}) ->
    counters:add(Made, Index, 1),
    {ok, {counters:get(Made, Index), 0}}.

handle_call(ask, _, State) -> {reply, State, State}.

handle_cast(tell, {Incarnation, Count}) -> {noreply, {Incarnation, Count + 1}};
handle_cast({gated_fail, How}, State) ->
    receive go -> ok end,
    handle_cast({fail, How}, State);
handle_cast({fail, "panic"}, _) -> error(measured);
handle_cast({fail, "error"}, State) -> {stop, measured, State}.

handle_info(_, State) -> {noreply, State}.
