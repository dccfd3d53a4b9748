"""Rules held against a pipeline: what they read is there, and no more than that is made ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from onscope.runtime import Pipeline
from onscope.runtime._errors import RuleError
from onscope.runtime.feedback.rules import EVERYTHING, RuleBook
from tests import models

from .worlds import seen

DOCS = Path(__file__).resolve().parents[3] / "docs" / "examples"


@pytest.fixture(scope="module")
def cells() -> Pipeline:
    """Nuclei that are outlined, measured, followed and classed."""
    return Pipeline.load(DOCS / "tracks.yaml")


def rule(each: str | None, when: str, then: str = "resume") -> RuleBook:
    head = "" if each is None else f"    each: {each}\n"
    return RuleBook.from_text(f"schema: 1\nrules:\n  a:\n{head}    when: {when}\n    then: [{then}]\n", "mine.yaml")


@pytest.mark.parametrize("name", ["mitosis", "follow", "stimulate"])
def test_the_documented_rules_fit_the_documented_pipeline(cells: Pipeline, name: str) -> None:
    book = RuleBook.load(DOCS / "rules" / f"{name}.yaml")
    needs = book.check(cells)
    assert needs.tables is not None
    assert needs.tables <= {"cells", "tracks", "phase"}
    assert {"cells", "tracks"} <= needs.tables
    assert needs.links == {"tracks": "cells", "phase": "cells"}
    assert needs == book.needs


def test_needs_are_what_is_read(cells: Pipeline) -> None:
    when = (
        "{frame.p99: {above: 3}, result.latency_ms: {below: 9}, nuclei.suspect: false, frame.sharpness: {above: 0.1}, "
        "nuclei.whiteness_y: {above: 0}, nuclei.suspicion: {below: 1}, cells.count: {above: 1}}"
    )
    book = rule(None, when, "{scale_exposure: {value: frame.signal, target: 9}}")
    assert book.needs.tables is EVERYTHING.tables
    needs = book.check(cells)
    assert needs.tables == frozenset({"cells"})
    assert needs.numbers == {"frame.p99", "frame.sharpness", "frame.signal"}


@pytest.mark.parametrize(
    ("each", "when", "then", "told"),
    [
        (
            "cell",
            "{area: 3}",
            "resume",
            "line 5: found the stage 'cell', expected one that answers with rows (cells, tr",
        ),
        ("nuclei", "{area: 3}", "resume", "found the stage 'nuclei'"),
        ("cells", "{aera: 3}", "resume", "line 5: found 'aera', expected a column of 'cells' (label, y, x, "),
        ("cells", "{phase.grade: 3}", "resume", "found 'grade', expected a column of 'phase' (row, class, score, "),
        ("cells", "{fase.score: 3}", "resume", "found 'fase.score', expected a number of one of these: frame, nuclei"),
        (None, "{frame.sharp: 3}", "resume", "found 'frame.sharp', expected one of mean, std"),
        (None, "{nuclei.suspcion: 3}", "resume", "found 'nuclei.suspcion', expected one of count, suspect, bias"),
        (None, "{cells.mean: 3}", "resume", "found 'cells.mean', expected one of count, suspect"),
        (None, "{count: {of: cell, above: 3}}", "resume", "line 4: found the stage 'cell'"),
        (None, "{mean: {of: cells, column: siz, above: 3}}", "resume", "found 'siz', expected a column of 'cells'"),
        (
            "cells",
            "{area: 3}",
            "{illuminate: {labels: cells, light: L, power_mw: 1, duration_ms: 1}}",
            "line 6: found labels: cells, expected a stage with a label image (nuclei)",
        ),
        ("cells", "{area: 3}", "{refocus: {dz_um: depth}}", "line 6: found 'depth', expected a column of 'cells'"),
        ("cells", "{area: 3}", "{mark: {words: 'of {aera}'}}", "line 6: found 'aera'"),
    ],
)
def test_what_is_not_there_is_told_with_its_line(
    cells: Pipeline, each: str | None, when: str, then: str, told: str
) -> None:
    with pytest.raises(RuleError) as error:
        rule(each, when, then).check(cells)
    assert told in str(error.value)
    assert str(error.value).startswith("mine.yaml, line")


def test_memory_of_objects_needs_a_stage_that_tracks(cells: Pipeline) -> None:
    untracked = Pipeline([stage for stage in cells.stages if stage.name != "tracks"])
    rule("cells", "{area: 3}").check(untracked)
    for when in ("{speed_um_s: {above: 1}}", "{area: {above: 2, relative_to: first}}"):
        with pytest.raises(RuleError, match="found no stage that tracks 'cells', expected one: add `track: cells`"):
            rule("cells", when).check(untracked)
    text = "schema: 1\nrules:\n  a: {each: cells, once: per object, then: [resume]}\n"
    with pytest.raises(RuleError, match="line 3: found no stage that tracks"):
        RuleBook.from_text(text).check(untracked)


def test_objects_of_different_images_are_not_the_same(cells: Pipeline, tmp_path: Path) -> None:
    from onscope.runtime import Stage

    both = Pipeline([*cells.stages, Stage("spots", models.brightest(tmp_path / "spots"))])
    rule("spots", "{score: {above: 1}}").check(both)
    with pytest.raises(RuleError, match="found 'spots', expected a stage about the same objects as 'cells'"):
        rule("cells", "{spots.score: {above: 1}}").check(both)


def test_links_tell_tables_apart_that_look_alike(cells: Pipeline) -> None:
    """A second table of places of the same length: which one tracks and crops are about, the pipeline knows."""
    book = rule("phase", "{score: {above: 0.5}, cells.area: {above: 50}}")
    one = seen(0, [{"track": 4}])
    one.tables["spots"] = one.tables["cells"].copy()  # type: ignore[index]
    assert book.propose(one) == []
    assert "check the rules against the pipeline" in book.failures[0]
    book.check(cells)
    (proposal,) = book.propose(one)
    assert proposal.target is not None
    assert proposal.target.track == 4
