"""What was measured: one metric of a network on one kind of held-out samples, beside what it is held against."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Score:
    """A value per seed: of the `network`, and of each baseline by its name. Raises ValueError for unequal lengths.

    `samples` says what was looked at ("dividing-cells, 5 photons"), `metric` and `unit` what the values are ("PSNR",
    "dB"); more is better unless `less_is_better`.
    """

    samples: str
    metric: str
    unit: str
    network: tuple[float, ...]
    baselines: Mapping[str, tuple[float, ...]]
    less_is_better: bool = False

    def __post_init__(self) -> None:
        lengths = {len(self.network), *map(len, self.baselines.values())}
        if len(lengths) != 1 or not self.network:
            raise ValueError(f"found values for {sorted(lengths)} seeds, expected as many of each, one or more")

    @property
    def best(self) -> str | None:
        """Name of the baseline with the best mean; None where there is none."""
        sign = -1 if self.less_is_better else 1
        return max(self.baselines, key=lambda name: sign * np.mean(self.baselines[name]), default=None)

    @property
    def beats(self) -> bool | None:
        """Whether the network's mean is better than that of the best baseline; None where there is none."""
        if self.best is None:
            return None
        gain = np.mean(self.network) - np.mean(self.baselines[self.best])
        return bool(gain < 0 if self.less_is_better else gain > 0)

    @property
    def gain(self) -> str:
        """What the network is ahead of the best baseline, seed by seed: mean and spread; "" where there is none."""
        if self.best is None:
            return ""
        ahead = np.asarray(self.network) - np.asarray(self.baselines[self.best])
        return _words(ahead, self.unit, "+")

    def told(self, name: str | None = None) -> str:
        """Mean and spread (standard deviation over the seeds) of the network, or of a baseline: "31.20 ± 0.40 dB"."""
        return _words(np.asarray(self.network if name is None else self.baselines[name]), self.unit)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "samples": self.samples,
            "metric": self.metric,
            "unit": self.unit,
            "network": list(self.network),
            "baselines": {name: list(values) for name, values in self.baselines.items()},
            "less_is_better": self.less_is_better,
        }


def over_seeds(samples: str, metric: str, unit: str, rows: Sequence[Mapping[str, float]], **more: bool) -> Score:
    """A score of one mapping per seed: "network" and the baselines' names to values."""
    names = [name for name in rows[0] if name != "network"]
    column = {name: tuple(float(row[name]) for row in rows) for name in ("network", *names)}
    return Score(samples, metric, unit, column.pop("network"), column, **more)


def _words(values: npt.NDArray[np.float64], unit: str, sign: str = "") -> str:
    """Mean and spread, both with as many decimals as two digits of the spread have."""
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    if not spread > 0 or not math.isfinite(spread):
        return f"{values.mean():{sign}.4g} {unit}".rstrip()
    decimals = max(0, 1 - math.floor(math.log10(spread)))
    return f"{values.mean():{sign}.{decimals}f} ± {spread:.{decimals}f} {unit}".rstrip()
