"""What must hold in every simulation, whatever is simulated: every frame ends once, and L = lambda W."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime import Admission
from onscope.runtime.capacity import Batching, Cost, Facility, Rhythm, Scope, Server, little, simulate

ADMISSIONS = st.builds(
    Admission,
    st.sampled_from(("keep_newest", "keep_oldest", "block")),
    st.integers(1, 4),
    st.integers(1, 3),
    st.none() | st.floats(1, 60),
)
RHYTHMS = st.builds(Rhythm, st.floats(5, 300), st.floats(0, 1), st.integers(0, 9), st.floats(0, 80))


@st.composite
def facilities(draw: st.DrawFn) -> Facility:
    servers = draw(
        st.lists(
            st.builds(
                Server,
                st.integers(1, 3),
                st.builds(Batching, st.integers(4, 8), st.sampled_from(((), (4,), (2, 4))), st.floats(0, 10)),
                st.none() | st.floats(0.01, 10),
                st.floats(0, 1),
            ),
            min_size=1,
            max_size=2,
        )
    )
    scopes = []
    for number in range(draw(st.integers(1, 5))):
        window = draw(st.integers(1, 5))
        scopes.append(
            Scope(
                f"scope {number}",
                draw(RHYTHMS),
                draw(st.sampled_from(("a", "b"))),
                draw(ADMISSIONS),
                window,
                draw(st.integers(1, window)),
                draw(st.integers(0, 100_000)),
                draw(st.integers(0, 100_000)),
                draw(st.none() | st.integers(1, 20)),
                copy_ms=draw(st.sampled_from((0.0, 0.3))),
                pack_ms=draw(st.sampled_from((0.0, 0.2))),
                unpack_ms=draw(st.sampled_from((0.0, 0.2))),
                handover_ms=draw(st.sampled_from((0.0, 0.1))),
                depth=draw(st.integers(1, 4)),
                credit=draw(st.integers(1, 3)),
                away=draw(st.booleans()),
                far=draw(st.booleans()),
                link_gbit=draw(st.none() | st.floats(0.01, 10)),
                priority=draw(st.integers(1, 3)),
                server=draw(st.integers(0, len(servers) - 1)),
            )
        )
    costs = {"a": Cost({1: [2.0, 3.0, 9.0], 4: [6.0, 8.0]}), "b": Cost({1: [0.5], 8: [4.0]})}
    return Facility(scopes, servers, costs)


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(facilities(), st.integers(0, 9))
def test_every_frame_ends_once_and_littles_law_holds(facility: Facility, seed: int) -> None:
    came = simulate(facility, 1.5, seed)  # asserts that every account is closed, and every window left
    assert sum(came.whole.ends.values()) == came.whole.frames == sum(each.frames for each in came.scopes.values())
    assert math.isclose(came.mean_inside, little(came.arrival_per_s, came.mean_stay_s), rel_tol=1e-6, abs_tol=1e-9)
    for share in (*came.servers, *came.links_up, *came.links_down, came.workers):
        assert 0 <= share <= 1 + 1e-9
    known = {"done", "late", "lost_upstream"}
    assert all(end in known or end.startswith("skipped(") for end in came.whole.ends)
    for scope in facility.scopes:
        ends = came.scopes[scope.name].ends
        if scope.admission.deadline_ms is None:
            assert not {"late", "skipped(expired)"} & set(ends)
        if scope.admission.kind == "block":
            assert "skipped(queue)" not in ends
        if scope.buffer is None:
            assert "lost_upstream" not in ends
        if scope.admission.every_n == 1:
            assert "skipped(sampling)" not in ends


@settings(max_examples=20, deadline=None)
@given(facilities(), st.integers(0, 9))
def test_the_same_seed_gives_the_same(facility: Facility, seed: int) -> None:
    assert repr(simulate(facility, 0.7, seed)) == repr(simulate(facility, 0.7, seed))


def test_frames_by_state_are_counted_by_hand() -> None:
    """10 frames 10 ms apart, 25 ms each, one in the worker, newest of one: told beforehand, frame by frame."""
    scope = Scope("s", Rhythm(100), "m", Admission("keep_newest", 1), credit=1, phase=0)
    came = simulate(Facility([scope], [Server()], {"m": Cost({1: [25.0]})}), 0.0999)
    # Runs 0 (0-25), 2 (25-50), 5 or 4 (50-75: frame 5 comes at 50, after the answer), 7 (75-100), 9 (100-125).
    assert came.whole.ends == {"done": 5, "skipped(queue)": 5}
    assert came.whole.max_ms == pytest.approx(35)
    assert came.seconds == pytest.approx(0.125)
