"""Steps beside the graph: all of the format, with every argument written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onscope.runtime import Package, PackageError

from .networks import graph, new, write

AXES = [
    {"type": "batch"},
    {"type": "channel", "channel_names": ["a", "b"]},
    *({"type": "space", "id": id, "size": 8} for id in "yx"),
]


def load(folder: Path, pre: list[Any], post: list[Any] = [], gives: str = "float32") -> Package:  # noqa: B006  only read
    data = {"type": "float32"}
    given = {"id": "raw", "axes": AXES, "data": data, "preprocessing": pre}
    got = {"id": "image", "axes": AXES, "data": data, "postprocessing": post}
    model = graph([("raw", "float32", 4)], [("image", gives, 4)])
    return Package.load(write(folder / "package", new([given], [got]), model))


@pytest.mark.parametrize(
    ("id", "stated", "complete"),
    [
        ("binarize", {"threshold": 0.5}, {"threshold": 0.5}),
        (
            "binarize",
            {"threshold": [0.5, 1.0], "axis": "channel"},
            {"threshold": (0.5, 1.0), "axis": "channel"},
        ),
        (
            "clip",
            {"min": 0.0, "max_percentile": 99.0},
            {"min": 0.0, "max": None, "min_percentile": None, "max_percentile": 99.0, "axes": None},
        ),
        ("ensure_dtype", {"dtype": "uint8"}, {"dtype": "uint8"}),
        ("fixed_zero_mean_unit_variance", {"mean": 1, "std": 2}, {"mean": 1.0, "std": 2.0}),
        (
            "fixed_zero_mean_unit_variance",
            {"mean": [1, 2], "std": [3, 4], "axis": "channel"},
            {"mean": (1.0, 2.0), "std": (3.0, 4.0), "axis": "channel"},
        ),
        ("scale_linear", {"gain": 2}, {"gain": 2.0, "offset": 0.0}),
        (
            "scale_linear",
            {"gain": [2, 3], "axis": "channel"},
            {"gain": (2.0, 3.0), "offset": (0.0, 0.0), "axis": "channel"},
        ),
        (
            "scale_range",
            None,
            {"axes": None, "min_percentile": 0.0, "max_percentile": 100.0, "eps": 1e-6, "reference_tensor": None},
        ),
        (
            "scale_range",
            {"axes": ["y", "x"], "max_percentile": 99.8},
            {"axes": ("y", "x"), "min_percentile": 0.0, "max_percentile": 99.8, "eps": 1e-6, "reference_tensor": None},
        ),
        ("sigmoid", None, {}),
        ("softmax", None, {"axis": "channel"}),
        ("zero_mean_unit_variance", None, {"axes": None, "eps": 1e-6}),
        ("zero_mean_unit_variance", {"axes": ["batch", "x"]}, {"axes": ("batch", "x"), "eps": 1e-6}),
    ],
)
def test_a_step_of_an_input(tmp_path: Path, id: str, stated: Any, complete: Any) -> None:
    cast = {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}
    step = {"id": id, **({} if stated is None else {"kwargs": stated})}
    package = load(tmp_path, [step, cast])
    found = package.inputs[0].steps
    mine = found[0] if id == "ensure_dtype" else found[1]
    assert (mine.id, dict(mine.arguments)) == (id, complete)
    assert (found[0].id, found[-1].id) == ("ensure_dtype", "ensure_dtype")
    assert package.inputs[0].dtype == "float32"


@pytest.mark.parametrize(
    ("id", "stated", "complete"),
    [
        ("scale_mean_variance", {"reference_tensor": "raw"}, {"reference_tensor": "raw", "axes": None, "eps": 1e-6}),
        (
            "stardist_postprocessing",
            {"prob_threshold": 0.5, "nms_threshold": 0.4, "n_rays": 32, "grid": [2, 2], "b": [[1, 2], [3, 4]]},
            {"prob_threshold": 0.5, "nms_threshold": 0.4, "n_rays": 32, "grid": (2, 2), "b": ((1, 2), (3, 4))},
        ),
        (
            "cellpose_flow_dynamics",
            {"cellprob_threshold": 0.0, "flow_threshold": 0.4, "do_3D": False},
            {
                "cellprob_threshold": 0.0,
                "flow_threshold": 0.4,
                "do_3D": False,
                "min_size": 15,
                "output_dtype": "uint16",
            },
        ),
    ],
)
def test_a_step_of_an_output(tmp_path: Path, id: str, stated: Any, complete: Any) -> None:
    package = load(tmp_path, [], [{"id": id, "kwargs": stated}])
    first, last = package.outputs[0].steps
    assert (first.id, dict(first.arguments)) == (id, complete)
    assert (last.id, dict(last.arguments)) == ("ensure_dtype", {"dtype": "float32"})


def test_the_graph_s_dtype_comes_before_the_steps_of_an_output(tmp_path: Path) -> None:
    package = load(tmp_path, [], [{"id": "binarize", "kwargs": {"threshold": 0.5}}], gives="float16")
    assert (package.outputs[0].dtype, package.outputs[0].processing) == ("float16", ("binarize",))


def test_code_in_a_package_is_named_and_never_run(tmp_path: Path) -> None:
    step = {"id": "custom", "callable": "run", "source": "evil.py", "kwargs": {"a": [1]}}
    (tmp_path / "package").mkdir()
    ran = tmp_path / "ran"
    (tmp_path / "package" / "evil.py").write_text(f"open({str(ran)!r}, 'w')", encoding="utf-8")
    (tmp_path / "package").rename(tmp_path / "other")
    package = load(tmp_path, [], [step])
    assert package.outputs[0].steps[0].id == "custom"
    assert dict(package.outputs[0].steps[0].arguments) == {
        "callable": "run",
        "source": "evil.py",
        "kwargs": {"a": (1,)},
    }
    assert not ran.exists()


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"id": "clip", "kwargs": {"min": float("nan")}}, "found nan among the arguments of clip|breaks"),
        ({"id": "scale_linear", "kwargs": {"gain": float("inf")}}, "found inf among the arguments|breaks"),
        ({"id": "clip"}, "breaks the BioImage.IO format"),
        ({"id": "no_such_step", "kwargs": {}}, "breaks the BioImage.IO format"),
        ({"id": "ensure_dtype", "kwargs": {"dtype": "uint16"}}, "described as uint16 when it reaches the network"),
        ({"id": "binarize", "kwargs": {"threshold": 1}}, "described as bool when it reaches the network"),
    ],
)
def test_steps_that_are_none(tmp_path: Path, step: dict[str, Any], words: str) -> None:
    with pytest.raises(PackageError, match=words):
        load(tmp_path, [step])
