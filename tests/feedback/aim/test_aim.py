"""Wishes become actions: places against an oracle that moves a stage under a camera, masks against slow loops."""

from __future__ import annotations

import itertools
import math
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime import Frame, FrameId, Result
from onscope.runtime._errors import RuleError
from onscope.runtime._result import Stamps
from onscope.runtime.feedback import (
    Asked,
    GoTo,
    Illuminate,
    Light,
    Mark,
    MoveFocus,
    MoveStage,
    Project,
    Proposal,
    Recentre,
    Refocus,
    ScaleExposure,
    ScalePower,
    SetExposure,
    SetPower,
    Setting,
    Target,
    Tiles,
    Visit,
)
from onscope.runtime.feedback.aim import STRAIGHT, AimSettings, aim, lit

SHAPE = (48, 64)


def frame(**changes: Any) -> Frame:
    told: dict[str, Any] = {"pixel_size_um": 0.5, "stage_um": (100.0, 200.0, 7.0), "exposure_ms": 20.0}
    pixels = np.zeros(changes.pop("shape", SHAPE), np.uint16)
    return Frame(FrameId("run", "camera", 0, 3), pixels, received_ns=5, **(told | changes))


def proposal(asked: Asked, target: Target | None = None) -> Proposal:
    return Proposal("rule", asked, "because", FrameId("run", "camera", 0, 3), 5, 6, target=target)


def result_of(one: Frame, labels: np.ndarray, scale: float = 1.0) -> Result:
    stamps = Stamps(1, 2, 3, 4, 5, {}, 6, 7)
    return Result((one,), {"nuclei": labels}, stamps, {}, scales=MappingProxyType({"nuclei": scale}))


def seen_at(
    x_um: float, y_um: float, stage: tuple[float, float], shape: tuple[int, int], pixel_um: float, how: AimSettings
) -> tuple[float, float]:
    """(y, x) of the pixel that shows a sample's point, as a camera does it: moved, turned, then cut to pixels."""
    along_x, along_y = x_um - stage[0], y_um - stage[1]
    along_x, along_y = (-along_x if how.flip_x else along_x), (-along_y if how.flip_y else along_y)
    down, right = (along_x, along_y) if how.swap_xy else (along_y, along_x)
    off_y, off_x = how.off_axis_px
    return down / pixel_um - off_y + (shape[0] - 1) / 2, right / pixel_um - off_x + (shape[1] - 1) / 2


