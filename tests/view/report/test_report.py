"""The page of a real recording: all parts are there, true, readable by everyone, and self-contained."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import pytest
import tifffile

from onscope.drivers import replay
from onscope.runtime import FrameSpec, Package, Pipeline, RecordError, Runtime, Stage, block
from onscope.runtime.record import Recording
from onscope.view.report import MOST_BYTES, report
from tests import models
from tests.record._made import MadeLedger, MadeSource, Row, made_result, noise

from ._parsed import Parsed


def read(path: Path) -> Parsed:
    return Parsed(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Parsed:
    written = report(recording, tmp_path_factory.mktemp("page") / "page.html")
    assert written.faults == ()
    assert written.troubles == ()
    return read(written.path)


def test_nothing_in_it_runs_or_is_fetched(page: Parsed) -> None:
    assert page.wrong == []
    (policy,) = [each["content"] for each in page.of("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    style = "".join(words for inside, words in page.texts if inside == "style")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert f"style-src 'sha256-{digest}'" in policy


def test_every_part_is_there_and_can_be_reached(page: Parsed) -> None:
    parts = [each["id"] for each in page.of("section")]
    assert parts == ["run", "images", "latency", "ledger", "feedback", "objects", "events", "parameters",
                     "methods", "provenance"]  # fmt: skip
    assert [each["href"] for each in page.of("a") if each["href"].startswith("#")] == [f"#{part}" for part in parts]


def test_what_it_says_is_what_was_recorded(page: Parsed, recording: Path) -> None:
    assert "bead run complete" in page.text
    for words in (
        "raw frames 9 ",
        "results 9 81.8 % of the frames",
        "2 lost upstream",
        "done a result came 9 81.8 %",
        "ok raw frames: 9 of 9 are as the camera gave them",
        "follow 1 1 0 0",
        "far 3 0 2 1",
        "found 901 um as x, allowed are 0 to 500 um",
        "Failed because",
        "the microscope did what the rule follow asked for",
        "What the gate said",
        "Light dose of the place that the microscope was at; at the end 1.1 J/cm²",
        "BSD-3-Clause",
        "https://doi.org/10.1038/s41592-018-0216-7",
    ):
        assert words in page.text, words
    manifest = json.loads((recording / "recording.json").read_text())
    for sha256, package in manifest["packages"].items():
        assert sha256 in page.text
        assert package["name"] in page.text
        assert package["folder"] not in page.text


@pytest.mark.long
def test_what_was_changed_in_mid_run_is_told(tmp_path: Path) -> None:
    folder, other = tmp_path / "run", models.plus(tmp_path / "other", 7)
    with Runtime(models.pipeline(tmp_path), record=folder, admission=block(4), worker="thread") as runtime:
        for seq in range(6):
            runtime.submit(models.frame(seq, 1500))
            assert runtime.drain(60)
            if seq == 1:
                runtime.tune("found", threshold=1200)
            elif seq == 3:
                runtime.swap("plus", other)
    page = read(report(folder, tmp_path / "page.html").path)
    assert page.wrong == []
    assert "Numbers that were tuned while frames came" in page.text
    assert "found threshold 1,200 1,200 1,200 4" in page.text
    assert re.search(r"Packages that were replaced while frames came .* plus test other", page.text, re.DOTALL)
    assert "from frame 4 of segment 0 of cam on" in page.text
    methods = (folder / "methods.md").read_text()
    assert re.search(
        r"After [0-9.]+ s of the recording the network of plus was replaced by test other \[1\]\.", methods
    )
    assert "changed while frames came (found: threshold 1000 to 1200, from frame 2 of segment 0 of cam on)" in methods
    assert re.search(rf"\| plus, later \| test other \|.*\| BSD-3-Clause \| {other.package_sha256[:16]} \|", methods)
    assert other.package_sha256 in page.text  # beside the one that it took the place of


def test_those_who_do_not_see_it_are_told(page: Parsed) -> None:
    assert page.of("html")[0]["lang"] == "en"
    assert len(page.of("table")) == len(page.of("caption"))
    drawings = [each for each in page.of("svg") if each.get("role") == "img"]
    hidden = [each for each in page.of("svg") if each.get("aria-hidden") == "true"]
    assert len(drawings) + len(hidden) == len(page.of("svg"))
    named = [words for inside, words in page.texts if inside == "title"]
    assert len(named) >= len(drawings) + 1  # and the page's own
    assert all(words.strip() for words in named)
    levels = [int(name[1]) for name in page.shape if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_words_have_contrast_in_light_dark_and_on_paper() -> None:
    from onscope.view.report._style import STYLE

    schemes = re.findall(r":root\{([^}]*)\}", STYLE)
    assert len(schemes) == 3
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+):(#[0-9a-f]{3,8})", scheme.replace("\n", "")))
        for name in ("ink", "faint", "good", "warm", "bad", "c0"):
            for ground in ("paper", "panel"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground, scheme[:60])


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
        parts = np.array([int(digits[at : at + 2], 16) for at in (0, 2, 4)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def made(
    folder: Path, shape: tuple[int, int], answers: dict[str, np.ndarray], frames: int = 3, suspect: bool = False
) -> Path:
    rows = []
    with Recording(folder) as recording:
        for at, frame in enumerate(recording.tap(MadeSource(FrameSpec(shape, pixel_size_um=0.1), frames)).frames()):
            result = made_result(frame, answers)
            trust = {name: {"bias": 0.5, "suspicion": 3.0 if 2 <= at <= 4 else 0.5} for name in answers}
            if suspect:
                object.__setattr__(result, "trust", MappingProxyType(trust))
            recording.add(result)
            rows.append(Row(frame.id, "done", ""))
        recording.finish(MadeLedger(rows))
    return folder


def shown(page: Parsed) -> list[np.ndarray]:
    """The images of the contact sheet, decoded."""
    data = [base64.b64decode(each["href"].partition(",")[2]) for each in page.of("image")]
    return [np.asarray(cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR)) for each in data]


def test_outlines_and_spots_lie_where_the_objects_are(tmp_path: Path) -> None:
    labels = np.zeros((60, 80), np.int32)
    labels[10:30, 20:50] = 7
    spots = np.array([(45.0, 60.0, 1.0)], [("y", "f4"), ("x", "f4"), ("score", "f4")])
    folder = made(tmp_path / "run", (60, 80), {"cells": labels, "spots": spots}, 1)
    page = read(report(folder, tmp_path / "page.html").path)
    zoom = 460 / 80
    (outline,) = [each["d"] for each in page.of("path") if each.get("class") == "outline"]
    corners = np.array(re.findall(r"[\d.]+", outline), float).reshape(-1, 2) / zoom
    np.testing.assert_allclose(corners.min(axis=0), (20, 10), atol=0.02)
    np.testing.assert_allclose(corners.max(axis=0), (50, 30), atol=0.02)
    (spot,) = [each for each in page.of("circle") if each.get("class") == "spot"]
    np.testing.assert_allclose([float(spot["cx"]) / zoom, float(spot["cy"]) / zoom], (60.5, 45.5), atol=0.02)
    assert "cells: 1, on raw" in page.text
    assert "spots: 1, on raw" in page.text


def test_a_row_has_one_contrast_unless_it_says_so(tmp_path: Path) -> None:
    alike, other = noise((64, 64), "uint16", 9), noise((64, 64), "float32", 9)
    page = read(report(made(tmp_path / "run", (64, 64), {"alike": alike, "other": other}, 1), tmp_path / "p.html").path)
    captions = " | ".join(words for inside, words in page.texts if inside in ("figcaption", "span"))
    assert "alike" in captions
    assert captions.count("own contrast") == 1
    raw, same, own = shown(page)
    assert raw.shape == same.shape == own.shape
    assert "µm" in page.text


def test_suspect_stretches_are_marked(tmp_path: Path) -> None:
    folder = made(tmp_path / "run", (32, 32), {"clean": noise((32, 32), "uint16", 1)}, 8, suspect=True)
    page = read(report(folder, tmp_path / "page.html").path)
    assert len([each for each in page.of("rect") if each.get("class") == "stretch"]) == 1
    assert "clean: 3 of 8 results are suspect. Shaded" in page.text
    assert "2 to 4" in page.text
    assert "suspect 3 of 8 restored images" in page.text


def test_what_is_usual_comes_from_the_package(tmp_path: Path) -> None:
    """Frames of stripes, which no package of beads was made for."""
    y, rng = np.mgrid[:64, :64][0], np.random.default_rng(0)
    stack = [1000 + 800 * np.sin(y / 2) + rng.normal(0, 30, y.shape) for _ in range(4)]
    tifffile.imwrite(tmp_path / "stack.tif", np.stack(stack).astype(np.uint16), photometric="minisblack")
    pipeline = Pipeline([Stage("denoise", "zoo/care-beads")])
    with Runtime(pipeline, record=tmp_path / "run", admission=block(4), worker="thread") as runtime:
        assert len(list(runtime.stream(replay(tmp_path / "stack.tif")))) == 4
    page = read(report(tmp_path / "run", tmp_path / "page.html").path)
    assert "denoise: 4 of 4 results are suspect." in page.text
    assert "It was beyond what is usual for the package." in page.text
    assert "usual up to" in page.text
    (limits,) = [Package.load("zoo/care-beads").trust]
    assert limits is not None
    assert f"up to {limits.limits['distance'].high:,.3g}" in page.text


@pytest.mark.long
def test_the_worst_images_still_make_a_page_that_can_be_sent(tmp_path: Path) -> None:
    answers = {f"s{number}": noise((700, 700), "uint16", number) for number in range(6)}
    written = report(made(tmp_path / "run", (700, 700), answers, 5), tmp_path / "page.html")
    assert written.nbytes == (tmp_path / "page.html").stat().st_size < MOST_BYTES
    assert len(shown(read(written.path))) == 5 * 6  # four rows and a detail, of raw and five stages


def test_where_it_is_written(recording: Path, tmp_path: Path) -> None:
    written = report(recording)
    assert written.path == recording.resolve().with_name("bead run-report.html")
    with pytest.raises(RecordError, match=r"expected \.html"):
        report(recording, tmp_path / "page.pdf")
    with pytest.raises(RecordError, match="could not be written"):
        report(recording, tmp_path / "no" / "page.html")
    with pytest.raises(RecordError, match="found no recording"):
        report(tmp_path, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []
