"""torch.export programs: run, exported with the sizes they have free, and opened without anything of them executed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim

from onscope.export import Choices, export_original
from onscope.export.pytorch._program_arithmetic import check_size, checked_guard
from onscope.export.pytorch._program_words import _tree
from onscope.export.routes import Asked, load, route_of
from onscope.export.routes._torch_program import load_program
from onscope.runtime import ExportError, Package

FREE = {2: Dim.DYNAMIC, 3: Dim.DYNAMIC}
ALL = {0: Dim.DYNAMIC, **FREE}


class Plain(nn.Module):
    """Keeps the size; a constant, a buffer and a normalisation on the way."""

    gain: Tensor

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.first, self.norm = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.last = nn.Conv2d(4, 1, 3, padding=1)
        self.register_buffer("gain", torch.tensor([2.0]))

    def forward(self, pixels: Tensor) -> Tensor:
        change: Tensor = self.last(torch.relu(self.norm(self.first(pixels))))
        return pixels + change * self.gain + torch.tensor([0.5])


class Halves(nn.Module):
    """Even sizes: a stride and its transpose."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.down, self.up = nn.Conv2d(1, 2, 3, stride=2, padding=1), nn.ConvTranspose2d(2, 1, 2, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        answer: Tensor = self.up(torch.relu(self.down(pixels)))
        return answer


