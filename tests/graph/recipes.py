"""Hypothesis strategies over packages: networks, layouts, sizes, dtypes and steps that go together."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .describe import IDS
from .generated import DEEP, Recipe, Steps
from .networks import KINDS

FLAT = ("bcyx", "byxc", "cyx", "yx", "byx", "yxc", "cbyx")
DEPTH = ("bczyx", "bctyx", "bciyx", "btcyx", "bzyx", "tyx", "biyx", "bzyxc", "czyx")
OLD = ("bcyx", "byxc", "bczyx", "cyx", "yx", "bzyxc")
OPSETS = (9, 10, 11, 13, 17, 18, 20, 21, 22, 23, 24, 25, 26)
COUNTS = {"uint8": 250.0, "uint16": 4000.0, "float32": 4000.0}


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """A package that bioimageio.core can predict with (or that `oracle.staged` can, where core refuses)."""
    form = draw(st.sampled_from(("0.5", "0.5", "0.5", "0.4")))
    layout = draw(st.sampled_from(OLD if form == "0.4" else FLAT + DEPTH))
    deep = next((letter for letter in layout if letter in DEEP), "")
    network = draw(st.sampled_from([name for name in KINDS if not (deep and name in ("old_forms", "shapes"))]))
    channels = draw(st.integers(1, 3)) if "c" in layout else 1
    out_channels = draw(st.integers(1, 3)) if "c" in layout else 1
    described = draw(st.sampled_from(("float32", "float32", "uint8", "uint16")))
    sizes = draw(st.sampled_from(("fixed", "parametrised", "parametrised", "referenced" if form == "0.5" else "fixed")))
    side = _side(draw, KINDS[network].least, KINDS[network].step, square=sizes == "referenced")
    pre, level = draw(_before(layout, channels, COUNTS[described], form))
    post, answered = draw(_after(layout, out_channels, level, form))
    return Recipe(
        network=network,
        layout=layout,
        channels=channels,
        out_channels=out_channels,
        frames=draw(st.integers(2, 4)) if deep else 1,
        collapse=bool(deep) and form == "0.5" and draw(st.booleans()),
        stack=draw(st.sampled_from(("fixed", "parametrised"))) if deep and form == "0.5" else "fixed",
        sizes=sizes,  # type: ignore[arg-type]
        side=side,
        described=described,
        taken="float32" if form == "0.4" or pre else draw(st.sampled_from(("float32", described))),
        answered=answered,
        pre=pre,
        post=post,
        opset=draw(st.sampled_from(OPSETS)),
        format=form,  # type: ignore[arg-type]
        seed=draw(st.integers(0, 99)),
    )


def _side(draw: st.DrawFn, least: int, step: int, square: bool) -> tuple[int, int]:
    """Sizes that the network takes."""
    y, x = (least + step * draw(st.integers(0, 12 // step + 2)) for _ in range(2))
    return (y, y) if square else (y, x)


def _jointly(layout: str, form: str) -> st.SearchStrategy[list[str]]:
    """Axes that a statistic is taken over: y and x, and some of the others."""
    others = [letter for letter in layout if letter not in "yx" and not (form == "0.4" and letter in "ti")]
    chosen = st.lists(st.sampled_from(others), unique=True) if others else st.just([])
    return chosen.map(lambda more: [IDS[letter] for letter in layout if letter in (*more, "y", "x")])


def _normalising(layout: str, channels: int, top: float, form: str) -> st.SearchStrategy[Steps]:
    """One step that brings counts to about 1."""
    axes = _jointly(layout, form)
    low, high = (st.integers(*ends).map(lambda tenths: tenths / 10) for ends in ((0, 200), (800, 1000)))
    ways: list[st.SearchStrategy[tuple[str, dict[str, Any]]]] = [
        st.builds(
            lambda a, p, q: ("scale_range", {"axes": a, "min_percentile": p, "max_percentile": q}), axes, low, high
        ),
        axes.map(lambda a: ("zero_mean_unit_variance", {"axes": a})),
        st.just(("fixed_zero_mean_unit_variance", {"mean": top / 8, "std": top / 10})),
    ]
    if form == "0.5":
        ways += [
            st.builds(lambda p, q: ("scale_range", {"min_percentile": p, "max_percentile": q}), low, high),
            st.just(("zero_mean_unit_variance", {})),
            st.floats(0.5, 2.0).map(lambda gain: ("scale_linear", {"gain": gain / top, "offset": -0.25})),
        ]
    if "c" in layout:
        several = [top / (8 + number) for number in range(channels)]
        ways.append(
            st.just(("fixed_zero_mean_unit_variance", {"mean": several, "std": several, "axis": "channel"}))
            if form == "0.5" or not any(letter in "tzi" for letter in layout)
            else st.just(("fixed_zero_mean_unit_variance", {"mean": top / 8, "std": top / 9}))
        )
        if form == "0.5":
            offsets = [-0.1 * number for number in range(1, channels + 1)]
            gains = [1.5 / top] * channels
            ways.append(st.just(("scale_linear", {"gain": gains, "offset": offsets, "axis": "channel"})))
    return st.one_of(ways).map(lambda step: (step,))


@st.composite
def _before(draw: st.DrawFn, layout: str, channels: int, top: float, form: str) -> tuple[Steps, float]:
    """Preprocessing, and about how large its values are."""
    steps: Steps = ()
    if draw(st.integers(0, 4)) == 0:
        return (), top
    if draw(st.booleans()):
        if form == "0.5" and draw(st.booleans()):
            few, most = draw(st.integers(0, 100)) / 10, draw(st.integers(900, 1000)) / 10
            asked = {"min_percentile": few, "max_percentile": most, "axes": draw(_jointly(layout, form))}
            steps += (("clip", asked),)
        else:
            steps += (("clip", {"min": top / 20, "max": top / 2}),)
        if draw(st.booleans()):
            return steps, top
    steps += draw(_normalising(layout, channels, top, form))
    more = draw(st.sampled_from(("", "", "clip", "sigmoid", "softmax", "binarize")))
    if more == "clip":
        steps += (("clip", {"min": -0.5, "max": 1.25}),)
    elif more == "sigmoid" or (more == "softmax" and "c" in layout and form == "0.5"):
        steps += ((more, {"axis": "channel"} if more == "softmax" else {}),)
    elif more == "binarize":
        steps += (("binarize", {"threshold": 0.31}),)
    return steps, 1.0


@st.composite
def _after(draw: st.DrawFn, layout: str, channels: int, level: float, form: str) -> tuple[Steps, str]:
    """Postprocessing, and the dtype of what it answers."""
    plain = ["", "clip", "binarize", "reference"]
    chosen = draw(st.sampled_from(plain if form == "0.4" else [*plain, "scale", "softmax", "counts", "own", "each"]))
    small = level <= 1.0 and draw(st.booleans())
    steps: Steps = (("sigmoid", {}),) if small else ()
    top = 1.0 if small else level
    if chosen == "clip":
        steps += (("clip", {"min": -0.2 * top, "max": 0.7 * top}),)
    elif chosen == "binarize":
        steps += (("binarize", {"threshold": 0.4 * top}),)
        return steps, "float32" if form == "0.4" else "bool"
    elif chosen == "scale":
        steps += (("scale_linear", {"gain": draw(st.floats(0.5, 3)), "offset": 0.5}),)
    elif chosen == "softmax" and "c" in layout and level <= 1.0:
        steps += (("softmax", {"axis": "channel"}),)
    elif chosen == "counts":
        kind = draw(st.sampled_from(("uint8", "uint16")))
        full = 255.0 if kind == "uint8" else 65535.0
        scale = ("scale_linear", {"gain": 0.6 * full / top, "offset": 20.0})
        return (*steps, scale, ("clip", {"min": 0.0, "max": full}), ("ensure_dtype", {"dtype": kind})), kind
    elif chosen == "own":
        axes = draw(_jointly("".join(letter for letter in layout if letter not in DEEP), form))
        step = draw(st.sampled_from(("zero_mean_unit_variance", "scale_range")))
        limits = {"min_percentile": 2.0, "max_percentile": 99.0} if step == "scale_range" else {}
        steps = ((step, {"axes": axes, **limits}),)
    elif chosen == "each" and "c" in layout:
        thresholds = [0.3 * top + 0.1 * top * number for number in range(channels)]
        return (*steps, ("binarize", {"threshold": thresholds, "axis": "channel"})), "bool"
    return steps, "float32"
