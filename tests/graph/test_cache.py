"""Compiled graphs on disk: found again, rebuilt when damaged, bounded, safe for two processes at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onscope.runtime import Package, PackageError
from onscope.runtime._cache_files import tidy
from onscope.runtime._requests import request_message
from onscope.runtime.graph import Raw, compile_group, is_compiled
from onscope.runtime.graph._compile import key_of
from onscope.runtime.graph._message import compiled_from, compiled_message
from onscope.runtime.graph.calibration._calibration import Calibration

from .. import models
from . import generated
from .generated import Recipe
from .run import request

RAW = Raw((48, 64), "uint16")
PRE = (("scale_range", {"axes": ["y", "x"]}), ("clip", {"min_percentile": 1.0, "max_percentile": 99.0}))
POST = (("binarize", {"threshold": 0.5}),)


@pytest.fixture
def package(tmp_path: Path) -> Package:
    recipe = Recipe(network="two_outputs", described="uint16", pre=PRE, post=POST, recurrent=True)
    return Package.load(generated.write(tmp_path / "package", recipe))


def test_a_graph_is_compiled_once(package: Package, tmp_path: Path) -> None:
    stages, cache = [request(package)], tmp_path / "cache"
    assert not is_compiled(stages, RAW, cache=cache)
    first = compile_group(stages, RAW, cache=cache)
    assert is_compiled(stages, RAW, cache=cache)
    written = first.path.stat().st_mtime_ns
    assert compile_group(stages, RAW, cache=cache) == first
    assert first.path.stat().st_mtime_ns == written
    assert sorted(path.suffix for path in cache.iterdir()) == [".json", ".onnx"]


def test_the_weights_need_not_be_there_any_more(package: Package, tmp_path: Path) -> None:
    first = compile_group([request(package)], RAW, cache=tmp_path / "cache")
    package.weights.unlink()
    assert compile_group([request(package)], RAW, cache=tmp_path / "cache") == first
    with pytest.raises(PackageError, match="cannot read"):
        compile_group([request(package)], replace(RAW, shape=(48, 72)), cache=tmp_path / "cache")


def test_a_cache_hit_needs_no_onnx(package: Package, tmp_path: Path) -> None:
    """What the worker pays at every start but the first."""
    stages = [request(package)]
    first = compile_group(stages, RAW, cache=tmp_path / "cache")
    code = (
        "import json, sys; from pathlib import Path; from onscope.runtime.graph import Raw, compile_group\n"
        "from onscope.runtime._requests import request_from\n"
        "stages = [request_from(each) for each in json.load(sys.stdin)]\n"
        "found = compile_group(stages, Raw((48, 64), 'uint16'), cache=Path(sys.argv[1]))\n"
        "print(found.sha256, 'onnx' in sys.modules, 'bioimageio' in sys.modules)\n"
    )
    message = json.dumps([request_message(stage) for stage in stages])
    arguments = [sys.executable, "-c", code, str(tmp_path / "cache")]
    found = subprocess.run(arguments, input=message.encode(), capture_output=True, check=True)
    assert found.stdout.decode().split() == [first.sha256, "False", "False"]


@pytest.mark.parametrize(
    "damage", ["cut", "swapped", "no json", "bad json", "other json", "empty json", "changed", "moved"]
)
def test_a_damaged_entry_is_built_again(package: Package, tmp_path: Path, damage: str) -> None:
    first = compile_group([request(package)], RAW, cache=tmp_path / "cache")
    beside, content = first.path.with_suffix(".json"), first.path.read_bytes()
    if damage == "cut":
        first.path.write_bytes(content[: len(content) // 2])
    elif damage == "swapped":
        first.path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "no json":
        beside.unlink()
    elif damage == "changed":
        beside.write_text(json.dumps({**json.loads(beside.read_text()), "answers": []}))
    elif damage == "moved":  # whole, and another graph's
        other = compile_group([request(package)], replace(RAW, shape=(24, 32)), cache=tmp_path / "cache")
        other.path.replace(first.path)
        other.path.with_suffix(".json").replace(beside)
    else:
        beside.write_text({"bad json": "{", "other json": '{"sha256": 1}', "empty json": "[]"}[damage])
    assert not is_compiled([request(package)], RAW, cache=tmp_path / "cache")
    assert compile_group([request(package)], RAW, cache=tmp_path / "cache") == first
    assert first.path.read_bytes() == content


def test_whatever_changes_the_graph_changes_its_key(package: Package) -> None:
    stage = request(package)
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"name": "other"},
        {"weights_sha256": "0" * 64},
        {"package_sha256": "0" * 64},
        {"normalise": "frozen"},
        {"frozen_frames": 3},
        {"tile": 64},
        {"rescale": True},
        {"settings": {}},
        {"inputs": tuple(replace(each, steps=()) for each in stage.inputs)},
    )
    keys = [key_of([replace(stage, **change)], RAW, None) for change in changes]
    raws: list[dict[str, Any]] = [
        {"shape": (48, 72)},
        {"dtype": "uint8"},
        {"length": 2},
        {"letter": "z"},
        {"pixel_size_um": 0.1},
    ]
    keys += [key_of([stage], replace(RAW, **change), None) for change in raws]
    keys += [key_of([stage], RAW, Calibration(offset)) for offset in (100.0, 101.0)]
    keys += [key_of([stage, replace(stage, name="b")], RAW, None)]
    assert len(set(keys)) == len(keys)
    assert key_of([replace(stage, weights=Path("elsewhere"))], RAW, None) == keys[0]


def test_a_description_is_read_back_as_it_was(package: Package, tmp_path: Path) -> None:
    compiled = compile_group([request(package)], RAW, cache=tmp_path)
    assert compiled.scalars
    assert compiled.states
    assert len(compiled.answers) == 2
    assert compiled_from(json.loads(json.dumps(compiled_message(compiled))), compiled.path) == compiled


@pytest.mark.long
def test_two_processes_compile_the_same_at_once(package: Package, tmp_path: Path) -> None:
    code = (
        "import sys; from tests.graph.run import request, Package, Raw, compile_group\n"
        "from pathlib import Path\n"
        "stages = [request(Package.load(sys.argv[1]))]\n"
        "for width in range(40, 46):\n"
        "    print(compile_group(stages, Raw((48, width), 'uint16'), cache=Path(sys.argv[2])).sha256)\n"
    )
    arguments = [sys.executable, "-c", code, str(package.folder), str(tmp_path / "cache")]
    root = str(Path(__file__).parents[2])
    both = [subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=root) for _ in range(2)]
    found = [process.communicate()[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert found[0] == found[1]
    assert len(set(found[0])) == 6
    assert len(list((tmp_path / "cache").iterdir())) == 12


def test_the_oldest_unused_entries_go_first(tmp_path: Path) -> None:
    package, cache = models.plus_one(tmp_path / "plus"), tmp_path / "cache"
    made = [compile_group([request(package)], Raw((48, width), "uint16"), cache=cache) for width in (40, 48, 56)]
    now = time.time()
    for age, each in zip((3000, 2000, 1000), made, strict=True):
        for path in (each.path, each.path.with_suffix(".json")):
            os.utime(path, (now - age, now - age))
    compile_group([request(package)], Raw((48, 40), "uint16"), cache=cache)  # used again: now the newest
    size = sum(path.stat().st_size for path in cache.iterdir())
    (cache / ".writing-left").write_bytes(b"x")
    os.utime(cache / ".writing-left", (now - 7200, now - 7200))
    tidy(cache, ".onnx", limit=size)
    assert len(list(cache.iterdir())) == 6
    tidy(cache, ".onnx", limit=size // 2)
    assert {path.stem for path in cache.iterdir()} == {made[0].path.stem}
    tidy(cache, ".onnx", limit=0)  # in use a moment ago
    assert made[0].path.exists()
    tidy(cache, ".onnx", limit=0, in_use_s=-1)
    assert not list(cache.iterdir())


def test_a_place_that_cannot_be_written_is_said(package: Package, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PackageError, match="cannot write the compiled graph of stage to"):
        compile_group([request(package)], RAW, cache=tmp_path / "file" / "cache")


def test_by_default_graphs_lie_in_the_users_cache(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "mine"))
    assert compile_group([request(package)], RAW).path.parent == tmp_path / "mine" / "graphs"
