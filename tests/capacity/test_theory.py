"""The simulation beside what is known: queues of the textbooks, more servers, priorities, batches, cables."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime import Admission, PipelineError, block, keep_newest
from onscope.runtime.capacity import (
    ON_THE_WIRE,
    Batching,
    Cost,
    Facility,
    Rhythm,
    Scope,
    Server,
    dd_run,
    fewest,
    md1_wait_ms,
    mmk_wait_ms,
    simulate,
    utilisation,
)
from onscope.runtime.capacity._loop import Loop
from onscope.runtime.capacity._serving import Request, Serving

from .places import alike


def random_arrivals(per_s: float, times_ms: list[float], servers: int, number: int = 60_000) -> float:
    """Mean wait in ms of a Poisson stream before the simulation's server."""
    loop, rng = Loop(), random.Random(5)
    waits: list[int] = []
    serving = Serving(loop, Server(servers), {"m": Cost({1: times_ms})}, "seed")
    at = 0.0
    for _ in range(number):
        at += rng.expovariate(per_s) * 1e9
        request = Request("m", 1, lambda one: waits.append(one.began - one.came), None)
        request.what = request
        loop.at(int(at), serving.take, request)
    loop.run()
    assert len(waits) == number
    return sum(waits) / number / 1e6


@pytest.mark.parametrize("load", [0.3, 0.6, 0.85])
def test_random_arrivals_before_one_server_wait_as_pollaczek_and_khinchine_say(load: float) -> None:
    assert random_arrivals(100 * load, [10.0], 1) == pytest.approx(md1_wait_ms(100 * load, 10.0), rel=0.06)


@pytest.mark.parametrize(("servers", "load"), [(2, 0.7), (8, 0.85)])
def test_random_arrivals_before_several_wait_as_erlang_says(servers: int, load: float) -> None:
    rng = random.Random(1)
    times = [max(1e-3, rng.expovariate(1 / 10)) for _ in range(20_000)]
    mean = sum(times) / len(times)
    per_s = load * servers * 1e3 / mean
    assert random_arrivals(per_s, times, servers) == pytest.approx(mmk_wait_ms(per_s, mean, servers), rel=0.12)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.floats(1, 40), st.integers(1, 4))
def test_a_regular_stream_is_taken_up_to_what_the_servers_can(n: int, ms: float, servers: int) -> None:
    came = simulate(alike(n, ms, 50, servers, jitter=1.0, depth=3), 8)
    wanted = dd_run(50 * n, ms, servers)
    assert came.whole.ran <= wanted * 1.03 + 0.01
    if utilisation(50 * n, ms, servers) < 0.5 and ms < 15:
        assert came.whole.ran == 1.0


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 10), st.floats(2, 30), st.integers(1, 3), st.integers(0, 5))
def test_more_servers_are_never_slower_where_nothing_is_random(n: int, ms: float, servers: int, seed: int) -> None:
    """Regular cameras, constant times, one window under way each, no batches: with block nothing is skipped."""
    fewer, more = (
        simulate(alike(n, ms, 20, number, admission=block(4), credit=1), 3, seed) for number in (servers, servers + 1)
    )
    assert more.whole.p99_ms <= fewer.whole.p99_ms + 1e-6
    assert more.whole.ran == fewer.whole.ran == 1.0


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 12), st.integers(4, 30), st.integers(1, 8), st.integers(0, 5))
def test_the_first_class_waits_for_one_batch_of_the_others_at_most(n: int, ms: int, largest: int, seed: int) -> None:
    """One scope of the first class, with one window under way: it waits for the batch that is under way, no more."""
    priorities = [1, *[2] * (n - 1)]
    came = simulate(alike(n, ms, 60, 1, Batching(largest), priorities=priorities, credit=1, jitter=0.5), 3, seed)
    longest = Cost({1: [ms], 8: [3 * ms]}).mean(largest)
    assert came.longest_wait_ms[1] <= longest + 1e-6


