"""`onscope compile`: what was made of a package is said, and lies where it is said to lie."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests import models

from .conftest import Call

RANGE = {"id": "scale_range", "kwargs": {"axes": ["y", "x"], "max_percentile": 99.8}}


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Adds 1 to a float32 frame that is scaled before, beside the graph."""
    folder = tmp_path_factory.mktemp("packages") / "scaled"
    models.plus_one(folder, "float32")
    return models.beside(folder, "inputs", [RANGE])


def words(text: str) -> str:
    """In one line, since paths and sentences are wrapped."""
    return " ".join(text.split())


def test_it_says_what_was_done_and_where_it_lies(call: Call, scaled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    said = call("compile", scaled, "--size", "24x40", "--report", "--json", out)
    assert said.code == 0, said.err
    assert "24x40 uint16: 1 graph for 1 stage, ready in" in said.out
    assert "scaled: 24x40 float32, image yx" in words(said.out)
    assert "fused scale_range (percentiles of the raw frame from the host, per frame)" in words(said.out)
    assert "from the host" in said.out
    (graph,) = json.loads(out.read_text())["graphs"]
    assert graph["stages"] == ["scaled"]
    assert graph["seam_errors"] == {}
    assert str(Path(graph["path"]).name) in said.out.replace("\n", "").replace(" ", "")
    model = onnx.load(graph["path"])
    assert [entry.version for entry in model.opset_import if entry.domain == ""] == [graph["opset"]]
    assert model.ir_version == graph["ir_version"]
    assert all(len(line) <= 80 for line in said.out.splitlines())


def test_without_report_steps_are_counted(call: Call, scaled: Path) -> None:
    said = call("compile", scaled, "--size", "24x40")
    assert said.code == 0, said.err
    assert "fused (--report says which)" in words(said.out)
    assert "percentiles" not in said.out


def test_a_pipeline_is_one_graph_or_several(call: Call, pipeline_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    said = call("compile", pipeline_file, "--size", "24x32", "--report", "--json", out)
    assert said.code == 0, said.err
    assert "1 graph for 3 stages" in said.out
    assert "merged double: reads plus in the same graph" in words(said.out)
    apart = pipeline_file.with_name("apart.yaml")
    apart.write_text(pipeline_file.read_text() + "merge: false\n")
    said = call("compile", apart, "--size", "24x32", "--json", out)
    assert said.code == 0, said.err
    assert "3 graphs for 3 stages" in said.out
    assert [graph["reads"] for graph in json.loads(out.read_text())["graphs"]] == ["frame", "plus", "plus"]


@pytest.mark.parametrize("exact", [True, False])
def test_the_error_of_seams_is_told(call: Call, tmp_path: Path, exact: bool) -> None:
    from tests.graph.generated import Recipe, write

    folder = write(tmp_path / "net", Recipe(network="conv" if exact else "instance_norm", described="uint16"))
    out = tmp_path / "out.json"
    said = call("compile", folder, "--size", "64x70", "--tile", "32", "--json", out)
    assert said.code == 0, said.err
    (graph,) = json.loads(out.read_text())["graphs"]
    assert graph["tiling"]["exact"] is exact
    if exact:
        assert graph["seam_errors"]["net"] <= 1e-6
        assert "covers the receptive field" in words(said.out)
    else:
        assert graph["seam_errors"]["net"] > 1e-4
        assert "not exact" in said.out
    assert "net: largest error" in words(said.out)


def test_windows_and_colour_are_compiled_too(call: Call, scaled: Path, tmp_path: Path) -> None:
    mean = models.window_mean(tmp_path / "mean", 3).folder
    said = call("compile", mean, "--size", "16x16", "--window", "3")
    assert said.code == 0, said.err
    assert "windows of 3 consecutive frames" in words(said.out)
    assert "warning" not in said.out
    said = call("compile", scaled, "--size", "16x16", "--window", "3")
    assert "warning frame 2 of the window alone (no axis for the others)" in words(said.out)
    said = call("compile", models.plus_rgb(tmp_path / "rgb").folder, "--size", "16x16", "--colour", "--dtype", "uint8")
    assert said.code == 0, said.err
    assert "16x16x3 uint8, image yxc" in words(said.out)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nowhere",), "nowhere"),
        (("PACKAGE", "--size", "12"), "HEIGHTxWIDTH"),
        (("PACKAGE", "--size", "16x16", "--colour"), "found colour images for the stage 'scaled'"),
        (("PIPELINE", "--tile", "32"), "found --tile for the pipeline"),
        (("PIPELINE", "--provider", "nothing"), "found no engine named 'nothing'"),
        (("PACKAGE", "--size", "16x16", "--json", "/no/such/folder/out.json"), "cannot write"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    call: Call, scaled: Path, pipeline_file: Path, arguments: tuple[str, ...], text: str
) -> None:
    said = call("compile", *({"PACKAGE": scaled, "PIPELINE": pipeline_file}.get(each, each) for each in arguments))
    assert said.code == 1
    assert text in said.err
    assert said.err.count("\n") == 1


def test_a_package_that_does_not_give_its_own_test_outputs_is_refused(call: Call, tmp_path: Path) -> None:
    from tests.graph.generated import Recipe, describe, write

    recipe = Recipe(described="uint16", sizes="fixed")
    folder = write(tmp_path / "wrong", recipe)
    np.save(folder / "output0.npy", np.load(folder / "output0.npy") * 1.1 + 1)
    describe(folder, recipe)
    said = call("compile", folder, "--size", "24x32")
    assert said.code == 1
    assert "does not give its own test outputs on cpu: largest error" in said.err
    assert said.err.count("\n") == 1
    said = call("compile", folder, "--size", "24x32", "--force")
    assert said.code == 0, said.err
    assert "warning: generated wrong does not give its own test output 'image': largest error" in words(said.out)


def test_statistics_of_the_host_tiles_and_memories_are_counted(call: Call, tmp_path: Path) -> None:
    from tests.graph.generated import Recipe, write

    ranged = Recipe(described="uint16", pre=(("scale_range", {"axes": ["y", "x"], "min_percentile": 2.0}),))
    said = call("compile", write(tmp_path / "net2", ranged), "--force", "--size", "64x70", "--tile", "32")
    assert said.code == 0, said.err
    assert "from the host 2 statistics of each window" in words(said.out)
    assert "9 of " in words(said.out)
    assert "states" not in said.out
    assert words(said.out).split("gives ")[1].startswith("net2:")


def test_a_package_of_one_size_is_measured_at_it(call: Call, tmp_path: Path) -> None:
    from tests.graph.generated import Recipe, write

    folder = write(tmp_path / "fixed", Recipe(described="uint16", sizes="fixed"))
    said = call("validate", folder, "--runs", "3")
    assert said.code == 0, said.err
    assert "speed   24x32 on cpu" in said.out
    said = call("validate", folder, "--runs", "3", "--size", "64x64")
    assert said.code == 1
    assert "found 64 pixels along y, expected 24 as generated fixed states: measure at 24" in said.err


def test_a_graph_that_does_not_give_the_test_outputs_is_refused(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onscope.runtime.worker import _proof
    from tests.graph.generated import Recipe, write

    folder = write(tmp_path / "right", Recipe(described="uint16", sizes="fixed"))
    right = vars(_proof)["held_against"]
    monkeypatch.setattr(
        _proof, "held_against", lambda package, found: right(package, {name: 2 * a + 1 for name, a in found.items()})
    )
    said = call("compile", folder, "--size", "24x32")
    assert said.code == 1
    assert "does not give its own test outputs on cpu, compiled: largest error" in said.err
    said = call("compile", folder, "--size", "24x32", "--force")
    assert said.code == 0, said.err
    assert "does not give its own test output 'image', compiled: largest error" in words(said.out)


@pytest.mark.parametrize("command", ["compile", "validate"])
def test_what_no_machine_holds_is_not_tried(call: Call, tmp_path: Path, command: str) -> None:
    """Three enlargements of 64, each of them ordinary: 200 terabytes for 24 x 32 pixels."""
    from tests.graph.generated import Recipe, describe, write

    recipe = Recipe(described="uint16")
    folder = write(tmp_path / "large", recipe)
    model = onnx.load(folder / "weights.onnx")
    del model.graph.node[:]
    for taken, made in (("frame", "a"), ("a", "b"), ("b", "c")):
        model.graph.node.append(onnx.helper.make_node("Resize", [taken, "", "s"], [made], mode="nearest"))
    model.graph.node.append(onnx.helper.make_node("ReduceMax", ["c"], ["image"], keepdims=1))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, 1, 64, 64], np.float32), "s"))
    onnx.save(model, folder / "weights.onnx")
    describe(folder, recipe)
    said = call(command, folder, "--size", "24x32")
    assert said.code == 1
    assert "found that generated large needs about" in said.err
    assert "expected at most the" in said.err
