"""Who is compared takes turns: what changes of the machine meets all of them alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping

from onscope.runtime import now_ns

from .._rows import spread

Play = Callable[[int], object]
"""Works on the frame of that number."""
Times = dict[str, list[list[float]]]
"""Milliseconds per frame, by player and round."""


def take_turns(players: Mapping[str, Play], rounds: int, turn: int, warm_up: int = 3) -> Times:
    """Rounds in which each player works on `turn` frames in a row, in one order and in the other one by turns.

    A player's first frame of a turn does not count: it finds the caches, and the other one's threads, as they were
    left to it. `warm_up` frames go before the first round.
    """
    times: Times = {name: [] for name in players}
    for play in players.values():
        for number in range(warm_up):
            play(number)
    for count in range(rounds):
        order = list(players.items())
        for name, play in order if count % 2 else reversed(order):
            play(0)
            times[name].append([_timed(play, number) for number in range(1, turn + 1)])
    return times


def medians(rounds: list[list[float]]) -> list[float]:
    """Of each round."""
    return [statistics.median(times) for times in rounds]


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the rounds' own ratios."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def spreads(times: Times) -> dict[str, dict[str, float]]:
    """Percentiles of all frames, in ms."""
    return {name: spread([ms for one in rounds for ms in one], 3) for name, rounds in times.items()}


def _timed(play: Play, number: int) -> float:
    start = now_ns()
    play(number)
    return (now_ns() - start) / 1e6
