"""What was changed of a run while its frames came, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from ...worker import SETTING
from ._about import About
from ._references import References, one_line

SHOWN = 6
"""Changes of numbers that the text names."""


def tuned_of(about: About) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Stage, name and values of what was tuned: percentiles and number of the results that it holds for."""
    for stage, names in about.parameters.items():
        for name, spread in names.items():
            if name.startswith(SETTING):
                yield stage, name.removeprefix(SETTING), dict(spread)


def change_words(about: About, cited: References) -> list[str]:
    """Packages that were replaced, and numbers that were tuned."""
    said = []
    for swap in about.facts.swaps:
        seconds = (swap.at_ns - about.facts.clock.monotonic_ns) / 1e9
        said.append(
            f"After {seconds:.1f} s of the recording the network of {one_line(swap.stage)} was replaced by "
            f"{one_line(swap.package)}{cited.mark(swap.package_sha256)}."
        )
    tuned = [one_line(event.message) for event in about.facts.events if event.kind == "tuned"]
    if tuned:
        more = f", and {len(tuned) - SHOWN} more changes" if len(tuned) > SHOWN else ""
        said.append(
            f"Numbers were changed while frames came ({'; '.join(tuned[:SHOWN])}{more}); each result is recorded with "
            "those that held for it."
        )
    return said
