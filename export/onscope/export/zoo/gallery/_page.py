"""The page as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .. import PACKAGES
from ..systems import PICTURE, ROWS, Card, Job, Row

PACKAGES_LINK = "../export/onscope/export/zoo/packages"
HEAD = """# The gallery: systems of the literature, running live

Made by `python -m onscope.export.zoo.gallery` from measured results alone: the `quality.json` of each shipped package,
and for systems with seeded weights those in [gallery/](gallery). A system *works* when its network went through the
export with parity, and ran through the runtime on a Micro-Manager core in front of the
[simulated specimen](specimen.md) with every frame accounted for and none failed. Quality is measured through the
runtime on held-out specimens, mean ± standard deviation over the seeds; all measures of a system stand in the README of
its package. Networks are as published, in small widths; those with *seeded weights* show that the network runs here,
and nothing about its worth when trained.

`onscope models` lists the shipped ones. Simulated samples are no real ones: what a network is worth on yours, only your
own images tell.
"""
COLUMNS = (
    "system",
    "works",
    "quality, of the first measure",
    "best baseline",
    "ahead in",
    "parameters",
    "ms per window",
    "picture",
)


BUSY = "\\*"


def page(cards: Mapping[str, Card], packages: Path = PACKAGES) -> str:
    """The whole page, of what was measured by system."""
    working = sum(1 for row in ROWS if works(row, cards))
    parts = [HEAD, f"{working} of {len(ROWS)} rows work.\n", *_standing(cards)]
    for job in Job:
        rows = [row for row in ROWS if row.job == job]
        parts.append(f"## {str(job).capitalize()}\n\n| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
        parts[-1] += "".join(f"\n{line}" for row in rows for line in _lines(row, cards, packages)) + "\n"
        keys = [key for row in rows for key in row.systems]
        parts += [_picture(key, packages) for key in keys if (packages / key / PICTURE).is_file()]
    machines = sorted({card.cost.machine for card in cards.values()})
    costs = "Times are medians of the compiled graphs on one thread of the CPU, at the size that stands beside them"
    return "\n".join([*parts, f"{costs}: {'; '.join(machines)}. {BUSY} beside other work: at most that.\n"])


def _standing(cards: Mapping[str, Card]) -> list[str]:
    """Which trained systems are ahead of their best baselines in all measures, in most, in half of them at most."""
    shares: dict[str, list[str]] = {"in all measures": [], "in most": [], "**in half of them at most**": []}
    all_of_them, most, few = shares.values()
    for row in ROWS:
        for key in (key for key in row.systems if key in cards and cards[key].trained):
            if judged := _judged(cards[key]):
                share = sum(judged) / len(judged)
                (all_of_them if share == 1 else most if share > 1 / 2 else few).append(f"`{key}`")
    told = [f"{words}: {', '.join(keys)}" for words, keys in shares.items() if keys]
    if not told:
        return []
    return [
        f"To work is not to be better. Ahead of the best baseline, whose parameters the truth chose where it has "
        f"any, {'; '.join(told)}.\n"
    ]


def _judged(card: Card) -> list[bool]:
    """Of each measure that has a baseline, whether the network is ahead of the best."""
    return [score.beats for score in card.scores if score.beats is not None]


def works(row: Row, cards: Mapping[str, Card]) -> bool:
    """Whether all systems of a row work, and one of them with trained weights where the row asks for it."""
    found = [cards[key] for key in row.systems if key in cards]
    whole = len(found) == len(row.systems) and all(card.works for card in found)
    return whole and (not row.trained or any(card.trained for card in found))


def _lines(row: Row, cards: Mapping[str, Card], packages: Path) -> list[str]:
    state = "works" if works(row, cards) else "**open**"
    lines = [f"| **{row.title}** | {state} | | {row.beside} | | | | |"]
    return lines + [f"| {_line(key, cards.get(key), packages)} |" for key in row.systems]


def _line(key: str, card: Card | None, packages: Path) -> str:
    if card is None:
        return " | ".join([f"`{key}`", "not yet", *[""] * 6])
    name = f"[`{key}`]({PACKAGES_LINK}/{key}/README.md)" if (packages / key).is_dir() else f"`{key}`"
    cells = [name, "yes" if card.works else "no"]
    if card.trained and card.scores:
        first = card.scores[0]
        cells.append(f"{first.metric} {first.told()} ({first.samples})")
        cells.append(f"{first.best} {first.told(first.best)}" if first.best is not None else "-")
        judged = _judged(card)
        cells.append(f"{sum(judged)} of {len(judged)} measures" if judged else "-")
    else:
        cells += ["seeded weights" if not card.trained else "-", "-", "-"]
    size = "x".join(map(str, card.cost.shape))
    window = f" x {card.cost.frames}" if card.cost.frames > 1 else ""
    cells += [f"{card.parameters:,}", f"{card.cost.p50_ms:g}{BUSY if card.cost.busy else ''} ({size}{window})"]
    cells.append(f"[picture]({PACKAGES_LINK}/{key}/{PICTURE})" if (packages / key / PICTURE).is_file() else "-")
    return " | ".join(cells)


def _picture(key: str, packages: Path) -> str:
    return f"![{key}]({PACKAGES_LINK}/{key}/{PICTURE})\n"
