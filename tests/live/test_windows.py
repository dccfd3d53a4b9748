"""Windows: which frames are one, what each policy makes of lost frames, and never a window of wrong frames."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime import (
    Admission,
    Frame,
    FrameId,
    FrameSpec,
    Ledger,
    PipelineError,
    WorkerError,
    keep_newest,
    keep_oldest,
)
from onscope.runtime._clock import now_ns
from onscope.runtime._lane import Window
from onscope.runtime.windows._gather import Gather
from onscope.runtime.windows._gathered import GatheredWindow
from onscope.runtime.windows._places import Place
from onscope.runtime.windows._window import GatheredLane
from tests.live.window_oracle import Built, windows_of
from tests.models import frame

SMALL = FrameSpec((1, 4), camera="cam")
CHANGED = threading.Condition()


class Driven:
    """A lane with a worker played by hand; `built` are the windows that were sent, with their segment."""

    def __init__(
        self, gather: Gather, admission: Admission | None = None, *, recurrent: bool = False, lendable: int = 0
    ) -> None:
        self.ledger = Ledger()
        admission = admission or keep_newest(100)
        self.lane = GatheredLane(SMALL, admission, gather, 2, lendable, self.ledger, recurrent=recurrent)
        self.lane.furnish()
        self.lane.open()
        self.lane.ready = True
        self.slots = self.lane.ring.free
        self.sent: list[Window] = []
        self.built: list[tuple[int, Built]] = []
        self.memories: list[tuple[int | None, bool]] = []
        self.places: list[tuple[Place, FrameId]] = []

    def submit(self, given: Frame) -> None:
        self.ledger.enter(given.id)
        if self.lane.admit(given, CHANGED):
            slot = self.lane.ring.take()
            self.lane.ring.views[slot][:] = given.pixels
            self.lane.commit(given, slot, now_ns(), now_ns())

    def send(self) -> None:
        if len(self.sent) < 2 and (window := self.lane.next()):
            frames, target = window.frames, window.frames[window.target]
            assert [int(self.lane.ring.views[slot][0, 0]) for slot in window.slots] == [
                int(each.pixels[0, 0]) for each in frames
            ], "a slot was used again while a window needed it"
            window.sent_ns = now_ns()
            self.sent.append(window)
            self.built.append((target.id.segment, Built(target.id.seq, tuple(f.id.seq for f in frames), window.padded)))
            self.memories.append((window.state, window.reset))
            assert isinstance(window, GatheredWindow)
            self.places.append((window.place, target.id))

    def answer(self) -> None:
        if self.sent:
            self.lane.end(self.sent.pop(0), "done", "")

    def all(self, frames: Iterable[Frame]) -> Driven:
        for each in frames:
            self.submit(each)
            while self.lane.waiting:
                self.send()
                self.answer()
        return self

    def finish(self) -> None:
        while self.sent:
            self.answer()
        self.lane.end_waiting("skipped", "closed")
        assert self.ledger.adds_up()
        assert self.lane.ring.free == self.slots, "a slot was lost"
        self.lane.close()

    @property
    def windows(self) -> list[tuple[int, ...]]:
        return [window.frames for _, window in self.built]

    @property
    def reasons(self) -> dict[str, int]:
        return {name.removeprefix("skipped"): n for name, n in self.ledger.reasons.items() if name != "lost_upstream"}


def run(gather: Gather, frames: Iterable[Frame], admission: Admission | None = None, **more: Any) -> Driven:
    driven = Driven(gather, admission, **more).all(frames)
    driven.lane.give_up("incomplete window")
    return driven


def lone(*seqs: int, **more: Any) -> list[Frame]:
    return [frame(seq, spec=SMALL, **more) for seq in seqs]


def timelapse(times: int, channels: int, lost: set[int] = frozenset(), **more: Any) -> list[Frame]:  # type: ignore[assignment]
    """Channels that take turns; frame number = t * channels + c."""
    shots = [(t, c) for t in range(times) for c in range(channels)]
    return [
        frame(seq, spec=SMALL, index={"t": t, "c": c}, **more) for seq, (t, c) in enumerate(shots) if seq not in lost
    ]


GAPPED = lone(0, 1, 2, 4, 5, 6, 7, 8, 9)
JUMPING = {
    "invalid": ([(0, 1, 2), (6, 7, 8)], {"done": 6, "(gap)": 2, "(incomplete window)": 1}),
    "reset": ([(0, 1, 2), (4, 5, 6), (7, 8, 9)], {"done": 9}),
    "hold": ([(0, 1, 2), (2, 4, 5), (6, 7, 8)], {"done": 8, "(incomplete window)": 1}),
    "pad": ([(0, 1, 2), (4, 5, 6), (7, 8, 9)], {"done": 9}),
}
SLIDING = {
    "invalid": ([(0, 1, 2), (4, 5, 6), (5, 6, 7)], {"done": 3, "(gap)": 2, "(incomplete window)": 2}),
    "reset": ([(0, 1, 2), (4, 5, 6), (5, 6, 7)], {"done": 3, "(gap)": 2, "(incomplete window)": 2}),
    "hold": ([(0, 1, 2), (2, 2, 4), (2, 4, 5), (4, 5, 6), (5, 6, 7)], {"done": 5, "(incomplete window)": 2}),
    "pad": ([(0, 0, 0), (0, 0, 1), (0, 1, 2), (4, 4, 4), (4, 4, 5), (4, 5, 6), (5, 6, 7)], {"done": 7}),
}  # fmt: skip


@pytest.mark.parametrize("on_gap", JUMPING)
def test_jumping_windows_over_a_lost_frame(on_gap: Any) -> None:
    it = run(Gather(3, on_gap=on_gap), GAPPED)
    assert (it.windows, it.reasons) == JUMPING[on_gap]
    it.finish()


@pytest.mark.parametrize("on_gap", SLIDING)
def test_sliding_windows_over_a_lost_frame(on_gap: Any) -> None:
    it = run(Gather(3, every=1, on_gap=on_gap), GAPPED[:7])
    assert (it.windows, it.reasons) == SLIDING[on_gap]
    assert all(window.target == window.frames[-1] for _, window in it.built)
    it.finish()


def test_how_many_stand_in_is_told() -> None:
    it = run(Gather(3, every=1, on_gap="hold"), lone(0, 1, 4, 5))
    assert [(window.frames, window.padded) for _, window in it.built] == [((1, 1, 4), 2), ((1, 4, 5), 1)]
    it.finish()
    it = run(Gather(3, every=1, on_gap="hold"), lone(0, 1, 5, 6, 7))
    assert it.windows == [(5, 6, 7)], "three are more than may be stood in for"
    it.finish()
    it = run(Gather(3, every=1, look_ahead=1, on_gap="pad"), lone(0, 1, 2))
    assert [(window.target, window.frames, window.padded) for _, window in it.built] == [
        (0, (0, 0, 1), 1), (1, (0, 1, 2), 0)
    ]  # fmt: skip
    it.finish()


def test_with_look_ahead_the_answer_belongs_to_an_earlier_frame() -> None:
    it = run(Gather(5, every=1, look_ahead=2), lone(*range(8)))
    assert [(window.target, window.frames) for _, window in it.built] == [
        (n, tuple(range(n - 2, n + 3))) for n in range(2, 6)
    ]
    assert it.reasons == {"done": 4, "(incomplete window)": 4}
    it.finish()


def test_a_lost_frame_after_the_target_is_stood_in_for_when_its_successor_comes() -> None:
    it = run(Gather(3, every=1, look_ahead=2, on_gap="hold"), lone(0, 1, 4, 5, 6))
    assert [(window.target, window.frames) for _, window in it.built] == [
        (0, (0, 1, 1)),
        (1, (1, 1, 1)),
        (4, (4, 5, 6)),
    ]
    assert it.reasons == {"done": 3, "(incomplete window)": 2}
    it.finish()


def test_channels_that_take_turns_have_windows_of_their_own() -> None:
    it = run(Gather(3), timelapse(6, 2))
    assert it.windows == [(0, 2, 4), (1, 3, 5), (6, 8, 10), (7, 9, 11)]
    it.finish()
    it = run(Gather(3), timelapse(6, 2, lost={4}))
    assert it.windows == [(1, 3, 5), (6, 8, 10), (7, 9, 11)], "only the channel that lost a frame lost a window"
    assert it.reasons == {"done": 9, "(gap)": 2}
    it.finish()


def test_channels_that_take_turns_need_no_time_index() -> None:
    def frames(*lost: int) -> list[Frame]:
        return [frame(n, spec=SMALL, index={"t": n, "c": n % 2}) for n in range(12) if n not in lost]

    it = run(Gather(3, every=1), frames())
    assert it.windows == [(n, n + 2, n + 4) for n in range(8)]
    it.finish()
    it = run(Gather(3, every=1), frames(5))
    assert it.windows == [(0, 2, 4), (6, 8, 10), (7, 9, 11)], "nobody knows whose frame was lost"
    it.finish()


def test_frames_counted_anew_keep_that_rhythm_over_a_change() -> None:
    frames = [
        frame(n, spec=SMALL, index={"t": n, "c": n % 2}, exposure_ms=10.0 if n < 11 else 20.0)
        for n in range(21)
        if n != 2
    ]
    it = run(Gather(3), frames)
    assert it.windows == [(3, 5, 7), (4, 6, 8), (15, 17, 19), (16, 18, 20)], "counted from the frames 3 and 4"
    it.finish()


def test_a_stack_starts_over_at_its_first_plane() -> None:
    shots = [(t, z) for t in range(3) for z in range(4)]
    frames = [frame(n, spec=SMALL, index={"t": t, "z": z}, stage_um=(0, 0, 5.0 * z)) for n, (t, z) in enumerate(shots)]
    it = run(Gather(4, "z"), frames)
    assert it.windows == [(0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11)]
    it.finish()
    it = run(Gather(4, "z"), [each for each in frames if each.id.seq not in (3, 4)])
    assert it.windows == [(8, 9, 10, 11)]
    assert it.reasons == {"done": 4, "(incomplete window)": 3, "(gap)": 3}
    it.finish()
    it = run(Gather(3, "z", every=1, look_ahead=1, on_gap="pad"), frames[:8])
    assert it.windows == [(0, 0, 1), (0, 1, 2), (1, 2, 3), (4, 4, 5), (4, 5, 6), (5, 6, 7)]
    assert it.reasons == {"done": 6, "(incomplete window)": 2}, "what is above the last plane is not there"
    it.finish()


def test_channels_gathered_by_axis_may_have_exposures_of_their_own() -> None:
    shots = [(t, c, z) for t in range(2) for c in range(3) for z in range(2)]
    frames = [
        frame(n, spec=SMALL, index={"t": t, "c": c, "z": z}, exposure_ms=10.0 * (c + 1))
        for n, (t, c, z) in enumerate(shots)
    ]
    it = run(Gather(3, "c"), frames)
    assert it.windows == [(0, 2, 4), (1, 3, 5), (6, 8, 10), (7, 9, 11)]
    it.finish()


def test_phases_keep_their_rhythm_by_the_cameras_counter() -> None:
    it = run(Gather(3, "i"), lone(1, 2, 3, 4, 5, 6, 8, 9, 10, 11))
    assert it.windows == [(3, 4, 5), (9, 10, 11)]
    it.finish()


def test_phases_of_several_channels_follow_one_another() -> None:
    def frames(*lost: int) -> list[Frame]:
        channels = [1] + [0] * 6 + [1] + [0] * 6 + [1] * 3
        return [frame(n, spec=SMALL, index={"c": c}) for n, c in enumerate(channels) if n not in lost]

    it = run(Gather(3, "i"), frames())
    assert it.windows == [(1, 2, 3), (4, 5, 6), (8, 9, 10), (11, 12, 13), (14, 15, 16)]
    it.finish()
    it = run(Gather(3, "i"), frames(7))
    assert it.windows == [(1, 2, 3), (4, 5, 6), (14, 15, 16)], "whose frame was lost, and so the rhythm, nobody knows"
    it.finish()
    it = run(Gather(3, "i"), frames(9))
    assert it.windows == [(1, 2, 3), (4, 5, 6), (14, 15, 16)], "until the place changes"
    it.finish()
    it = run(Gather(3, "i", on_gap="reset"), frames(9))
    assert it.windows == [(1, 2, 3), (4, 5, 6), (10, 11, 12), (14, 15, 16)]
    it.finish()


@pytest.mark.parametrize("on_gap", ["invalid", "reset", "hold", "pad"])
@pytest.mark.parametrize(
    "change", [{"stage_um": (9.0, 0.0, 0.0)}, {"exposure_ms": 20.0}, {"index": {"c": 1}}, {"index": {"p": 1}}]
)
def test_windows_never_mix_what_was_changed(on_gap: Any, change: dict[str, Any]) -> None:
    look: dict[str, Any] = {"stage_um": (0.0, 0.0, 0.0), "exposure_ms": 10.0, "index": {"c": 0, "p": 0}}
    after = {**look, **change}
    frames = [*lone(*range(4), **look), *lone(*range(4, 8), **after)]
    for gather in (Gather(3, on_gap=on_gap), Gather(3, every=1, on_gap=on_gap)):
        it = run(gather, frames)
        assert all(max(window) < 4 or min(window) >= 4 for window in it.windows)
        assert any(min(window) >= 4 for window in it.windows) or on_gap in ("invalid", "hold")
        it.finish()


def test_a_stage_that_trembles_has_not_moved() -> None:
    it = run(Gather(2), [*lone(0, stage_um=(0, 0, 0)), *lone(1, stage_um=(0.2, -0.3, 0.1))])
    assert it.windows == [(0, 1)]
    it.finish()
    creeping = [each for n in range(4) for each in lone(n, stage_um=(0.4 * n, 0, 0))]
    it = run(Gather(4), creeping)
    assert it.windows == []
    it.finish()


def test_sampling_skips_whole_windows_before_they_are_copied() -> None:
    it = run(Gather(2, on_gap="hold"), lone(0, 1, 2, 3, 5, 6, 7), keep_newest(9, every_n=2))
    assert it.windows == [(0, 1)], "nothing is there to stand in for frame 4"
    assert it.reasons == {"done": 2, "(sampling)": 4, "(gap)": 1}
    it.finish()
    it = run(Gather(2, every=1), lone(*range(7)), keep_newest(9, every_n=3))
    assert it.windows == [(0, 1), (3, 4)]
    assert it.reasons == {"done": 2, "(sampling)": 5}
    it.finish()


def test_frames_that_no_answer_belongs_to_are_context() -> None:
    it = run(Gather(3, every=2), lone(*range(7)))
    assert it.windows == [(0, 1, 2), (2, 3, 4), (4, 5, 6)]
    assert it.reasons == {"done": 3, "(context)": 3, "(incomplete window)": 1}
    it.finish()


def test_a_window_that_found_no_place_leaves_its_frames_to_later_ones() -> None:
    driven = Driven(Gather(3, every=1), keep_oldest(1))
    for each in lone(*range(5)):
        driven.submit(each)
    assert [window.frames[0].id.seq for window in driven.lane.waiting] == [0]
    driven.send()
    driven.submit(*lone(5))
    assert [[each.id.seq for each in window.frames] for window in driven.lane.waiting] == [[3, 4, 5]]
    assert driven.reasons == {"(incomplete window)": 2, "(queue)": 2}
    driven.finish()


def test_too_many_places_are_given_up_with_a_reason() -> None:
    frames = [frame(4 * t + p, spec=SMALL, index={"t": t, "p": p}) for t in range(2) for p in range(4)]
    it = run(Gather(2, places=3), frames)
    assert it.windows == []
    assert it.reasons == {"(too many places)": 5, "(incomplete window)": 3} or it.reasons["(too many places)"] >= 4
    it.finish()
    it = run(Gather(2, places=4), frames)
    assert len(it.windows) == 4
    it.finish()


@pytest.mark.parametrize("on_gap", JUMPING)
def test_a_frame_whose_copy_was_cut_short_is_as_lost(on_gap: Any) -> None:
    driven = Driven(Gather(3, on_gap=on_gap)).all(GAPPED[:3])
    cut = frame(3, spec=SMALL)
    driven.ledger.enter(cut.id)
    assert driven.lane.admit(cut, CHANGED)
    driven.ledger.close_one(cut.id, "failed", "interrupted")  # as the live path does; nothing was committed
    driven.all(GAPPED[3:])
    driven.lane.give_up("incomplete window")
    windows, reasons = JUMPING[on_gap]
    assert driven.windows == windows
    assert driven.reasons == {**reasons, "failed(interrupted)": 1}
    driven.finish()


def test_what_was_begun_fails_with_the_lane() -> None:
    driven = Driven(Gather(3, every=1, look_ahead=1)).all(lone(0, 1, 2))
    driven.lane.end_waiting("failed", "no worker")
    assert driven.reasons == {"done": 1, "(incomplete window)": 1, "failed(no worker)": 1}
    driven.finish()


def test_every_place_has_slots_however_busy_the_worker_is() -> None:
    driven = Driven(Gather(3, every=1, places=3), keep_oldest(1))
    for each in timelapse(9, 3):
        driven.submit(each)
        driven.send()  # two windows that are never answered, and one that waits
    assert len(driven.sent) == 2
    assert driven.lane.ring.free >= 1
    driven.finish()


def test_nothing_stands_in_for_frames_that_may_have_been_of_another_place() -> None:
    frames = [frame(n, spec=SMALL, index={"p": n // 3}) for n in (0, 1, 2, 3, 5)]
    it = run(Gather(2, "i", every=1, on_gap="hold"), frames)
    assert it.windows == [(0, 1), (1, 2)]
    it.finish()
    it = run(Gather(2, "i", every=1, on_gap="hold"), [each for each in frames if each.id.seq not in (1, 3)])
    assert it.windows == [(0, 2)], "one place was seen till then"
    it.finish()


def test_the_end_of_what_was_begun_leaves_sliding_windows_their_context() -> None:
    it = run(Gather(3, every=1, look_ahead=1), lone(0, 1, 2))
    assert it.reasons == {"done": 1, "(incomplete window)": 2}
    it.all(lone(3, 4))
    assert it.windows == [(0, 1, 2), (2, 3, 4)]
    it.finish()


MEMORIES = {"invalid": True, "reset": True, "pad": True, "hold": False}


@pytest.mark.parametrize(("on_gap", "anew"), MEMORIES.items())
def test_memory_begins_anew_after_a_gap_unless_it_holds(on_gap: Any, anew: bool) -> None:
    it = run(Gather(1, on_gap=on_gap), lone(0, 1, 3, 4), recurrent=True)
    assert it.memories == [(0, True), (0, False), (0, anew), (0, False)]
    it.finish()
    it = run(Gather(1, on_gap=on_gap), [*lone(0, 1, exposure_ms=1.0), *lone(2, 3, exposure_ms=2.0)], recurrent=True)
    assert [reset for _, reset in it.memories] == [True, False, True, False]
    it.finish()
    it = run(Gather(1, on_gap=on_gap), [*lone(0, 1), *lone(0, 1, segment=1)], recurrent=True)
    assert [reset for _, reset in it.memories] == [True, False, True, False]
    it.finish()


@pytest.mark.parametrize(("on_gap", "anew"), MEMORIES.items())
def test_a_skipped_window_is_a_gap_in_memory(on_gap: Any, anew: bool) -> None:
    driven = Driven(Gather(1, on_gap=on_gap), keep_newest(1), recurrent=True)
    for n in range(4):
        driven.submit(*lone(n))
        if n != 1:
            driven.send()
            driven.answer()
    assert driven.windows == [(0,), (2,), (3,)]
    assert [reset for _, reset in driven.memories] == [True, anew, False]
    driven.finish()


def test_each_place_has_a_memory_and_the_oldest_of_too_many_begins_anew() -> None:
    it = run(Gather(1, places=2), timelapse(3, 2), recurrent=True)
    assert it.memories == [(0, True), (1, True), (0, False), (1, False), (0, False), (1, False)]
    it.finish()
    it = run(Gather(1, places=2), timelapse(2, 3), recurrent=True)
    assert [reset for _, reset in it.memories] == [True] * 6
    assert {number for number, _ in it.memories} == {0, 1}
    it.finish()


def test_a_failed_window_and_a_dead_worker_leave_no_memory() -> None:
    driven = Driven(Gather(1, on_gap="hold"), recurrent=True)
    driven.all(lone(0, 1))
    driven.submit(*lone(2))
    driven.send()
    driven.lane.end(driven.sent.pop(), "failed", "it was not to be")
    driven.all(lone(3, 4))
    driven.lane.forget_states()
    driven.all(lone(5, 6))
    assert [reset for _, reset in driven.memories] == [True, False, False, True, False, True, False]
    driven.finish()


def test_memory_goes_on_from_the_window_that_was_sent_before_another_failed() -> None:
    """The worker begins anew with it by itself: the one after it would begin anew once more, or not, by chance."""
    driven = Driven(Gather(1), recurrent=True)
    driven.all(lone(0))
    driven.submit(*lone(1))
    driven.submit(*lone(2))
    driven.send()
    driven.send()
    driven.lane.end(driven.sent.pop(0), "failed", "it was not to be")
    driven.answer()
    driven.all(lone(3, 4))
    assert [reset for _, reset in driven.memories] == [True, False, False, False, False]
    driven.finish()


def test_what_windows_take_of_shared_memory_is_told_when_it_is_short() -> None:
    huge = FrameSpec((1 << 20, 1 << 15), camera="cam")  # 69 GB each
    lane = GatheredLane(huge, keep_newest(2), Gather(5), 2, 0, Ledger())
    with pytest.raises(
        WorkerError, match="or fewer places or shorter windows: what they gather takes 2199023 MB of it"
    ):
        lane.furnish()


def test_windows_that_cannot_be_are_refused() -> None:
    wrongs: list[dict[str, Any]] = [
        {"length": 0},
        {"length": 3, "every": 4},
        {"length": 3, "look_ahead": 3},
        {"length": 2, "places": 0},
    ]
    for wrong in wrongs:
        with pytest.raises(PipelineError, match="expected"):
            Gather(**wrong)


GATHERS = st.builds(
    lambda length, along, every, look_ahead, on_gap: Gather(
        length, along, None if every is None else 1 + every % length, look_ahead % length, on_gap, places=64
    ),
    st.integers(1, 4),
    st.sampled_from(["t", "z", "c", "i"]),
    st.none() | st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from(["invalid", "reset", "hold", "pad"]),
)
AXES = st.sampled_from(
    ["", "pt", "ct", "t", "tc", "tz", "tzc", "tcz", "tpz", "ptz", "pct", "c", "pz", "p", "z", "ti", "tci", "i", "zc"]
)


@st.composite
def acquisitions(draw: st.DrawFn) -> list[Frame]:
    """Frames of nested axes, some lost, the stage and the exposure changed now and then, in one or two segments."""
    frames: list[Frame] = []
    for segment in range(draw(st.integers(1, 2))):
        axes = draw(AXES)
        sizes = [draw(st.integers(1, 4)) for _ in axes]
        shots: list[dict[str, int]] = [{}]
        for axis, size in zip(axes, sizes, strict=True):
            shots = [{**shot, axis: n} for shot in shots for n in range(size)]
        if not axes:
            shots = shots * draw(st.integers(1, 16))
        lost = draw(st.sets(st.integers(0, len(shots) - 1), max_size=max(1, len(shots) // 3)))
        moves = draw(st.sets(st.integers(0, len(shots) - 1), max_size=2))
        counts = draw(st.booleans())
        x, exposure_ms = 0.0, 10.0
        for seq, shot in enumerate(shots[:40]):
            if seq in moves:
                x, exposure_ms = (x + 5, exposure_ms) if seq % 2 else (x, exposure_ms + 5)
            if counts:  # what some drivers call a time point is the camera's counter
                shot = {**shot, "t": seq}
            if seq not in lost:
                look = {"index": shot, "stage_um": (x, 0.0, 3.0 * shot.get("z", 0)), "exposure_ms": exposure_ms}
                frames.append(frame(seq, len(frames), SMALL, segment, **look))
    return frames


def check_windows(gather: Gather, frames: list[Frame], every_n: int) -> None:
    it = run(gather, frames, keep_newest(100, every_n=every_n))
    expected = windows_of(frames, gather, every_n)
    assert len(it.built) == len(set(it.built))
    assert set(it.built) == expected
    done = {(s, n) for s, window in it.built for n in ([window.target] if gather.sliding else window.frames)}
    assert it.reasons.get("done", 0) == len(done)
    # A window along another axis than time is whole when its own time point is: where those take turns, a later one's
    # may be whole first.
    times = {each.id: None if gather.along == "t" else each.index.get("t") for each in frames}
    for place, time in {(place, times[id]) for place, id in it.places}:
        assert in_order([id for each, id in it.places if each is place and times[id] == time])
    if gather.length == 1 or (gather.sliding and gather.look_ahead == 0):
        assert in_order([id for _, id in it.places])
    it.finish()


def in_order(ids: list[FrameId]) -> bool:
    return all(before < after for before, after in pairwise(ids))


@settings(deadline=None, max_examples=400)
@given(GATHERS, acquisitions(), st.integers(1, 3))
def test_windows_are_those_of_the_oracle(gather: Gather, frames: list[Frame], every_n: int) -> None:
    check_windows(gather, frames, every_n)


@pytest.mark.slow
@settings(deadline=None, max_examples=20_000)
@given(GATHERS, acquisitions(), st.integers(1, 3))
def test_twenty_thousand_acquisitions(gather: Gather, frames: list[Frame], every_n: int) -> None:
    check_windows(gather, frames, every_n)


def check_schedule(gather: Gather, admission: Admission, frames: list[Frame], steps: list[str]) -> None:
    """Whatever the queue skips, no window has frames that it should not have, no slot is lost, the account adds up."""
    driven = Driven(gather, admission, recurrent=True)
    expected = windows_of(frames, gather, admission.every_n)
    coming = iter(frames)
    for step in steps:
        if step == "frame" and (given := next(coming, None)):
            driven.submit(given)
        elif step == "send":
            driven.send()
        elif step == "answer":
            driven.answer()
        assert len(driven.lane.waiting) <= admission.depth
    assert set(driven.built) <= expected
    driven.finish()


ADMISSIONS = st.builds(
    Admission,
    kind=st.sampled_from(["keep_newest", "keep_oldest"]),
    depth=st.integers(1, 3),
    every_n=st.integers(1, 2),
    deadline_ms=st.sampled_from([None, 1e-6, 1e6]),
)
STEPS = st.lists(st.sampled_from(["frame", "frame", "frame", "send", "answer"]), max_size=80)


@settings(deadline=None, max_examples=200)
@given(GATHERS, ADMISSIONS, acquisitions(), STEPS)
def test_no_queue_makes_a_wrong_window(
    gather: Gather, admission: Admission, frames: list[Frame], steps: list[str]
) -> None:
    check_schedule(gather, admission, frames, steps)


@settings(deadline=None, max_examples=200)
@given(GATHERS, st.integers(1, 3), ADMISSIONS, acquisitions(), STEPS)
def test_few_places_keep_the_account_and_the_slots(
    gather: Gather, places: int, admission: Admission, frames: list[Frame], steps: list[str]
) -> None:
    few = replace(gather, places=places)
    driven = Driven(few, admission)
    coming = iter(frames)
    for step in steps:
        if step == "frame" and (given := next(coming, None)):
            driven.submit(given)
        elif step == "answer":
            driven.answer()
        else:
            driven.send()
    if gather.on_gap in ("invalid", "hold"):
        assert set(driven.built) <= windows_of(frames, few, admission.every_n)
    driven.finish()