def test_priorities_decide_who_is_skipped() -> None:
    came = simulate(alike(10, 5.0, 50, priorities=[1, 1, *[2] * 8], jitter=0.3), 10)
    assert came.whole.ran == pytest.approx(0.4, abs=0.02)
    assert came.priorities[1].ran > 0.98
    assert came.priorities[2].ran == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("waiting", "batching", "expected"),
    [
        (5, Batching(8), [5]),
        (11, Batching(8), [8, 3]),
        (7, Batching(8, (4,)), [4, 3]),
        (7, Batching(8, (2, 4)), [4, 2, 1]),
        (3, Batching(8, (4,), 5.0), [3]),
        (9, Batching(8, (4, 8), 5.0), [8, 1]),
    ],
)
def test_batches_are_made_as_triton_says(waiting: int, batching: Batching, expected: list[int]) -> None:
    loop = Loop()
    sizes: list[int] = []
    serving = Serving(loop, Server(1, batching), {"m": Cost({size: [10.0] for size in range(1, 9)})}, "seed")
    blocker = Request("m", 1, lambda one: None, None)
    loop.at(0, serving.take, blocker)
    for at in range(waiting):
        loop.at(6_000_000 + at, serving.take, Request("m", 1, sizes.append, at))
    loop.run()
    assert sizes == list(range(waiting))  # in the order in which they came
    first = 1  # the blocker's own batch, of one
    assert sorted(serving.batches.elements()) == sorted([first, *expected])


def test_a_batch_is_waited_for_no_longer_than_it_may_be() -> None:
    loop = Loop()
    ends: list[int] = []
    serving = Serving(loop, Server(1, Batching(4, (), 7.0)), {"m": Cost({1: [10.0], 4: [10.0]})}, "seed")
    for at in (0, 2_000_000):
        loop.at(at, serving.take, Request("m", 1, lambda _: ends.append(loop.now), None))
    loop.run()
    assert ends == [17_000_000, 17_000_000]  # 7 ms after the first of them, and 10 ms
    assert serving.batches == {2: 1}


def test_a_shared_cable_takes_the_time_of_all_its_bytes() -> None:
    size = 1_000_000
    facility = alike(4, 0.001, 10, up_bytes=size, server_gbit=1, link_gbit=10, phase=0, servers=4)
    came = simulate(facility, 0.05)
    one_ms = size * 8 * ON_THE_WIRE / 1e6
    assert came.whole.max_ms == pytest.approx(4 * one_ms, rel=0.01)
    assert came.scopes["scope 0"].max_ms == pytest.approx(one_ms, rel=0.01)
    slow = alike(4, 0.001, 10, up_bytes=size, server_gbit=10, link_gbit=1, phase=0, servers=4)
    assert simulate(slow, 0.05).whole.max_ms == pytest.approx(one_ms, rel=0.01)  # each has its own


def test_a_window_that_is_long_lies_in_no_worker_where_the_newest_matter() -> None:
    """As `Dispatcher._credit`: what waits in the worker could no longer give way to a newer one."""
    newest, oldest = (
        simulate(alike(1, 25.0, 100, admission=Admission(kind, 1)), 5) for kind in ("keep_newest", "keep_oldest")
    )
    assert newest.whole.p50_ms < 35 < oldest.whole.p50_ms
    assert newest.whole.ran == pytest.approx(0.4, abs=0.02)


def test_under_block_the_camera_loses_what_its_buffer_cannot_hold() -> None:
    came = simulate(alike(1, 20.0, 100, admission=block(2), buffer=10), 10)
    assert set(came.whole.ends) == {"done", "lost_upstream"}
    assert came.whole.lost == pytest.approx(0.5, abs=0.03)
    endless = simulate(alike(1, 20.0, 100, admission=block(2)), 10)
    assert endless.whole.ran == 1.0
    assert endless.whole.max_ms > 9_000


def test_windows_of_stacks_are_whole_or_skipped() -> None:
    scope = Scope("s", Rhythm(100, burst=8, pause_ms=100), "m", keep_newest(1), window=8, step=8, credit=1)
    came = simulate(Facility([scope], [Server()], {"m": Cost({1: [400.0]})}), 20)
    assert came.whole.ends["done"] % 8 == came.whole.ends["skipped(queue)"] % 8 == 0
    assert came.whole.ran == pytest.approx(180 / 400, abs=0.03)


def test_the_fewest_servers_follow_from_the_utilisation() -> None:
    assert [fewest(100, 10), fewest(101, 10), fewest(100, 10, 0.5), fewest(1, 1)] == [1, 2, 2, 1]
    with pytest.raises(PipelineError, match="less than 1"):
        md1_wait_ms(100, 10)
