"""Networks with inputs beside the frame, by each route of PyTorch: second images, memories, numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional
from typer.testing import CliRunner

from onscope.cli._app import app
from onscope.export import Choices, FurtherInput, Report, export_original, export_torch
from onscope.export._further import parse_input
from onscope.export.routes import Asked, load
from onscope.runtime import ExportError, Package
from onscope.runtime.engines import open_session
from onscope.runtime.graph import Raw
from onscope.runtime.package import prove
from tests.graph.run import opened, request

from .packages import BATCH, about, channel, counts, follows, script, space, standardised, tensor, two_classes, write

Y = X = Dim.DYNAMIC
FREE = {0: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: Dim.DYNAMIC}


class Pair(nn.Module):
    """Two images of one size."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.layer = nn.Conv2d(2, 1, 3, padding=1)

    def forward(self, image: Tensor, other: Tensor) -> Tensor:
        answer: Tensor = self.layer(torch.cat([image, other], 1))
        return answer


class Coarse(nn.Module):
    """An image, and one of half its size."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.fine, self.coarse = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, image: Tensor, other: Tensor) -> Tensor:
        larger = functional.interpolate(self.coarse(other), scale_factor=2.0, mode="nearest")
        answer: Tensor = self.fine(image) + larger
        return answer


class Template(nn.Module):
    """An image, and one of a size of its own."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.layer = nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, image: Tensor, other: Tensor) -> Tensor:
        answer: Tensor = self.layer(image) * torch.tanh(self.layer(other).mean((2, 3), keepdim=True))
        return answer


class Recurrent(nn.Module):
    """An image and a memory of half its size; an image and the next memory."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.look, self.keep = nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.show = nn.ConvTranspose2d(4, 1, 2, 2)

    def forward(self, image: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        memory = torch.tanh(self.look(image) + self.keep(other))
        return self.show(memory), memory


class Numbers(nn.Module):
    """An image and five numbers."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.layer, self.mix = nn.Conv2d(1, 3, 3, padding=1), nn.Linear(5, 3)

    def forward(self, image: Tensor, other: Tensor) -> Tensor:
        answer: Tensor = self.layer(image) * self.mix(other)[:, :, None, None]
        return answer


STATE: dict[str, Any] = {"state": [{"input": "other", "output": "next"}]}
CASES: dict[str, tuple[type[nn.Module], str, tuple[int, ...], Any, dict[str, Any]]] = {
    "pair": (Pair, "b=1,c=1,y=y,x=x", (1, 32, 36), FREE, {}),
    "coarse": (Coarse, "b=1,c=1,y=y/2,x=x/2", (1, 16, 18), FREE, {"step": 2}),
    "template": (Template, "b=1,c=1,y=16,x=12", (1, 16, 12), {0: Dim.DYNAMIC}, {}),
    "recurrent": (
        Recurrent, "b=1,c=4,y=y/2,x=x/2", (4, 16, 18), FREE,
        {"step": 2, "output_names": ("image", "next"), "settings": STATE},
    ),
    "numbers": (Numbers, "b=1,c=5", (5,), {0: Dim.DYNAMIC}, {}),
}  # fmt: skip


def by_state_dict(network: nn.Module, case: str, folder: Path) -> Any:
    torch.save(network.state_dict(), folder / "net.pt")
    return load(folder / "net.pt", Asked(f"{type(network).__module__}:{type(network).__name__}"))


def by_script(network: nn.Module, case: str, folder: Path) -> Any:
    torch.jit.save(torch.jit.script(network), folder / "net.pt")
    return load(folder / "net.pt")


def by_program(network: nn.Module, case: str, folder: Path) -> Any:
    _, _, shape, free, _ = CASES[case]
    torch.manual_seed(0)
    example = torch.rand(2, 1, 32, 36), torch.rand(2, *shape)
    torch.export.save(torch.export.export(network, example, dynamic_shapes=(FREE, free)), folder / "net.pt2")
    return load(folder / "net.pt2")


def answers_of(network: nn.Module, *arrays: Any) -> list[Any]:
    with torch.no_grad():
        found = network(*map(torch.from_numpy, arrays))
    return [one.numpy() for one in (found if isinstance(found, tuple) else (found,))]


def close(have: Any, want: Any) -> bool:
    return have.shape == want.shape and bool(np.abs(have - want).max() <= 2e-4 * (want.max() - want.min()))


