"""HTML that cannot be broken by what it tells: texts are escaped where they are put in, and only `Html` is markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

LONGEST = 2000
"""Characters of a text that are shown; a longer one is cut, and ends with an ellipsis."""
LONGEST_FILE = 60_000
"""The same of the text of a file."""
MOST_ROWS = 60
"""Rows of a table that are shown."""
VOID = frozenset({"br", "col", "hr", "img", "meta"})
NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")


class Html(str):
    """Markup made here; every other text is escaped when it becomes part of one."""

    __slots__ = ()


class Long(str):
    """The text of a file, which may be longer than others."""

    __slots__ = ()


Child = Html | str | float | None | Iterable["Child"]


def clean(text: object, most: int = LONGEST) -> str:
    """A text of others': what is not to be seen (control characters, changes of direction) is written out."""
    words = str(text)
    words = words if len(words) <= most else words[: most - 1] + "…"
    return "".join(each if each.isprintable() or each in "\n\t" else ascii(each)[1:-1] for each in words)


def join(*children: Child) -> Html:
    """Markup and escaped texts, one after another."""
    return Html("".join(_parts(children)))


def tag(name: str, *children: Child, **attributes: object) -> Html:
    """An element. Of attributes' names a last "_" goes and others become "-"; those that are None are left out."""
    told = [f"<{_name(name)}"]
    for key, value in attributes.items():
        if value is not None:
            told.append(f' {_name(key.rstrip("_").replace("_", "-"))}="{html.escape(_plain(value))}"')
    told.append(">")
    if name not in VOID:
        told += [*_parts(children), f"</{name}>"]
    return Html("".join(told))


def table(
    caption: str,
    head: Sequence[Child],
    rows: Iterable[Sequence[Child]],
    numeric: Iterable[int] = (),
    most: int = MOST_ROWS,
    titled: bool = True,
) -> Html:
    """A table with a caption; the first cell of a row is its heading, columns of `numeric` are set to the right.

    `titled` False: the caption is for who listens to the page alone, since a heading says it already.
    """
    right = set(numeric)
    kept: list[Html] = []
    left_out = 0
    for row in rows:
        if len(kept) < most:
            cells = [
                _cell("td" if at else "th", cell, at in right, "row" if not at else None) for at, cell in enumerate(row)
            ]
            kept.append(tag("tr", cells))
        else:
            left_out += 1
    heads = tag("tr", [_cell("th", cell, at in right, "col") for at, cell in enumerate(head)])
    more = tag("p", f"and {left_out:,} more", class_="note") if left_out else None
    whole = tag(
        "table", tag("caption", caption, class_=None if titled else "unseen"), tag("thead", heads), tag("tbody", kept)
    )
    return join(tag("div", whole, class_="scroll", role="region", aria_label=caption, tabindex="0"), more)


def facts(pairs: Iterable[tuple[str, Child]], wide: bool = False) -> Html:
    """Names with what they are; `wide`: sentences rather than numbers."""
    told = [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs]
    return tag("dl", told, class_="facts wide" if wide else "facts") if told else Html("")


def section(anchor: str, title: str, *children: Child) -> Html:
    """A part of the page with its heading."""
    return tag("section", tag("h2", title), children, id=anchor)


def note(*words: Child) -> Html:
    """A sentence beside something."""
    return tag("p", words, class_="note")


def coded(words: str) -> list[Child]:
    """Words between backticks as code."""
    parts = words.split("`")
    return [tag("code", part) if at % 2 and at < len(parts) - 1 else part for at, part in enumerate(parts)]


def trouble(words: str) -> Html:
    """What is wrong, or could not be read."""
    return tag("p", tag("strong", "! ", aria_hidden="true"), words, class_="trouble")


def _cell(name: str, cell: Child, right: bool, scope: str | None) -> Html:
    return tag(name, cell, class_="n" if right else None, scope=scope)


def _parts(children: Iterable[Child]) -> Iterator[str]:
    for child in children:
        if isinstance(child, Html):
            yield str(child)
        elif isinstance(child, (str, int, float)):
            yield html.escape(_plain(child))
        elif child is not None:
            yield from _parts(child)


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return value if isinstance(value, Html) else clean(value, LONGEST_FILE if isinstance(value, Long) else LONGEST)


def _name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"found the name {name!r} of an element or attribute, expected letters, digits and hyphens")
    return name
