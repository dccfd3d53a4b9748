"""What to cite for a run's models, and their licences: numbered references and BibTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ._about import About
from ._facts import Cited

PLAIN_DOI = re.compile(r"10\.\d{4,9}/[^\s{}\\\"<>]+")
TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
TEX |= {letter: "\\" + letter for letter in "&%$#_{}"}


@dataclass(frozen=True, slots=True)
class References:
    """The papers of a run's packages, each once, in the order of the stages; `numbers` of each stage, from 1, and of
    packages that were put in another one's place, by their sha256."""

    papers: tuple[Cited, ...]
    numbers: dict[str, tuple[int, ...]]

    def mark(self, stage: str) -> str:
        """How the text refers to a stage's papers: " [1, 2]", "" where its package names none."""
        numbers = self.numbers.get(stage, ())
        return f" [{', '.join(map(str, numbers))}]" if numbers else ""


def references_of(about: About) -> References:
    """The papers of all stages."""
    known: dict[str, int] = {}
    papers: list[Cited] = []
    numbers: dict[str, tuple[int, ...]] = {}
    packages = [(stage.name, about.package_of(stage.name)) for stage in about.stages]
    told = about.facts.all_packages
    packages += [(swap.package_sha256, told.get(swap.package_sha256)) for swap in about.facts.swaps]
    for of, package in packages:
        mine = []
        for paper in () if package is None else package.cite:
            key = _doi(paper) or one_line(paper.text or paper.url or "")
            if key and key.casefold() not in known:
                papers.append(paper)
                known[key.casefold()] = len(papers)
            if key:
                mine.append(known[key.casefold()])
        numbers[of] = tuple(dict.fromkeys(mine))
    return References(tuple(papers), numbers)


def reference_lines(papers: Sequence[Cited]) -> list[str]:
    """Numbered lines."""
    lines = []
    for number, paper in enumerate(papers, 1):
        doi = _doi(paper)
        where = f"https://doi.org/{doi}" if doi else one_line(paper.url or "")
        lines.append(f"{number}. {' '.join(filter(None, (_sentence(one_line(paper.text or '')), where)))}")
    return lines


def bibtex(papers: Sequence[Cited]) -> str:
    """An entry for each paper that has a DOI; "" when none has. Its fields are what the package says, and no more."""
    entries = []
    for number, paper in enumerate(papers, 1):
        doi = _doi(paper)
        if doi:
            note = f"  note = {{{_tex(one_line(paper.text or ''))}}},\n" if paper.text else ""
            entries.append(f"@misc{{onscope{number},\n{note}  doi = {{{doi}}},\n  url = {{https://doi.org/{doi}}}\n}}")
    return "\n\n".join(entries)


def one_line(text: str) -> str:
    """A text of others' in one line, without what a terminal or Markdown would obey."""
    line = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(line.replace("`", "'").replace("<", "(").replace(">", ")").split())


def _doi(paper: Cited) -> str:
    found = PLAIN_DOI.search(paper.doi or "") or PLAIN_DOI.search(paper.url or "")
    return found[0] if found else ""


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".!?" else text + "."


def _tex(text: str) -> str:
    return "".join(TEX.get(letter, letter) for letter in text)