@pytest.mark.long
@pytest.mark.parametrize("open_by", [by_state_dict, by_script, by_program])
@pytest.mark.parametrize("case", CASES)
def test_each_route(tmp_path: Path, case: str, open_by: Callable[[nn.Module, str, Path], Any]) -> None:
    make, sizes, shape, _, told = CASES[case]
    network = make().eval()
    original = open_by(network, case, tmp_path)
    if open_by is not by_program:  # a program says it all by itself
        told = {**told, "further": [parse_input(f"other {sizes}")], "dtype": "float32"}
        told["example"] = np.random.default_rng(0).random((1, 1, 32, 36), np.float32)
    report = export_original(original, tmp_path / "package", Choices(**{**told, "minimum": 16}))
    wheres = {one.where for one in report.parity}
    assert wheres >= {"test tensor", "darker", "brighter", "two at once"}
    assert ("empty state" in wheres) == (case == "recurrent")
    assert any("a run cannot give other anything" in note for note in report.notes) == (case != "recurrent")
    package = Package.load(report.folder)
    (frame, other), session = package.inputs, open_session(package.weights, "cpu", 1)
    assert (frame.name, other.name) == ("raw", "other")
    assert all(one.passed for one in prove(package, session))
    random = np.random.default_rng(3)
    for y, x in ((18, 30), (46, 16)) if told.get("step") == 2 else ((17, 29), (45, 16)):
        for batch in (1, 2):
            image = random.random((batch, 1, y, x), np.float32)
            follow = [axis.size.follows for axis in other.described if axis.id in "yx"]
            sides = [one.size(size) for one, size in zip(follow, (y, x), strict=False) if one] or shape[1:]
            second = random.random((batch, shape[0], *sides), np.float32)
            for want, have in zip(answers_of(network, image, second), session.run([image, second]), strict=True):
                assert close(have, want)


def test_a_memory_lives_from_frame_to_frame(tmp_path: Path) -> None:
    torch.save(Recurrent().state_dict(), tmp_path / "net.pt")
    words = (
        "export", tmp_path / "net.pt", "-o", tmp_path / "package", "--network", f"{__name__}:Recurrent",
        "--dtype", "uint16", "--normalise", "scale:0.001", "--step", 2, "--example-shape", "1x1x32x40",
        "--input", "hidden b=1,c=4,y=y/2,x=x/2", "--output-name", "image", "--output-name", "next",
        "--state", "hidden=next",
    )  # fmt: skip
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200", "TERM": "dumb"})
    assert done.exit_code == 0, done.output
    assert "empty state" in done.output
    frames = [counts((20, 28), seed) for seed in range(3)]
    run = opened([request(Package.load(tmp_path / "package"))], Raw((20, 28), "uint16", "yx"), tmp_path / "cache")
    memory = np.zeros((1, 4, 10, 14), np.float32)
    for frame in frames:
        image, memory = answers_of(Recurrent().eval(), frame[None, None] * np.float32(0.001), memory)
        (found,) = run.run([frame]).values()
        assert close(found.reshape(image.shape), image)


def test_steps_and_names_of_each_input(tmp_path: Path) -> None:
    """A package of format 0.5 with two inputs: each has its own steps, sizes and test tensor, and keeps them."""
    folder = tmp_path / "source"
    folder.mkdir()
    raw, other = counts((1, 1, 32, 40)), np.random.default_rng(1).random((1, 1, 16, 20), np.float32)
    expected = answers_of(Coarse().eval(), standardised(raw), other * np.float32(2) + np.float32(1))
    grid = {"min": 16, "step": 4}
    sides = [space(name, size=follows(name, "frame"), scale=2) for name in "yx"]
    content = about(
        inputs=[
            tensor(
                "frame", [BATCH, channel("light"), space("y", size=grid), space("x", size=grid)], raw, folder,
                preprocessing=[{"id": "zero_mean_unit_variance", "kwargs": {"eps": 1e-6}},
                               {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}],
            ),
            tensor(
                "guide", [BATCH, channel("far"), *sides], other, folder,
                preprocessing=[{"id": "scale_linear", "kwargs": {"gain": 2.0, "offset": 1.0}}],
            ),
        ],
        outputs=[tensor("sum", [BATCH, channel("both"), *(space(name, size=follows(name, "frame")) for name in "yx")],
                        expected[0], folder)],
        weights={"torchscript": script(Coarse(), folder / "net.pt")},
    )  # fmt: skip
    report = export_original(load(write(folder, content)), tmp_path / "out")
    assert [one.where for one in report.parity][-1] == "its own test output"
    package = Package.load(report.folder)
    frame, guide = package.inputs
    assert (frame.name, frame.described[1].channels, frame.processing[1]) == (
        "frame", ("light",), "zero_mean_unit_variance",
    )  # fmt: skip
    assert (guide.name, guide.described[1].channels) == ("guide", ("far",))
    assert "scale_linear" in guide.processing
    size = guide.sizes[2].follows
    assert size is not None
    assert (size.tensor, size.factor) == ("frame", 0.5)
    kept = package.load_test_inputs()
    assert np.array_equal(kept[0], raw)
    assert np.array_equal(kept[1], other)
    assert all(one.passed for one in prove(package, open_session(package.weights, "cpu", 1)))


