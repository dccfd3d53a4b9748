"""What was changed of a run while its frames came, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from ...worker import SETTING
from ._about import About
from ._references import References, one_line


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
    tuned: dict[str, list[str]] = {}
    for stage, name, _ in tuned_of(about):
        tuned.setdefault(stage, []).append(one_line(name))
    said += [
        f"While frames came, {' and '.join(names)} of {one_line(stage)} "
        f"{'was' if len(names) == 1 else 'were'} changed; each result is recorded with what held for it."
        for stage, names in tuned.items()
    ]
    return said
