"""The multi-output tracker: how far each nucleus moves to the next frame, and whether it divides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onscope.export import Choices
from onscope.export._steps import cast, percentiles

from ..._texts import Words
from ...recipes import Part
from .._live_path import answers, movie, pipeline_of
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._system import Live, Measured, System, Training
from ._average_precision import average_precision
from ._moving import PIXEL_UM, Movie, held_out, moves

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "multi-output"
SIDE, REACH, WIDTH, HIDDEN = 80, 12, 16, 64
COLUMNS = ("dy", "dx", "certainty", "mitosis")
PIPELINE = f"""schema: 1
stages:
  nuclei: {{package: zoo/nuclei-cells}}
  cells: {{measure: nuclei}}
  motion: {{package: "{{package}}", crops: cells, side: {SIDE}, rescale: true}}
window: {{length: 2, along: t, every: 1, look_ahead: 1}}
"""
INTERVALS_S = (300.0, 1500.0)
FRAMES, FIRST = 8, 3000
"""Of each held-out specimen, and the first of them: nothing was chosen by these."""


def _network() -> nn.Module:
    from ...networks.track import MultiOutputTracker

    return MultiOutputTracker(SIDE, REACH, WIDTH, HIDDEN)


def _task() -> Task:
    from ...networks.track import MultiOutputTracker
    from ._multi_output_task import MultiOutputTask

    return MultiOutputTask(MultiOutputTracker(SIDE, REACH, WIDTH, HIDDEN), SIDE)


def _choices() -> Choices:
    first, *others = _pairs(3)
    return Choices(
        example=first[None],
        axes="btyx",
        output_axes=("bc",),
        pre=(percentiles(1, 99.8, ("time", "y", "x")), cast("float32")),
        output_names=("moved",),
        fixed=True,
        frames=others,
        batches=True,
        settings={"decode": "vectors", "columns": list(COLUMNS), "pixel_um": PIXEL_UM},
    )


def _pairs(count: int) -> list[Array]:
    """Crops uint16 (2, SIDE, SIDE) around nuclei of the validation part."""
    from ..._crops import cut
    from ._moving import moving

    found = moving(Part.VALIDATION, 1)
    rows = found["cells"][:: max(1, len(found["cells"]) // count)][:count]
    return [
        np.stack([cut(found[name][int(row[0])], row[None, 2:4], SIDE)[0] for name in ("before", "after")])
        for row in rows
    ]


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    for interval in INTERVALS_S:
        rows = [judged(folder, held_out(FIRST + number, FRAMES, interval)) for number in range(seeds)]
        for metric, unit in (("right nucleus", ""), ("median error", "um"), ("mitosis, average precision", "")):
            values, less = [row[metric] for row in rows], metric == "median error"
            found.append(over_seeds(f"dividing-cells, every {interval:g} s", metric, unit, values, less_is_better=less))
    return found


def judged(folder: Path, seen: Movie) -> dict[str, dict[str, float]]:
    """By metric, of all pairs of frames but the last together."""
    results = answers(pipeline_of(PIPELINE, folder), movie(list(seen.frames)), seen.pixel_um)
    tables = [(np.asarray(one["cells"]), np.asarray(one["motion"])) for one in results]
    right: dict[str, list[float]] = {}
    errors: dict[str, list[float]] = {}
    divides: list[float] = []
    ranks: dict[str, list[float]] = {"network": [], "brightness": []}
    for time in range(len(tables) - 1):
        cells, motion = tables[time]
        later = middles(tables[time + 1][0])
        truth = {int(row[0]): row for row in moves(seen.seen[time], seen.seen[time + 1])}
        own = whose(seen.labels[time], middles(cells))
        known = np.array([name in truth for name in own.tolist()], bool)
        if not known.any() or not len(later):
            continue
        rows = np.stack([truth[name] for name in own[known].tolist()])
        wanted = rows[:, 1:3] + rows[:, 3:5]
        targets = [_ends(seen, time, int(name)) for name in rows[:, 0]]
        whose_later = whose(seen.labels[time + 1], later)
        for way, places in ways(seen, time, cells, motion, later).items():
            places = places[known]
            nearest = np.hypot(*(places[:, None] - later[None]).transpose(2, 0, 1)).argmin(axis=1)
            hits = [int(whose_later[one]) in ends for one, ends in zip(nearest, targets, strict=True)]
            right.setdefault(way, []).extend(map(float, hits))
            errors.setdefault(way, []).extend((np.hypot(*(places - wanted).T) * seen.pixel_um).tolist())
        divides += rows[:, 5].tolist()
        ranks["network"] += motion["mitosis"][known].tolist()
        ranks["brightness"] += cells["intensity_mean_frame"][known].tolist()
    return {
        "right nucleus": {way: float(np.mean(one)) for way, one in right.items()},
        "median error": {way: float(np.median(one)) for way, one in errors.items()},
        "mitosis, average precision": {way: average_precision(divides, one) for way, one in ranks.items()},
    }


def ways(seen: Movie, time: int, cells: Array, motion: Array, later: Array) -> dict[str, Array]:
    """Where the nuclei of `cells` are expected in the next frame, (n, 2) pixels, by name."""
    from ._flow import flowed

    places = middles(cells)
    ratio = PIXEL_UM / seen.pixel_um
    moved = places + np.stack([motion["dy"], motion["dx"]], axis=1) * ratio
    nearest = np.hypot(*(places[:, None] - later[None]).transpose(2, 0, 1)).argmin(axis=1)
    return {
        "network": moved,
        "nearest neighbour": later[nearest],
        "optical flow": flowed(seen.frames[time], seen.frames[time + 1], places),
    }


def middles(cells: Array) -> Array:
    """Places (n, 2) of a table's objects."""
    return np.stack([cells["y"], cells["x"]], axis=1).astype(np.float64)


