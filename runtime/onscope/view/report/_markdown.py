"""The little of Markdown that methods.md is written in, as HTML; whatever else is in it stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ._html import Child, Html, Long, join, table, tag

HEADING = re.compile(r"(#{1,6})\s+(.*)")
ITEM = re.compile(r"(?:[-*]|\d{1,4}\.)\s+(.*)")
INLINE = re.compile(
    r"(?P<code>`[^`\n]+`)|(?P<strong>\*\*[^*\n]+\*\*)|(?P<em>\*[^*\n]+\*)|"
    r"(?P<link>https://[^\s<>\"'`)\]}]+)|(?P<fill>\\?\[fill in[^\]\n]*\])"
)
ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>])")
FIRST = 3
"""The level that the first heading becomes."""
MOST_LINES = 4000


def markdown(text: str, title: str = "") -> Html:
    """The text as headings (but for the one that `title` says already), paragraphs, lists, tables and code."""
    return join(_blocks(text.splitlines()[:MOST_LINES], title))


def _blocks(lines: list[str], title: str) -> Iterator[Html]:
    at, last = 0, title
    while at < len(lines):
        line = lines[at].strip()
        begin = at
        if line.startswith("```"):
            at = next((n for n in range(at + 1, len(lines)) if lines[n].strip().startswith("```")), len(lines)) + 1
            yield tag("pre", tag("code", Long("\n".join(lines[begin + 1 : at - 1]))), tabindex="0")
        elif found := HEADING.fullmatch(line):
            at += 1
            if found[2] != title:
                last = found[2]
                yield tag(f"h{max(FIRST, min(5, FIRST - 2 + len(found[1])))}", _inline(last))
        elif line.startswith("|"):
            while at < len(lines) and lines[at].strip().startswith("|"):
                at += 1
            yield _table(lines[begin:at], last)
        elif ITEM.fullmatch(line):
            while at < len(lines) and ITEM.fullmatch(lines[at].strip()):
                at += 1
            kind = "ol" if line[0].isdigit() else "ul"
            yield tag(kind, [tag("li", _inline(ITEM.sub(r"\1", each.strip()))) for each in lines[begin:at]])
        elif not line:
            at += 1
        else:
            at += 1
            while at < len(lines) and lines[at].strip() and not _begins(lines[at].strip()):
                at += 1
            yield tag("p", _inline(" ".join(each.strip() for each in lines[begin:at])))


def _begins(line: str) -> bool:
    return line.startswith(("```", "|")) or bool(HEADING.fullmatch(line) or ITEM.fullmatch(line))


def _table(lines: list[str], title: str) -> Html:
    rows = [[_inline(cell.strip()) for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))] for line in lines]
    body = [row for line, row in zip(lines, rows, strict=True) if line.strip("|-: \t")]
    return table(title or "Table", body[0], body[1:], titled=not title) if body else Html("")


def _inline(words: str) -> list[Child]:
    """Emphasis, code, addresses and what is to be filled in; backslashes before signs go."""
    told: list[Child] = []
    last = 0
    for found in INLINE.finditer(words):
        told.append(_text(words[last : found.start()]))
        last = found.end()
        held = found[0]
        if found["code"]:
            told.append(tag("code", Long(held[1:-1])))
        elif found["strong"]:
            told.append(tag("strong", _text(held[2:-2])))
        elif found["em"]:
            told.append(tag("em", _text(held[1:-1])))
        elif found["fill"]:
            told.append(tag("mark", _text(held)))
        else:
            address = held.rstrip(".,;")
            told += [tag("a", address, href=address, rel="noreferrer"), held[len(address) :]]
    return [*told, _text(words[last:])]


def _text(words: str) -> Long:
    return Long(ESCAPED.sub(r"\1", words))
