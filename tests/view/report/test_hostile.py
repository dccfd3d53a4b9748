"""Names, labels and texts of a recording are others': whatever they are, they stay text."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from onscope.view.report import report
from onscope.view.report._html import Html, clean, facts, join, note, table, tag
from onscope.view.report._markdown import markdown
from onscope.view.report._words import without_folders

from ._parsed import Parsed
from .conftest import write_journal

EVIL = (
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><script>", "</title></svg><b>"),
    *("<!--", "-->", "]]>", "&lt;script&gt;", "&#60;b&#62;", "'onmouseover='x", "javascript:alert(1)", "\x00<b\x00>"),
    *("\u202e<b>", "\ud800", "<svg/onload=x>", "`<b>`", "**<b>**", "[x](javascript:x)", "https://a.b/<b>"),
    *('https://a.b/"onclick="x', "|<b>|", "# <b>"),
)
texts = st.one_of(st.sampled_from(EVIL), st.text(max_size=40), st.lists(st.sampled_from(EVIL), max_size=4).map("".join))


def whole(markup: Html) -> Parsed:
    return Parsed(str(markup))


@settings(max_examples=300, deadline=None)
@given(words=texts)
def test_a_text_is_one_text_wherever_it_is_put(words: str) -> None:
    for markup in (
        tag("p", words),
        tag("p", "x", title=words, aria_label=words),
        table(words, [words], [[words, words]]),
        facts([(words, words)]),
        note(words),
        join(words, tag("b", words)),
    ):
        page = whole(markup)
        assert page.wrong == []
        assert set(page.shape) <= {
            "p",
            "b",
            "div",
            "table",
            "caption",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "dl",
            "dt",
            "dd",
        }
    said = "".join(data for _, data in whole(tag("p", words)).texts)
    assert said == clean(words).replace("\r", "")


@settings(max_examples=300, deadline=None)
@given(
    words=st.lists(st.one_of(texts, st.sampled_from(["\n", "\n\n", "| a | b |\n", "```\n", "# ", "- ", "1. "]))).map(
        "".join
    )
)
@example(words="```\n<script>")
@example(words="| <b> |")
def test_markdown_never_becomes_more_than_it_may(words: str) -> None:
    page = whole(markdown(words))
    assert page.wrong == []
    assert "img" not in page.shape
    assert all(each["href"].startswith("https://") for each in page.of("a"))


def test_only_markup_made_here_is_markup() -> None:
    with pytest.raises(ValueError, match="expected letters"):
        tag("p onclick=x")
    with pytest.raises(ValueError, match="expected letters"):
        tag("p", **{'x">': "y"})


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("found /home/ada/data/run 1 twice", "found …/run 1 twice"),
        (r"at C:\Users\ada\run.yaml", "at …/run.yaml"),
        ("--out=/data/x and ~/x/y", "--out=…/x and …/y"),
        ("https://doi.org/10.1/x, 3/4, frames/s", "https://doi.org/10.1/x, 3/4, frames/s"),
    ],
)
def test_folders_of_this_computer_are_left_out(words: str, told: str) -> None:
    assert without_folders(words) == told


def put_everywhere(value: Any, words: str) -> Any:
    """The texts of a manifest that people or files wrote, with others in their place."""
    if isinstance(value, dict):
        kept = (
            "role",
            "path",
            "format",
            "dtype",
            "axes",
            "along",
            "stage",
            "raw",
            "state",
            "began",
            "kind",
            "package_sha256",
        )
        return {name: inner if name in kept else put_everywhere(inner, words) for name, inner in value.items()}
    if isinstance(value, list):
        return [put_everywhere(inner, words) for inner in value]
    return f"{value}{words}" if isinstance(value, str) else value


@pytest.mark.long
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=texts)
@example(words="".join(EVIL[:6]))
def test_a_whole_page_of_hostile_texts_has_the_same_elements(recording: Path, tmp_path: Path, words: str) -> None:
    folder = tmp_path / "run"
    if not folder.exists():
        shutil.copytree(recording, folder)
    manifest = json.loads((recording / "recording.json").read_text())
    for name in ("pipeline", "packages", "notes", "machine", "versions", "sources", "command", "runtime"):
        manifest[name] = put_everywhere(manifest[name], words)
    for stage in manifest["pipeline"]["stages"]:
        stage["name"] = stage["name"].removesuffix(words)
    manifest["notes"] = {words: words}
    manifest["events"] = [{"at_ns": manifest["clock"]["monotonic_ns"], "kind": words, "message": words}]
    (folder / "recording.json").write_text(json.dumps(manifest))
    (folder / "methods.md").write_text(words, encoding="utf-8", errors="replace")
    (folder / "feedback.jsonl").unlink(missing_ok=True)
    write_journal(folder, rule=words, because=words)
    rows: list[list[object]] = [
        ["run", "camera", "segment", "seq", "state", "reason", "frames"],
        ["r", words, 0, 0, "skipped", words, 1],
    ]
    with open(folder / "ledger.csv", "w", newline="", encoding="utf-8", errors="replace") as file:
        csv.writer(file).writerows(rows)
    page = Parsed(report(folder, tmp_path / "page.html", check=False).path.read_text(encoding="utf-8"))
    assert page.wrong == []
    assert "script" not in page.shape
    assert [each["id"] for each in page.of("section")][:3] == ["run", "images", "latency"]