def whose(labels: Array, places: Array) -> Array:
    """Ids of the true nuclei below places (n, 2), 0 for none."""
    y, x = np.clip(np.rint(places).astype(int), 0, np.array(labels.shape) - 1).T
    return np.asarray(labels[y, x])


def _ends(seen: Movie, time: int, name: int) -> set[int]:
    """What a nucleus is called in the next frame: itself or its daughters."""
    after = seen.seen[time + 1]
    return {
        one
        for one in after.places
        if one == name or (one not in seen.seen[time].places and after.parents.get(one) == name)
    }


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for interval in (INTERVALS_S[0], INTERVALS_S[-1]):
        seen = held_out(FIRST, 3, interval)
        results = answers(pipeline_of(PIPELINE, folder), movie(list(seen.frames)), seen.pixel_um)
        tables = [(np.asarray(one["cells"]), np.asarray(one["motion"])) for one in results]
        own, later = whose(seen.labels[0], middles(tables[0][0])), middles(tables[1][0])
        labels = np.asarray(results[1]["nuclei"])
        tiles = [Tile(f"now, {interval:g} s later", seen.frames[1])]
        for way, places in ways(seen, 0, *tables[0], later).items():
            nearest = np.hypot(*(later[:, None] - places[None]).transpose(2, 0, 1)).argmin(axis=1)
            table = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
            table[tables[1][0]["label"]] = own[nearest]
            tiles.append(Tile(way, table[labels], "by the place that is nearest"))
        before = Tile("before, by identity", seen.labels[0].astype(np.int32))
        rows.append([before, *tiles, Tile("truth", _true_colours(seen))])
    sheet("Multi-output tracker on held-out cells: nuclei in the colours of the frame before", rows, file)


def _true_colours(seen: Movie) -> Array:
    table = np.zeros(int(seen.labels[1].max()) + 1, np.int32)
    for one in seen.seen[1].places:
        table[one] = one if one in seen.seen[0].places else seen.seen[1].parents.get(one, 0)
    return np.asarray(table[seen.labels[1]])


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="How far each nucleus moves to the next frame, and whether it divides: one network with two heads",
        takes_and_gives=(
            f"Crops (n, 2, {SIDE}, {SIDE}) uint16 at {PIXEL_UM} um per pixel around nuclei of a frame, of that "
            "frame and of the next one, both scaled by their common percentiles 1 and 99.8. Float32 (n, 4): "
            "motion dy and dx in pixels of the network, the largest share of one candidate place, and the "
            "probability of a mitosis. Live each nucleus of zoo/nuclei-cells is asked for, one frame late "
            "(`look_ahead: 1`), since the next frame must be there."
        ),
        recipe=(
            "Nuclei of the specimen's scenario dividing-cells at 20x in 60 cultures of 60 to 130 % of its "
            "density, 0.3 to 0.8 um per minute fast, many in mitosis; series of four frames at intervals of 300 "
            "to 1500 s, crops cut 0.75 um off (standard deviation), turned and mirrored, three in ten divide. "
            "Cross entropy over 625 candidate places, soft around the true one, plus that of mitosis. Widths of 16"
            " to 64. The paper scores candidates of a particle filter with a part that is trained anew on the way;"
            " here weights stay, and a grid of candidates is scored by the same convolutions at once."
        ),
        limits=(
            "Trained on simulated cells alone; motion beyond 12 um is never answered. Where cells move by less than "
            "they lie apart, the nucleus that is nearest is the same one without a network: at 300 s this one is not "
            "ahead of that, at 1500 s by a little, and the middles of the nuclei found in the next frame are more "
            "exact than its places. What it adds is the mitosis. It links nothing by itself: the stage gives a row for"
            " each nucleus, and what follows from it is a rule's."
        ),
        cite=(
            {
                "text": "Y. Wang, H. Mao, Z. Yi, Stem cell motion-tracking by using deep neural networks with "
                "multi-output, Neural Computing and Applications 31, 3455 (2019)",
                "doi": "10.1007/s00521-017-3291-2",
            },
        ),
        tags=("tracking", "mitosis", "nuclei", "fluorescence", "2d"),
        settings={},
    ),
    live=Live(PIPELINE, "specimen:dividing-cells@nuclei,size=384"),
    training=Training(_task, steps=2400, learning_rate=2e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on nuclei that nuclei-cells finds in movies of several specimens that "
            "training never saw; mean and standard deviation over the specimens. Right nucleus: the found one "
            "that is nearest to the expected place is the same nucleus or its daughter. Median error: from the "
            "expected place to where the nucleus, or the middle of its daughters, is. Nearest neighbour expects "
            "the nucleus that is nearest now, optical flow (G. Farnebaeck, SCIA 2003) the place that the image's "
            "pixels move to. Mitosis: average precision of nuclei in mitosis in the next frame or divided by "
            "then, held against the mean brightness."
        ),
    ),
    cost_shape=(384, 384),
    window=2,
)
