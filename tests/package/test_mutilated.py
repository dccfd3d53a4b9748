"""Whatever stands in a description or a weights file, the reader gives a package or a PackageError."""

from __future__ import annotations

import copy
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from onscope.runtime import Package, PackageError

from .networks import graph, old, write_old

fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.dates().map(lambda day: date(day.year, day.month, day.day)),
    st.sampled_from(
        ["..", "/", "https://a.b/c", "0.5.12", "rdf.yaml", "x" * 300, 10**30, -1, 0, float("nan"), "y", "raw"]
    ),
)
junk = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key, inner in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from places(inner, (*path, key))


def holder(node: Any, place: tuple[Any, ...]) -> Any:
    """The mapping or list that a place is in."""
    for key in place[:-1]:
        node = node[key]
    return node


def mutilate(content: Any, place: tuple[Any, ...], data: st.DataObject) -> None:
    """Junk at the place, or nothing any more."""
    node = holder(content, place)
    if data.draw(st.booleans()):
        node[place[-1]] = data.draw(junk)
    else:
        del node[place[-1]]


def rewrite(folder: Path, content: dict[str, Any]) -> None:
    with (folder / "rdf.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(content, file)


def open_or_refuse(folder: Path) -> None:
    words = ""
    try:
        package = Package.load(folder)
        package.load_test_inputs()
        package.load_test_outputs()
    except PackageError as error:
        words = str(error)
    assert "\n" not in words
    assert len(words) < 700


@pytest.mark.long
@fuzz
@given(data=st.data())
def test_any_field_may_hold_anything(
    make_package: Callable[..., Path], rdf: dict[str, Any], data: st.DataObject
) -> None:
    folder = Path(rdf["made"]) if "made" in rdf else make_package()
    rdf["made"] = str(folder)
    content = copy.deepcopy({key: value for key, value in rdf.items() if key != "made"})
    for _ in range(data.draw(st.integers(1, 3))):
        mutilate(content, data.draw(st.sampled_from(list(places(content)))), data)
    rewrite(folder, content)
    open_or_refuse(folder)


OLD_STEPS = [
    {"name": "scale_range", "kwargs": {"mode": "per_sample", "axes": "cyx", "max_percentile": 99}},
    {"name": "zero_mean_unit_variance", "kwargs": {"mode": "fixed", "axes": "yx", "mean": [1.0], "std": [2.0]}},
    {"name": "scale_linear", "kwargs": {"axes": "yx", "gain": [2.0], "offset": [1.0]}},
]


@pytest.fixture
def old_package(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    free = {"min": [1, 1, 8, 8], "step": [0, 0, 8, 8]}
    follows = {"reference_tensor": "raw", "scale": [1.0, 1.0, 2.0, 2.0], "offset": [0, 0, 0.5, 1]}
    raw = {"name": "raw", "axes": "bcyx", "data_type": "uint16", "shape": free, "preprocessing": OLD_STEPS}
    image = {"name": "image", "axes": "bcyx", "data_type": "float32", "shape": follows, "halo": [0, 0, 2, 2]}
    content = old([raw], [image])
    folder = write_old(tmp_path / "old", content, graph([("raw", "float32", 4)], [("image", "float32", 4)]))
    Package.load(folder)
    with (folder / "rdf.yaml").open(encoding="utf-8") as file:
        return folder, YAML(typ="safe").load(file)


@settings(fuzz, max_examples=100)
@given(data=st.data())
def test_any_field_of_0_4_may_hold_anything(old_package: tuple[Path, dict[str, Any]], data: st.DataObject) -> None:
    folder, rdf = old_package
    content = copy.deepcopy(rdf)
    mutilate(content, data.draw(st.sampled_from([place for place in places(rdf) if len(place) > 1])), data)
    rewrite(folder, content)
    open_or_refuse(folder)


@settings(fuzz, max_examples=60)
@given(data=st.data())
def test_any_byte_of_a_zip_may_be_wrong(
    make_package: Callable[..., Path], rdf: dict[str, Any], tmp_path: Path, data: st.DataObject
) -> None:
    folder = Path(rdf["made"]) if "made" in rdf else make_package()
    rdf["made"] = str(folder)
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    broken = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(broken[: data.draw(st.sampled_from([None, len(broken) // 2]))])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))
        open_or_refuse(path)
    outside = {each.name for each in tmp_path.iterdir()}
    assert outside <= {"cache", "model.zip", "package"}


@pytest.mark.parametrize("name", ["rdf.yaml", "weights.onnx", "test_raw.npy"])
@settings(fuzz, max_examples=60)
@given(data=st.data())
def test_any_byte_may_be_wrong(
    make_package: Callable[..., Path], rdf: dict[str, Any], name: str, data: st.DataObject
) -> None:
    def no_hashes(content: dict[str, Any]) -> None:
        for entry in (content["weights"]["onnx"], *(content[side][0]["test_tensor"] for side in ("inputs", "outputs"))):
            del entry["sha256"]

    folder = Path(rdf["made"]) if "made" in rdf else make_package(no_hashes)
    rdf["made"] = str(folder)
    whole = bytes.fromhex(rdf["whole"]) if "whole" in rdf else (folder / name).read_bytes()
    rdf["whole"] = whole.hex()
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    (folder / name).write_bytes(broken[: data.draw(st.sampled_from([None, len(broken) // 2]))])
    open_or_refuse(folder)


@pytest.mark.parametrize("size", [1 << 33, 1 << 21])
@pytest.mark.parametrize("place", [("shape", "min", 1), ("shape", "step", 1), ("shape", "min", 2), ("halo", 2)])
def test_no_list_is_made_as_long_as_a_size_says(
    old_package: tuple[Path, dict[str, Any]], place: tuple[Any, ...], size: int
) -> None:
    folder, rdf = old_package
    holder(rdf["outputs" if place[0] == "halo" else "inputs"][0], place)[place[-1]] = size
    rewrite(folder, rdf)
    with pytest.raises(PackageError, match="expected at most"):
        Package.load(folder)
