"""A run in words for the methods section of a paper: facts that were recorded, and "[fill in]" where none was.

`methods.md` of a recording, and what `onscope info --methods` prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ._about import About
from ._acquired import acquisition_words
from ._changed import change_words
from ._processed import model_words, normalisation_words, outcome_words, runtime_words
from ._references import bibtex, one_line, reference_lines, references_of


def methods(about: About) -> str:
    """Markdown: two paragraphs, a table of the models, references, licences, and BibTeX where there are DOIs."""
    cited = references_of(about)
    parts = ["# Methods", _paragraph(acquisition_words(about))]
    if about.stages:
        parts.append(
            _paragraph(
                [
                    *runtime_words(about),
                    *model_words(about, cited),
                    *normalisation_words(about),
                    *change_words(about, cited),
                    *outcome_words(about),
                ]
            )
        )
        parts += ["## Models", *_models(about)]
    if cited.papers:
        parts += ["## References", "\n".join(reference_lines(cited.papers))]
    entries = bibtex(cited.papers)
    if entries:
        parts += ["## BibTeX", f"```bibtex\n{entries}\n```"]
    parts.append(_foot(about))
    return "\n\n".join(parts) + "\n"


def _models(about: About) -> list[str]:
    rows = ["| stage | package | version | weights | licence | package sha256 |", "|---|---|---|---|---|---|"]
    for stage in about.stages:
        if stage.kind in ("measure", "track"):
            continue
        cells = [
            stage.name,
            stage.package,
            stage.version or "-",
            stage.precision or "-",
            stage.licence or "[fill in: none stated]",
            stage.package_sha256[:16] or "-",
        ]
        rows.append(_row(cells))
    packages = about.facts.all_packages
    later = {(swap.stage, swap.package_sha256): packages.get(swap.package_sha256) for swap in about.facts.swaps}
    for (name, sha256), package in later.items():
        if package is not None and (name, sha256) not in {(each.name, each.package_sha256) for each in about.stages}:
            licence = package.licence or "[fill in: none stated]"
            rows.append(_row([f"{name}, later", package.name, package.version or "-", "-", licence, sha256[:16]]))
    words = ["\n".join(rows)]
    people = dict.fromkeys(_people(about))
    if people:
        words.append("\n".join(people))
    forced = [stage.name for stage in about.stages if stage.forced]
    if forced:
        words.append(
            f"The export of {', '.join(forced)} is not equal to the network that was trained (it was forced): its "
            "answers differ from the published model's."
        )
    return words


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(one_line(cell).replace("|", "/") for cell in cells) + " |"


def _people(about: About) -> list[str]:
    lines = []
    for stage in about.stages:
        package = about.package_of(stage.name)
        names = [] if package is None else [one_line(author.name) for author in package.authors if author.name]
        if names:
            lines.append(f"- {one_line(stage.package)}: {', '.join(names)}")
    return lines


def _foot(about: About) -> str:
    state = "" if about.facts.state == "complete" else f" The recording is {one_line(about.facts.state)}."
    version = about.facts.versions.get("onscope", "")
    began = about.facts.began
    try:
        day = f"{datetime.fromisoformat(began):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        day = "an unknown day"
    return (
        f"*Written by onscope {one_line(version)} from the recording of {day}.{state} Only what was recorded is told; "
        "look through the text and complete what is marked \\[fill in\\].*"
    )


def _paragraph(sentences: Sequence[str]) -> str:
    return " ".join(sentences)
