"""How well each value tells good frames from others: areas under ROC curves, and what is flagged at the limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.export.usual import reference_of
from onscope.export.zoo import PACKAGES
from onscope.export.zoo._quality import onnx_runner
from onscope.runtime import Package
from onscope.runtime.trust import SUSPICION, Patches, Reference, values_of

from .._rows import Row
from ._kinds import ANSWERS, FRAMES, NUCLEI, Draw, Image, Nuclei, good
from ._plan import Plan

FIRST_SEED = 60_000_000
"""Far from those of training, evaluation, and of the package's own limits (30 million)."""
APART = 100_000
POINTS = 21
"""Of a ROC curve that is kept."""
Excess = dict[str, npt.NDArray[np.float64]]
BASES = {"own": "limits of own frames", "recipe": "limits shipped"}


def found(plan: Plan, told: Callable[[str], object]) -> list[Row]:
    """A row per kind of frames or answers, and per kind of limits: those of own good frames, and the shipped ones."""
    denoise = onnx_runner(PACKAGES / "care-beads" / "weights.onnx", 1)
    shipped = Package.load("zoo/care-beads").trust
    assert shipped is not None
    rows = []
    for base, words in BASES.items():
        every: dict[str, list[tuple[Excess, Excess]]] = {}
        quiet: list[Excess] = []
        for number in range(plan.seeds):
            told(f"{words}: draw {number + 1} of {plan.seeds}")
            first = FIRST_SEED + number * APART
            own = [good(Draw(base, first + 50_000 + at, plan.size)) for at in range(plan.own)]
            reference = shipped if base == "recipe" else reference_of(own[::2], denoise, own[1::2])
            kinds = dict(_kinds(base, first, plan, denoise))
            fine = _excess(kinds.pop("good"), reference)
            quiet.append(fine)
            for kind, pairs in kinds.items():
                every.setdefault(kind, []).append((fine, _excess(pairs, reference)))
        rows.append(_false_alarms(words, base, quiet))
        rows += [_row(words, base, kind, draws) for kind, draws in every.items()]
    return rows


def _kinds(
    base: str, first: int, plan: Plan, denoise: Callable[[Image], Image]
) -> Iterator[tuple[str, list[tuple[Image, Image]]]]:
    """Frames and answers by their kind."""

    def answered(frames: Sequence[Image]) -> list[tuple[Image, Image]]:
        return [(frame, denoise(frame)) for frame in frames]

    def draws(at: int) -> Iterator[Draw]:
        return (Draw(base, first + 1000 * at + one, plan.size) for one in range(plan.count))

    fine = answered([good(draw) for draw in draws(0)])
    yield "good", fine
    for at, (kind, change) in enumerate(FRAMES.items(), 1):
        yield kind, answered([change(draw) for draw in draws(at)])
    nuclei = Nuclei(first)
    yield NUCLEI, answered([nuclei.frame(plan.size) for _ in range(plan.count)])
    for at, (kind, wrong) in enumerate(ANSWERS.items(), 20):
        rng = np.random.default_rng(first + at)
        others = answered([good(draw) for draw in draws(at)])
        yield kind, [(frame, wrong(frame, answer, rng)) for frame, answer in others]


def _excess(pairs: Sequence[tuple[Image, Image]], reference: Reference) -> Excess:
    """How far beyond its limit each value is, by value; what has none is as far as can be."""
    columns: dict[str, list[float]] = {name: [] for name in (SUSPICION, *reference.limits)}
    for frame, answer in pairs:
        patches = Patches((frame.shape[0], frame.shape[1]))
        values, _ = values_of(patches.of(frame), patches.of(answer), reference)
        for name, column in columns.items():
            if name == SUSPICION:
                column.append(values.get(name, np.inf))
            else:
                # No whiteness of a residual that is nothing: no reason for suspicion by itself.
                column.append(reference.limits[name].excess(values[name]) if name in values else 0.0)
    return {name: np.array(column) for name, column in columns.items()}


def auc(fine: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """The chance that one of the others is more suspicious than a good one (Mann and Whitney's U over all pairs)."""
    above, same = other[:, None] > fine[None], other[:, None] == fine[None]
    return float(above.mean() + 0.5 * same.mean())


def curve(fine: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> list[float]:
    """Share of the others that is found where a share of the good ones is flagged: at 0, 5 % ... 100 %."""
    levels = np.concatenate([[np.inf], np.sort(np.concatenate([fine, other]))[::-1], [-np.inf]])
    false = [(fine >= level).mean() for level in levels]
    true = [(other >= level).mean() for level in levels]
    shares = np.linspace(0, 1, POINTS)
    return [round(float(max(t for f, t in zip(false, true, strict=True) if f <= share)), 3) for share in shares]


def _row(words: str, base: str, kind: str, draws: Sequence[tuple[Excess, Excess]]) -> Row:
    names = list(draws[0][0])
    areas = {name: [auc(fine[name], other[name]) for fine, other in draws] for name in names}
    whole = {
        name: curve(np.concatenate([fine[name] for fine, _ in draws]), np.concatenate([one[name] for _, one in draws]))
        for name in names
    }
    flagged = {name: float(np.mean([(other[name] > 1).mean() for _, other in draws])) for name in names}
    detail: dict[str, Any] = {
        "limits": base,
        "kind": kind,
        "auc": {name: [round(value, 4) for value in values] for name, values in areas.items()},
        "roc": whole,
        "flagged": {name: round(value, 4) for name, value in flagged.items()},
    }
    best = sorted((name for name in names if name != SUSPICION), key=lambda name: -np.mean(areas[name]))[:3]
    told = ", ".join(f"{name} {np.mean(areas[name]):.2f}" for name in best)
    mean, spread = float(np.mean(areas[SUSPICION])), float(np.std(areas[SUSPICION]))
    ours = f"AUC {mean:.3f} ± {spread:.3f}; flagged {100 * flagged[SUSPICION]:.0f} %"
    return Row(f"{words}: {kind}", ours, f"best alone: {told}", None, "", None, detail)


def _false_alarms(words: str, base: str, quiet: Sequence[Excess]) -> Row:
    shares = [float((fine[SUSPICION] > 1).mean()) for fine in quiet]
    detail = {"limits": base, "kind": "good", "flagged": shares, "frames": sum(len(fine[SUSPICION]) for fine in quiet)}
    return Row(
        f"{words}: good frames", f"flagged {100 * np.mean(shares):.1f} ± {100 * np.std(shares):.1f} %", detail=detail
    )