def test_beside_the_frames_of_a_user(tmp_path: Path) -> None:
    frames = [np.random.default_rng(seed).random((26, 34), np.float32) for seed in (1, 2)]
    torch.save(Coarse().state_dict(), tmp_path / "net.pt")
    original = load(tmp_path / "net.pt", Asked(f"{__name__}:Coarse"))
    further = [parse_input("other b=1,c=1,y=y/2,x=x/2")]
    report = export_original(
        original, tmp_path / "package", Choices(dtype="float32", frames=frames, further=further, step=2)
    )
    assert [one.size for one in report.parity if one.where.startswith("frame")] == [(26, 34)] * 2
    assert [one.name for one in report.metrics if one.where.startswith("frame 2")][:1] == ["PSNR"]


def test_in_memory(tmp_path: Path) -> None:
    numbers = FurtherInput("dose", "bc", (1, 5), example=np.arange(5, dtype=np.float32)[None])
    report: Report = export_torch(
        Numbers(), np.ones((1, 1, 20, 24), np.float32), tmp_path / "package", name="a network", description="A test.",
        further=[numbers],
    )  # fmt: skip
    package = Package.load(report.folder)
    assert package.load_test_inputs()[1].tolist() == [[0.0, 1.0, 2.0, 3.0, 4.0]]


@pytest.mark.parametrize("open_by", [by_state_dict, by_script])
@pytest.mark.parametrize(
    ("further", "words"),
    [
        ((), r"a network of 2 inputs \(image, other\), expected 1, as stated: .*--input"),
        (("other b=1,c=1,y=y,x=x", "third b=1,c=1"), r"a network of 2 inputs \(image, other\), expected 3"),
        (("other b=1,c=1,y=y/3,x=x/3",), "fails on a 1x1x32x36 float32 and a 1x1x10x12 float32 input"),
        (("other b=1,c=1,y=y,x=x/2",), "expected y and x to follow by the same, or neither"),
        (("raw b=1,c=1,y=y,x=x",), "two tensors named 'raw'"),
        (("image b=1,c=1,y=y,x=x",), "two tensors named 'image'"),
    ],
)
def test_inputs_that_do_not_fit(tmp_path: Path, open_by: Any, further: Any, words: str) -> None:
    original = open_by(Pair().eval(), "pair", tmp_path)
    example = np.random.default_rng(0).random((1, 1, 32, 36), np.float32)
    with pytest.raises(ExportError, match=words) as caught:
        export_original(
            original, tmp_path / "package", Choices(example=example, further=[parse_input(one) for one in further])
        )
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "package").exists()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"input": "other", "output": "image"}, "found the state other of 1x4x16x18, whose output image is 1x1x32x36"),
        ({"input": "raw", "output": "next"}, "found the state raw=next, expected an input beside the frame .other."),
        ({"input": "other"}, "expected pairs of an input and an output"),
    ],
)
def test_states_that_are_none(tmp_path: Path, state: Any, words: str) -> None:
    original = by_state_dict(Recurrent().eval(), "recurrent", tmp_path)
    example = np.random.default_rng(0).random((1, 1, 32, 36), np.float32)
    wanted = Choices(
        example=example, further=[parse_input("other b=1,c=4,y=y/2,x=x/2")], step=2, output_names=("image", "next"),
        settings={"state": [state]},
    )  # fmt: skip
    with pytest.raises(ExportError, match=words):
        export_original(original, tmp_path / "package", wanted)


def test_words_for_inputs(tmp_path: Path) -> None:
    np.save(tmp_path / "my dose.npy", np.ones((1, 5), np.float32))
    one = parse_input(f"dose b=1,c=5 'example={tmp_path / 'my dose.npy'}' normalise=mean-std:0,2")
    assert (one.name, one.axes, one.sizes, one.dtype, len(one.pre)) == ("dose", "bc", (1, 5), "float32", 2)
    assert one.example is not None
    for text in ("", "dose", "dose b", "dose b=0", "dose b=1,y=x", "../dose b=1", "dose b=1 kind=2", "a b=1 dtype=int8",
                 "dose b=1 'x", "dose b=1,y=y/0"):  # fmt: skip
        with pytest.raises(ExportError, match=r"expected a name and a size for each axis|No closing"):
            parse_input(text)


def test_packages_that_cannot_be_fed(tmp_path: Path) -> None:
    def second(rdf: dict[str, Any]) -> None:
        rdf["inputs"].append({**rdf["inputs"][0], "id": "other"})

    def torchscript(folder: Path, network: nn.Module, raw: Any) -> dict[str, Any]:
        return {"torchscript": script(network, folder / "net.pt")}

    source = two_classes(tmp_path / "source", torchscript, second)
    with pytest.raises(ExportError, match=r"a network of 1 inputs \(pixels\), expected 2, as stated"):
        export_original(load(source), tmp_path / "out")

    def memory_first(rdf: dict[str, Any]) -> None:
        second(rdf)
        rdf["config"] = {"onscope": {"state": [{"input": "frame", "output": "classes"}]}}

    source = two_classes(tmp_path / "first", torchscript, memory_first)
    with pytest.raises(ExportError, match=r"found 'frame', which is remembered .* expected the frame there"):
        load(source)