WAYS = [AimSettings(x, y, swap) for x, y, swap in itertools.product([False, True], repeat=3)]
place = st.floats(-2000, 2000)
sizes = st.integers(1, 300)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    way=st.sampled_from(WAYS),
    off=st.tuples(st.integers(-50, 50), st.integers(-50, 50)),
    binning=st.sampled_from([1, 2, 4]),
    shape=st.tuples(sizes, sizes),
    at=st.tuples(place, place),
    stage=st.tuples(place, place),
)
def test_the_stage_brings_the_object_to_the_middle_however_the_camera_lies(
    way: AimSettings,
    off: tuple[int, int],
    binning: int,
    shape: tuple[int, int],
    at: tuple[float, float],
    stage: tuple[float, float],
) -> None:
    how = AimSettings(way.flip_x, way.flip_y, way.swap_xy, off)
    pixel_um = 0.1625 * binning
    y, x = seen_at(*at, stage, shape, pixel_um, how)
    one = frame(shape=shape, pixel_size_um=pixel_um, stage_um=(*stage, 0.0))
    asked = proposal(GoTo(), Target(1, 0, y, x))
    moved = aim(asked, None, one, Setting(), how)
    assert isinstance(moved, MoveStage)
    after = seen_at(*at, (moved.x_um, moved.y_um), shape, pixel_um, how)
    assert after == pytest.approx(((shape[0] - 1) / 2, (shape[1] - 1) / 2), abs=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_damped_recentring_comes_to_rest_in_the_middle(way: AimSettings) -> None:
    cell, stage = (112.0, 190.0), (100.0, 200.0)
    moves = 0
    while math.dist(cell, stage) > 0.5:
        y, x = seen_at(*cell, stage, SHAPE, 0.5, way)
        wish = proposal(Recentre(damping=0.6, deadband_um=0.5), Target(1, 1, y, x))
        action = aim(wish, None, frame(stage_um=(*stage, 0.0)), Setting(), way)
        assert isinstance(action, MoveStage)
        stage, moves = (action.x_um, action.y_um), moves + 1
    assert moves == 4  # 15.6 um times 0.4 ** 4 is less than 0.5 um
    assert math.dist(cell, stage) == pytest.approx(math.dist((112, 190), (100, 200)) * 0.4**4)
    y, x = seen_at(*cell, stage, SHAPE, 0.5, way)
    with pytest.raises(RuleError, match="within the deadband"):
        aim(proposal(Recentre(0.6, 0.5), Target(1, 1, y, x)), None, frame(stage_um=(*stage, 0.0)), Setting(), way)


def test_a_second_frame_from_before_a_move_asks_for_the_same_move() -> None:
    wish = proposal(Recentre(), Target(1, 1, 40.0, 50.0))
    before = aim(wish, None, frame(), Setting(x_um=100.0, y_um=200.0))
    late = aim(wish, None, frame(), Setting(x_um=109.0, y_um=204.0))
    assert before == late


def test_a_frame_that_tells_no_place_was_where_the_stage_was_commanded_then() -> None:
    silent = frame(stage_um=None, pixel_size_um=None)
    known = Setting(x_um=10.0, y_um=20.0, pixel_um=1.0)
    assert aim(proposal(GoTo(1.0, 2.0), Target(1, 0, 23.5, 41.5)), None, silent, known) == MoveStage(21.0, 22.0)


@pytest.mark.parametrize(
    ("asked", "one", "known", "told"),
    [
        (Recentre(), frame(pixel_size_um=None), Setting(), "pixels of None um"),
        (Recentre(), frame(stage_um=(math.nan, 0.0, 0.0)), Setting(), "expected where it was"),
        (Recentre(), frame(stage_um=None), Setting(x_um=1.0), "expected where it was"),
        (Recentre(damping=math.nan), frame(), Setting(), "found damping nan"),
        (Recentre(damping=0.0), frame(), Setting(), "found damping 0.0"),
        (Refocus(1.0), frame(stage_um=None), Setting(), "a focus at None um"),
        (Refocus(math.inf), frame(), Setting(), "a change of focus of inf um"),
        (ScaleExposure(0.0, 100.0), frame(), Setting(), "expected numbers above 0"),
        (ScaleExposure(1.0, 2.0, most=math.nan), frame(), Setting(), "largest factor of nan"),
        (ScaleExposure(1.0, 2.0), frame(exposure_ms=None), Setting(), "whose exposure is not known"),
        (ScalePower("LED", 1.0, 2.0), frame(), Setting(channel="GFP"), "no light 'LED' in the channel 'GFP'"),
        (Illuminate("nuclei", "LED", 1.0, 10.0), frame(), Setting(), "no answer of the stage 'nuclei'"),
        (Tiles(0, 3), frame(), Setting(), "found 0 x 3 tiles"),
        (Tiles(3, 3, overlap=1.0), frame(), Setting(), "overlap by 1.0"),
        (Tiles(1000, 1000), frame(), Setting(), "expected 1 to 10000"),
    ],
)
def test_what_is_not_known_is_refused_in_a_sentence(asked: Asked, one: Frame, known: Setting, told: str) -> None:
    with pytest.raises(RuleError, match=told.replace("(", r"\(")):
        aim(proposal(asked, Target(1, 1, 3.0, 3.0)), None, one, known)


@pytest.mark.parametrize("asked", [Recentre(), GoTo(), Illuminate("nuclei", "LED", 1.0, 1.0)])
def test_what_needs_an_object_is_refused_without_one(asked: Asked) -> None:
    with pytest.raises(RuleError, match="without an object"):
        aim(proposal(asked), None, frame(), Setting())


@pytest.mark.parametrize("at", [(math.nan, 3.0), (3.0, math.inf)])
def test_an_object_at_no_place_moves_nothing(at: tuple[float, float]) -> None:
    with pytest.raises(RuleError, match="expected finite numbers"):
        aim(proposal(GoTo(), Target(1, 0, *at)), None, frame(), Setting())


def test_actions_pass_as_they_are() -> None:
    assert aim(proposal(Mark("here")), None, frame(), Setting()) == Mark("here")


def test_the_focus_goes_from_where_it_was_when_the_frame_was_taken() -> None:
    assert aim(proposal(Refocus(-2.0)), None, frame(), Setting(z_um=50.0)) == MoveFocus(5.0)
    untold = frame(stage_um=(1.0, 2.0, 0.0))  # drivers that tell x and y alone say 0
    assert aim(proposal(Refocus(-2.0)), None, untold, Setting(z_um=50.0)) == MoveFocus(48.0)


def test_exposure_and_power_go_a_part_of_the_way_and_never_far_at_once() -> None:
    halved = aim(proposal(ScaleExposure(400.0, 100.0, damping=0.5)), None, frame(), Setting())
    assert isinstance(halved, SetExposure)
    assert halved.exposure_ms == pytest.approx(10.0)
    far = aim(proposal(ScaleExposure(1e-300, 1e300, damping=1.0, most=3.0)), None, frame(), Setting())
    assert isinstance(far, SetExposure)
    assert far.exposure_ms == pytest.approx(60.0)
    lit_by = Setting(channel="GFP", channels={"GFP": {"LED": Light(4.0, 1e6)}})
    power = aim(proposal(ScalePower("LED", 100.0, 400.0, damping=0.5)), None, frame(), lit_by)
    assert isinstance(power, SetPower)
    assert power.light == "LED"
    assert power.power_mw == pytest.approx(8.0)


@pytest.mark.parametrize("way", WAYS)
def test_the_mask_lies_on_the_stage_as_the_objects_do(way: AimSettings) -> None:
    labels = np.zeros(SHAPE, np.int32)
    labels[5:9, 40:46], labels[30:33, 10:14] = 1, 2
    how = AimSettings(way.flip_x, way.flip_y, way.swap_xy, (3.0, -4.0))
    one = frame()
    wish = proposal(Illuminate("nuclei", "LED", 2.0, 50.0), Target(2, 0, 31.0, 11.5))
    action = aim(wish, result_of(one, labels), one, Setting(), how)
    assert isinstance(action, Project)
    rows, columns = np.nonzero(action.mask)
    height, width = action.mask.shape
    assert len(rows) == 12
    for row, column in zip(rows, columns, strict=True):
        x_um = action.x_um + (column - (width - 1) / 2) * action.pixel_um
        y_um = action.y_um + (row - (height - 1) / 2) * action.pixel_um
        y, x = seen_at(x_um, y_um, (100.0, 200.0), SHAPE, 0.5, how)
        assert labels[round(y), round(x)] == 2
        assert (y, x) == pytest.approx((round(y), round(x)), abs=1e-6)


def test_several_objects_are_lit_at_once_and_enlarged_labels_keep_their_size() -> None:
    labels = np.zeros((96, 128), np.int32)
    labels[10:20, 10:20], labels[40:50, 100:110], labels[70:80, 20:30] = 1, 2, 3
    one = frame()
    both = Target(1, 0, 7.0, 7.0, {"labels": (1, 3)})
    action = aim(proposal(Illuminate("nuclei", "LED", 2.0, 50.0), both), result_of(one, labels, 2.0), one, Setting())
    assert isinstance(action, Project)
    assert action.pixel_um == 0.25
    assert (action.x_um, action.y_um) == (100.0, 200.0)
    assert np.array_equal(action.mask > 0, (labels == 1) | (labels == 3))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.floats(-4, 4))
