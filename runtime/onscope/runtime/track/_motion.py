"""The tracks that are alive, and where they are expected: standing still, or by a Kalman filter."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._columns import Detections
from ._settings import TrackSettings

Table = np.ndarray[Any, np.dtype[Any]]
Floats = npt.NDArray[np.float64]


def alive_dtype(looks: int) -> np.dtype[Any]:
    """One row per track: who it is, where it was seen last, its state and what it looked like.

    `y x vy vx` are the filter's estimates, `cpp cps css` the covariance of place and speed, the same for both axes.
    """
    return np.dtype(
        [
            ("track", np.int64),
            ("began", np.int64),  # number of its first frame
            ("last", np.int64),  # number of the frame it was seen in last
            ("first_frame", np.bool_),  # was there when the tracker began: nobody knows since when
            *((name, np.float64) for name in ("seen_y", "seen_x", "y", "x", "vy", "vx", "cpp", "cps", "css")),
            ("area", np.float64),
            ("intensity", np.float64),
            ("appearance", np.float64, (looks,)),
        ]
    )


def begin(found: Detections, rows: npt.NDArray[np.intp], number: int, largest: float, settings: TrackSettings) -> Table:
    """New tracks of some objects, without a speed; their ids are 0 still."""
    born = np.zeros(len(rows), alive_dtype(found.appearance.shape[1]))
    born["began"] = number
    born["cpp"] = settings.position_noise**2
    born["css"] = (largest / 2) ** 2  # faster than twice this, and it would not have been linked
    born["y"], born["x"] = found.places[rows].T
    return _note(born, found, rows, number)


def predict(alive: Table, number: int, settings: TrackSettings) -> Table:
    """The same tracks where they are expected in frame `number`.

    The Kalman filter's model is a speed that changes at random (white noise of acceleration: Y. Bar-Shalom, X. R. Li,
    T. Kirubarajan, Estimation with Applications to Tracking and Navigation, 2001, section 6.2.2), over the frames since
    each was seen.
    """
    if settings.model == "still":
        return alive
    expected = alive.copy()
    steps = (number - alive["last"]).astype(np.float64)
    noise = settings.speed_noise**2
    expected["y"] += steps * alive["vy"]
    expected["x"] += steps * alive["vx"]
    expected["cpp"] += steps * (2 * alive["cps"] + steps * alive["css"]) + noise * steps**3 / 3
    expected["cps"] += steps * alive["css"] + noise * steps**2 / 2
    expected["css"] += noise * steps
    return expected


def follow(
    expected: Table, found: Detections, rows: npt.NDArray[np.intp], number: int, settings: TrackSettings
) -> Table:
    """Tracks after their objects were seen in frame `number`: row for row of `expected` and `rows`."""
    seen = expected.copy()
    off = found.places[rows] - np.stack([expected["y"], expected["x"]], axis=1)
    if settings.model == "still":
        steps = number - expected["last"]
        seen["y"], seen["x"] = found.places[rows].T
        seen["vy"], seen["vx"] = off.T / steps
    else:
        total = expected["cpp"] + settings.position_noise**2
        gain, push = expected["cpp"] / total, expected["cps"] / total
        for axis, name in enumerate("yx"):
            seen[name] += gain * off[:, axis]
            seen[f"v{name}"] += push * off[:, axis]
        seen["css"] -= push * expected["cps"]
        seen["cps"] *= 1 - gain
        seen["cpp"] *= 1 - gain
    return _note(seen, found, rows, number)


def _note(tracks: Table, found: Detections, rows: npt.NDArray[np.intp], number: int) -> Table:
    """What is kept of an object as it was seen last; what is not known stays as it was."""
    tracks["last"] = number
    tracks["seen_y"], tracks["seen_x"] = found.places[rows].T
    tracks["area"], tracks["intensity"] = found.area[rows], found.intensity[rows]
    tracks["appearance"] = found.appearance[rows]
    return tracks
