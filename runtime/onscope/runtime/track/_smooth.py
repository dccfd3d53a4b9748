"""Smoothed tracks, for after the run or with a known delay: a track's own later frames say where it was."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ._table import Tracks

Floats = npt.NDArray[np.float64]


def smooth(
    tracks: Tracks, lag: int | None = None, *, position_noise: float = 1.0, speed_noise: float = 1.0
) -> tuple[Floats, Floats]:
    """Places and speeds of all rows from the frames of their track up to `lag` rows later; None: from all of them.

    Returns (n, 2) y and x in pixels and (n, 2) pixels per frame, in the order of the table. The model is that of the
    tracker's "kalman": noise of the places measured (pixels), and of the speed from frame to frame (pixels per frame);
    a track's first place is known as well as any, its speed not at all. A Rauch-Tung-Striebel smoother over windows of
    lag + 1 rows (H. E. Rauch, F. Tung, C. T. Striebel, AIAA Journal 3, 1445 (1965)), all tracks at once. With a lag of
    0 it is the filter. Raises ValueError for a lag below 0 or a noise that is not above 0.
    """
    if (lag is not None and lag < 0) or not (position_noise > 0 and speed_noise > 0):
        raise ValueError(
            f"found lag {lag}, noises {position_noise} and {speed_noise}, expected a lag from 0 on and noises above 0"
        )
    if not len(tracks):
        return np.zeros((0, 2)), np.zeros((0, 2))
    grid = _Grid(tracks)
    filtered = _filter(grid, position_noise**2, speed_noise**2)
    state = _back(grid, filtered, grid.length if lag is None else lag, speed_noise**2)[grid.at]
    return state[:, 0], state[:, 1]


class _Grid:
    """Tracks side by side: row k of column c is the k-th row of track c; `there` where it has so many."""

    def __init__(self, tracks: Tracks) -> None:
        column = np.cumsum(tracks.begins) - 1
        first = np.flatnonzero(tracks.begins)
        row = np.arange(len(tracks)) - first[column]
        self.at = (row, column)
        self.length, self.width = int(row.max()) + 1, len(first)
        self.there = np.zeros((self.length, self.width), dtype=bool)
        self.there[self.at] = True
        self.places = np.zeros((self.length, self.width, 2))
        self.places[self.at] = np.stack([tracks.y, tracks.x], axis=1)
        frame = np.zeros((self.length, self.width))
        frame[self.at] = tracks.frame
        self.steps = np.where(self.there[1:], np.diff(frame, axis=0), 1.0)
        """Frames from row k to row k + 1."""


UNKNOWN = 1e6
"""Variance of a speed that nothing is known of, (pixels per frame)^2."""


def _moved(steps: Floats, covariance: Floats, noise: float) -> tuple[Floats, Floats]:
    """Transition (n, 2, 2) and covariance before the next measurement."""
    turn = np.zeros((len(steps), 2, 2))
    turn[:, 0, 0] = turn[:, 1, 1] = 1
    turn[:, 0, 1] = steps
    grown = turn @ covariance @ turn.transpose(0, 2, 1)
    grown[:, 0, 0] += noise * steps**3 / 3
    grown[:, 0, 1] += noise * steps**2 / 2
    grown[:, 1, 0] += noise * steps**2 / 2
    grown[:, 1, 1] += noise * steps
    return turn, grown


def _filter(grid: _Grid, place: float, noise: float) -> tuple[Floats, Floats]:
    """States (length, width, place and speed, axis) and covariances (length, width, 2, 2), from rows until then."""
    states = np.zeros((grid.length, grid.width, 2, 2))
    covariances = np.zeros((grid.length, grid.width, 2, 2))
    states[0, :, 0] = grid.places[0]
    covariances[0, :, 0, 0], covariances[0, :, 1, 1] = place, UNKNOWN
    for row in range(1, grid.length):
        turn, grown = _moved(grid.steps[row - 1], covariances[row - 1], noise)
        expected = turn @ states[row - 1]
        gain = grown[:, :, 0] / (grown[:, 0, 0] + place)[:, None]
        states[row] = expected + gain[:, :, None] * (grid.places[row] - expected[:, 0])[:, None, :]
        after = grown - gain[:, :, None] * grown[:, None, 0, :]
        covariances[row] = (after + after.transpose(0, 2, 1)) / 2
    return states, covariances


def _back(grid: _Grid, filtered: tuple[Floats, Floats], lag: int, noise: float) -> Floats:
    """States after the backward pass: over whole tracks, or from `lag` rows later for each row."""
    states, covariances = filtered
    gains = np.zeros_like(covariances)
    expected = np.zeros_like(states)
    for row in range(grid.length - 1):
        turn, grown = _moved(grid.steps[row], covariances[row], noise)
        gains[row] = covariances[row] @ turn.transpose(0, 2, 1) @ np.linalg.inv(grown)
        expected[row] = turn @ states[row]  # of row + 1
    found = states.copy()
    if lag >= grid.length - 1:
        for row in range(grid.length - 2, -1, -1):
            there = grid.there[row + 1]
            found[row][there] = (states[row] + gains[row] @ (found[row + 1] - expected[row]))[there]
        return found
    there = grid.there[1:]
    for _ in range(lag):  # each time every row knows of one row more
        moved = states[:-1] + gains[:-1] @ (found[1:] - expected[:-1])
        found[:-1][there] = moved[there]
    return found