def test_grown_and_shrunk_masks_are_those_of_all_distances(seed: int, grow: float) -> None:
    labels = np.random.default_rng(seed).choice(4, (12, 15), p=[0.5, 0.3, 0.1, 0.1]).astype(np.int32)
    wanted = (1, 3)
    own = np.isin(labels, wanted)
    rows, columns = np.indices(labels.shape)
    expected = np.zeros(labels.shape, bool)
    for y, x in np.ndindex(labels.shape):
        away = np.hypot(rows - y, columns - x)
        if abs(away - abs(grow)).min() < 1e-3:
            return  # which side of the edge it is on is float32's to say
        if grow >= 0:
            expected[y, x] = own[y, x] or (labels[y, x] == 0 and own.any() and away[own].min() <= grow)
        else:
            expected[y, x] = own[y, x] and (own.all() or away[~own].min() > -grow)
    if not expected.any():
        with pytest.raises(RuleError, match="nothing is lit"):
            lit(labels, wanted, grow)
    else:
        assert np.array_equal(lit(labels, wanted, grow), np.where(expected, 255, 0))


@pytest.mark.parametrize("labels", [np.zeros((4, 4), np.float32), np.zeros((2, 4, 4), np.int32)])
def test_only_label_images_are_masks(labels: np.ndarray) -> None:
    with pytest.raises(RuleError, match="expected a label image"):
        lit(labels, (1,))


def test_objects_that_are_not_measured_have_no_mask() -> None:
    with pytest.raises(RuleError, match="no object with a label"):
        lit(np.ones((4, 4), np.int32), (0,))


def test_tiles_go_to_and_fro_around_the_object() -> None:
    action = aim(proposal(Tiles(2, 2, overlap=0.25), Target(1, 0, 23.5, 35.5)), None, frame(), Setting(), STRAIGHT)
    assert action == Visit(((90.0, 191.0), (114.0, 191.0), (114.0, 209.0), (90.0, 209.0)))
    around = aim(proposal(Tiles(1, 3, channel="GFP")), None, frame(), Setting(), AimSettings(flip_x=True))
    assert isinstance(around, Visit)
    assert [x for x, _ in around.places] == pytest.approx([128.8, 100.0, 71.2])
    assert around.channel == "GFP"
