"""What is said of an answer on the command line stands in the package, and is checked before anything is exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from onscope.export import export_torch
from onscope.export._answer_settings import parse_answer
from onscope.runtime import ExportError, Package, Stage

from .networks import Smooth
from .test_cli import run


@pytest.mark.parametrize(
    ("kind", "texts", "expected"),
    [
        ("peaks", ["min_distance=3", " threshold = 0.25 ", "across_classes=true"], {
            "min_distance": 3, "threshold": 0.25, "across_classes": True,
        }),
        ("classes", ["classes=a, b", "threshold=0.5,0.25", "multi_label=no"], {
            "classes": ["a", "b"], "threshold": [0.5, 0.25], "multi_label": False,
        }),
        ("depth", ["planes_um=1", "choose=best"], {"planes_um": [1], "choose": "best"}),
        ("image", [], {}),
    ],
)  # fmt: skip
def test_texts_are_settings(kind: str, texts: list[str], expected: dict[str, Any]) -> None:
    assert parse_answer(kind, texts) == expected


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("peaks", "distance=3", "found --set 'distance=3', expected NAME=VALUE of threshold, min_distance"),
        ("peaks", "min_distance", "expected NAME=VALUE"),
        ("image", "threshold=1", r"of \(nothing\) for --decode image"),
        ("peaks", "min_distance=2.5", "min_distance 2.5, expected a whole number"),
        ("peaks", "threshold=high", "threshold 'high', expected a finite number"),
        ("peaks", "threshold=nan", "expected a finite number"),
        ("peaks", "across_classes=1", "expected true or false"),
    ],
)
def test_other_texts_are_a_sentence(kind: str, text: str, words: str) -> None:
    with pytest.raises(ExportError, match=words):
        parse_answer(kind, [text])


@pytest.mark.long
def test_they_are_in_the_package(tmp_path: Path) -> None:
    torch.save(Smooth().state_dict(), tmp_path / "smooth.pt")
    out = tmp_path / "peaks-test"
    network = f"{Smooth.__module__}:Smooth(features=2)"
    asked = ("export", tmp_path / "smooth.pt", "-o", out, "--network", network, "--example-shape", "1x1x48x40")
    refused = run(*asked, "--decode", "peaks", "--set", "most=0")
    assert refused.exit_code != 0
    assert not out.exists()
    done = run(*asked, "--decode", "peaks", "--set", "min_distance=3", "--set", "threshold=900")
    assert done.exit_code == 0, done.output
    package = Package.load(out)
    assert package.settings.items() >= {"decode": "peaks", "min_distance": 3, "threshold": 900}.items()
    assert Stage("spots", package).decoder.columns == ("y", "x", "class", "score")


def test_settings_of_a_network_in_memory_are_checked(tmp_path: Path) -> None:
    frame = np.zeros((1, 1, 40, 36), np.uint16)
    with pytest.raises(ExportError, match=r"found config\.onscope\.activation 'relu', expected one of none, sigmoid"):
        export_torch(
            Smooth(), frame, tmp_path / "out", name="a network", description="For a test.",
            settings={"decode": "peaks", "activation": "relu"},
        )  # fmt: skip