class Stack(nn.Module):
    """Two outputs of a stack: itself, and the largest along z."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.layer = nn.Conv3d(1, 2, 3, padding=1)

    def forward(self, stack: Tensor) -> tuple[Tensor, Tensor]:
        same = self.layer(stack)
        return same, same.amax(dim=2)


def saved(path: Path, network: nn.Module, example: Tensor, free: Any = None) -> Path:
    shapes = None if free is None else (free,)
    program = torch.export.export(network.eval(), (example,), dynamic_shapes=shapes)
    torch.export.save(program, path)
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    return saved(tmp_path / "plain.pt2", Plain(), torch.rand(2, 1, 33, 40), ALL)


def test_a_program_becomes_a_package(plain: Path, tmp_path: Path) -> None:
    original = load(plain)
    assert route_of(plain, Asked()) == "torch-program"
    assert original.parameters == sum(parameter.numel() for parameter in Plain().parameters())
    frame = np.random.default_rng(0).random((1, 1, 21, 26), np.float32)
    with torch.no_grad():
        expected = Plain().eval()(torch.from_numpy(frame)).numpy()
    assert np.array_equal(original.run(frame)[0], expected)
    stated = original.stated
    assert (stated.axes, stated.fixed, stated.minimum, stated.step) == ("bcyx", False, 16, 1)
    assert stated.example is not None
    assert stated.example.shape == (1, 1, 33, 40)
    report = export_original(original, tmp_path / "package")
    assert report.exporter == "torch.export"
    assert {one.where for one in report.parity} >= {"test tensor", "darker", "two at once"}
    assert any("axes bcyx were guessed" in note for note in report.notes)
    assert Package.load(report.folder).inputs[0].sizes[2].minimum == 16


def test_a_program_of_one_size_stays_of_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    original = load_program(saved(tmp_path / "one.pt2", Plain(), torch.rand(1, 1, 24, 32)))
    report = export_original(original, tmp_path / "package")
    assert any("exported for frames of 24x32 alone" in note for note in report.notes)
    sizes = {axis.id: axis.size.fixed for axis in Package.load(report.folder).inputs[0].described}
    assert (sizes["y"], sizes["x"]) == (24, 32)
    with pytest.raises(ExportError, match="does not take a 1x1x25x32 float32 input"):
        original.run(np.zeros((1, 1, 25, 32), np.float32))


def test_the_step_of_a_program_is_found(tmp_path: Path) -> None:
    y, x = Dim("y", min=4), Dim("x", min=4)
    torch.manual_seed(0)
    path = saved(tmp_path / "even.pt2", Halves(), torch.rand(2, 1, 32, 40), {0: Dim.DYNAMIC, 2: 2 * y, 3: 2 * x})
    original = load_program(path)
    assert (original.stated.minimum, original.stated.step) == (16, 2)
    report = export_original(original, tmp_path / "package")
    assert Package.load(report.folder).inputs[0].sizes[3].step == 2


def test_a_stack_with_two_outputs(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = saved(tmp_path / "stack.pt2", Stack(), torch.rand(1, 1, 5, 20, 24), {3: Dim.DYNAMIC, 4: Dim.DYNAMIC})
    original = load_program(path)
    assert original.stated.axes == "bczyx"
    choices = Choices(output_axes=("bczyx", "bcyx"), output_names=("stack", "highest"))
    report = export_original(original, tmp_path / "package", choices)
    assert {one.output for one in report.parity} == {"stack", "highest"}
    assert len({one.size for one in report.parity}) > 2


def test_sizes_that_no_package_can_state(tmp_path: Path) -> None:
    class Cut(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return nn.functional.interpolate(pixels[:, :, ::2, ::2], scale_factor=2.0)[
                :, :, : pixels.shape[2], : pixels.shape[3]
            ]

    torch.manual_seed(0)
    stated = load(saved(tmp_path / "cut.pt2", Cut(), torch.rand(1, 1, 37, 32), FREE)).stated
    assert stated.fixed  # odd heights and even widths, says the program's guard
    assert any("by rules that no package can state, so frames are of 37x32 alone" in note for note in stated.notes)
    same = load(saved(tmp_path / "cut.pt2", Cut(), torch.rand(1, 1, 37, 33), FREE)).stated
    assert (same.fixed, same.minimum, same.step) == (False, 17, 2)


def test_axes_that_are_stated(tmp_path: Path) -> None:
    path = saved(tmp_path / "plain.pt2", Plain(), torch.rand(2, 1, 20, 24), ALL)
    stated = load(path, Asked(axes="tcyx")).stated
    assert (stated.axes, stated.fixed) == ("tcyx", False)
    assert not any("guessed" in note for note in stated.notes)
    for axes in ("yx", "bcyy", "bcxz"):
        with pytest.raises(ExportError, match=rf"an input of 4 axes in plain.pt2, expected those of '{axes}'"):
            load(path, Asked(axes=axes))


def test_programs_that_are_not_for_images(tmp_path: Path) -> None:
    class Times(nn.Module):
        def forward(self, one: Tensor, number: int) -> Tensor:
            return one * number

    torch.export.save(torch.export.export(Times(), (torch.ones(2, 2), 3)), tmp_path / "two.pt2")
    with pytest.raises(ExportError, match=r"a program with the input .* that is no tensor in two.pt2"):
        load_program(tmp_path / "two.pt2")
    saved(tmp_path / "row.pt2", nn.Linear(3, 3), torch.ones(3))
    with pytest.raises(ExportError, match="an input of 1 axes"):
        load_program(tmp_path / "row.pt2")


def changed(source: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """The archive with its parts changed, by their names below the root."""
    with zipfile.ZipFile(source) as archive:
        parts = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    change(parts)
    target = source.with_name("changed.pt2")
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in parts.items():
            archive.writestr(f"plain/{name}", data)
    return target


def in_json(part: str, change: Callable[[Any], object]) -> Callable[[dict[str, bytes]], None]:
    def do(parts: dict[str, bytes]) -> None:
        content = json.loads(parts[part])
        change(content)
        parts[part] = json.dumps(content).encode()

    return do


class Evil:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def pickled(path: Path) -> bytes:
    held = io.BytesIO()
    torch.save(((Evil(path),), {}), held)
    return held.getvalue()


MODEL, WEIGHTS, CONSTANTS = (
    "models/model.json",
    "data/weights/model_weights_config.json",
    "data/constants/model_constants_config.json",
)


TOUCH = "__import__('pathlib').Path('RAN').touch()"


def call(target: str, text: str) -> Callable[[Any], object]:
    """A node that calls `target` with a text."""

    def change(content: Any) -> None:
        node = content["graph_module"]["graph"]["nodes"][0]
        node["target"] = target
        node["inputs"] = [{"name": "command", "arg": {"as_string": text}, "kind": 1}]

    return change


def expression(text: str) -> Callable[[Any], object]:
    def change(content: Any) -> None:
        values = content["graph_module"]["graph"]["tensor_values"]
        sizes = next(value["sizes"] for value in values.values() if any("as_expr" in size for size in value["sizes"]))
        next(size for size in sizes if "as_expr" in size)["as_expr"]["expr_str"] = text

    return change


def renamed(text: str) -> Callable[[Any], object]:
    def change(content: Any) -> None:
        graph = content["graph_module"]["graph"]
        name = graph["nodes"][0]["outputs"][0]["as_tensor"]["name"]
        graph["nodes"][0]["outputs"][0]["as_tensor"]["name"] = text
        graph["tensor_values"][text] = graph["tensor_values"].pop(name)

    return change


def tree(content: Any) -> None:
    enum = json.dumps([{"__enum__": True, "fqn": "antigravity:x", "name": "y"}])
    spec = [1, {"type": "builtins.dict", "context": enum, "children_spec": []}]
    content["graph_module"]["module_call_graph"][0]["signature"]["in_spec"] = json.dumps(spec)


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        (MODEL, call("torch.os.system", "touch RAN"), "the operator 'torch.os.system'"),
        (MODEL, call("torch.ops.aten.from_file.default", "RAN"), "the operator 'torch.ops.aten.from_file.default'"),
        (MODEL, call("_operator.call", "RAN"), "the operator '_operator.call'"),
        (MODEL, call("torch.ops.aten.__class__.mro", "RAN"), "the operator"),
        (MODEL, call("#room:thing", "RAN"), "the operator"),
        (MODEL, expression("__import__('pathlib').Path('RAN').touch() or 1"), "the size .__import__"),
        (MODEL, renamed("x = __import__('pathlib').Path('RAN').touch(); y"), "the name .x = __import__"),
        (MODEL, renamed("torch._C.x"), "the name 'torch._C.x'"),
        (MODEL, lambda c: c["guards_code"].append("__import__('pathlib').Path('RAN').touch()"), "the guard"),
        (MODEL, lambda c: c["guards_code"].append(f"1 == 1{' ' * 30_000} or {TOUCH}"), "the guard"),
        (MODEL, lambda c: c.update(guards_code=5), "the guards"),
        (MODEL, call("math.factorial", "9"), "the operator 'math.factorial'"),
        (MODEL, tree, "the arguments"),
        (WEIGHTS, lambda c: c["config"]["gain"].update(use_pickle=True), "the pickled object 'gain'"),
        (WEIGHTS, lambda c: c["config"]["gain"].update(path_name="../gain"), "the pickled object 'gain'"),
        (
            CONSTANTS,
            lambda c: c["config"].update(evil={"path_name": "opaque_obj_0", "use_pickle": True}),
            "the pickled object 'evil'",
        ),
    ],
)
def test_nothing_of_a_program_is_executed(
    plain: Path, monkeypatch: pytest.MonkeyPatch, part: str, change: Any, words: str
) -> None:
    monkeypatch.chdir(plain.parent)
    with pytest.raises(ExportError, match=words):
        load_program(changed(plain, in_json(part, change)))
    assert not (plain.parent / "RAN").exists()


def test_pickles_inside_a_program(plain: Path) -> None:
    ran = plain.parent / "ran"
    # Examples that are no plain tensors are left out, not opened; the same program runs without them.
    found = load_program(changed(plain, lambda parts: parts.update({"data/sample_inputs/model.pt": pickled(ran)})))
    assert found.program.example_inputs is None
    assert found.stated.example is not None
    assert not found.stated.fixed
    with pytest.raises(ExportError, match="pickled objects among the weights"):
        load_program(changed(plain, lambda parts: parts.update({"data/weights/model.pt": pickled(ran)})))
    assert not ran.exists()


def test_examples_that_would_fill_the_memory(plain: Path) -> None:
    held = io.BytesIO()
    torch.save(((torch.rand(1, 1, 20, 24),), {}), held)
    bomb = io.BytesIO()
    with zipfile.ZipFile(held) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry.filename))
        new.writestr("archive/data/99", bytes(40 << 20))
    name = "data/sample_inputs/model.pt"
    found = load_program(changed(plain, lambda parts: parts.update({name: bomb.getvalue()})))
    assert found.program.example_inputs is None
    kept = load_program(changed(plain, lambda parts: parts.update({name: held.getvalue()})))
    assert kept.program.example_inputs is not None


def test_a_program_of_a_gpu_runs_here(plain: Path) -> None:
    def move(content: Any) -> None:
        for values in content["graph_module"]["graph"]["tensor_values"].values():
            values["device"] = {"type": "cuda", "index": 0}

    frame = np.random.default_rng(0).random((1, 1, 20, 20), np.float32)
    found = load_program(changed(plain, in_json(MODEL, move))).run(frame)[0]
    assert np.array_equal(found, load_program(plain).run(frame)[0])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("data/aotinductor/model/x.so", r"compiled code \(AOTInductor\)"),
        ("code/evil.py", "found 'code/evil.py' in changed.pt2, expected one torch.export program"),
    ],
)
def test_other_things_in_the_archive(plain: Path, name: str, words: str) -> None:
    with pytest.raises(ExportError, match=words):
        load_program(changed(plain, lambda parts: parts.update({name: b"x"})))


def test_files_that_are_no_programs(plain: Path, tmp_path: Path) -> None:
    torch.save(Plain().state_dict(), tmp_path / "state.pt2")
    with pytest.raises(ExportError, match=r"what torch.save or torch.jit.save wrote.*--route state-dict"):
        load_program(tmp_path / "state.pt2")
    (tmp_path / "half.pt2").write_bytes(plain.read_bytes()[: plain.stat().st_size // 2])
    with pytest.raises(ExportError, match=r"half.pt2, which is no torch.export program .* expected a whole file"):
        load_program(tmp_path / "half.pt2")
    with zipfile.ZipFile(tmp_path / "old.pt2", "w") as archive:
        archive.writestr("serialized_exported_program.json", "{}")
    with pytest.raises(ExportError, match="a program of an older PyTorch"):
        load_program(tmp_path / "old.pt2")
    broken = changed(plain, in_json(MODEL, lambda content: content["graph_module"]["graph"]["nodes"].pop(0)))
    with pytest.raises(ExportError, match="which this PyTorch cannot read as a program"):
        load_program(broken)
    with pytest.raises(ExportError, match="description cannot be read"):
        load_program(changed(plain, lambda parts: parts.update({MODEL: b"{"})))


def test_words_of_programs() -> None:
    for text in (
        "s0", "2*s10", "Mod(Symbol('s0', positive=True, integer=True), Integer(2))", "s1**2", "u0 + 1 <= 4",
        "Pow(Symbol('s0'), Integer(-1))", "-s0 // 2",
        "FloorToInt(Mul(Float('0.5', precision=53), ToFloat(Symbol('s0'))))",
    ):  # fmt: skip
        check_size(text)
    for text in (
        "open('f')", "s0.x", "9**9**9**9", "Pow(Integer(9), Integer(999999999))", "[1]", "s0;s1", "lambda: 1",
        "8**(8*8*8*8*8*8*8*8*8*8*8)", "((8**8)**8)**8", "s0**s1", "'s0'*8*8", "(1,)*999", "1<<99", "1" * 5000,
        "Float('1e9999999')", "Max('s0', 2)", "s0\n+1", "s0 + 1" + " " * 20_000 + "+ open('f')",
    ):  # fmt: skip
        with pytest.raises(ExportError, match="the size"):
            check_size(text)
    assert checked_guard("L['x'].size()[2] % 2 == 0 and not Max(1, L['x'].size()[3]) > 4")
    for text in (
        "open('f')",
        "L['x'].__class__",
        "L['x'].numpy()",
        "2**99999999",
        "[i for i in (1,)]",
        "L[f'{1}']",
        "(",
        "'a'*999999999",
        "L['x'].size()('a')",
        "1 == 1" + " " * 20_000 + " or open('f')",
        "1 == 1 #",
    ):
        with pytest.raises(ExportError, match="the guard"):
            checked_guard(text)
    with pytest.raises(ExportError, match="the arguments"):
        _tree('[1, {"type": "collections.namedtuple", "context": "os.x", "children_spec": []}]')
    for tree in ('[1, {"type": ["a"]}]', '[1, {"type": null, "children_spec": 5}]', "[2, {}]", "5", "[1"):
        with pytest.raises(ExportError, match="the arguments"):
            _tree(tree)
