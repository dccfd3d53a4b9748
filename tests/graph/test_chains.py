"""Windows, states, chains and shipped packages: compiled graphs against bioimageio.core, one stage at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from onscope.export.zoo import PACKAGES
from onscope.runtime import Package
from onscope.runtime.graph import Raw, groups

from .. import models
from .generated import HIDDEN, Recipe, Steps, image, write
from .oracle import core_prediction, staged
from .rules import compare
from .run import answers, opened, request

Array = npt.NDArray[Any]
UNIT = (("scale_range", {"axes": ["y", "x"], "min_percentile": 1.0, "max_percentile": 99.0}),)
JOINT: Steps = (("zero_mean_unit_variance", {}),)


def frames(count: int, side: tuple[int, int] = (24, 32), dtype: str = "uint16") -> list[Array]:
    """Different images."""
    return [image(Recipe(layout="yx"), side, seed=10 + number, dtype=dtype) for number in range(count)]


def raw_of(window: list[Array], letter: Any, **more: Any) -> Raw:
    axes = "yxs" if window[0].ndim == 3 else "yx"
    return Raw(window[0].shape, window[0].dtype.name, axes, len(window), letter, **more)


@pytest.mark.parametrize("pre", [UNIT, JOINT, ()], ids=["each frame", "the whole window", "counts"])
@pytest.mark.parametrize(
    ("letter", "layout", "channels", "collapse"),
    [
        ("t", "bctyx", 1, False), ("t", "bctyx", 1, True), ("t", "tyx", 1, True), ("t", "bcyx", 3, False),
        ("z", "bczyx", 1, False), ("z", "bzyx", 1, True), ("z", "zyx", 1, False), ("z", "bcyx", 3, False),
        ("c", "bcyx", 3, False), ("c", "byxc", 3, False), ("c", "cyx", 3, False),
        ("i", "biyx", 1, False), ("i", "biyx", 1, True), ("i", "bcyx", 3, False),
    ],
)  # fmt: skip
def test_windows_go_to_the_axis_that_is_theirs(
    tmp_path: Path, letter: str, layout: str, channels: int, collapse: bool, pre: Any
) -> None:
    folder = write(tmp_path / "package", Recipe("conv", layout, channels, 1, collapse=collapse, pre=pre))
    window = frames(3)
    stack = np.stack(window)
    order = layout.replace("t", "n").replace("z", "n").replace("i", "n")
    order = order if "n" in order else order.replace("c", "n")
    tensor = np.transpose(stack, ["nyx".index(each) for each in order if each in "nyx"])
    for at, each in enumerate(order):
        if each in "bc":
            tensor = np.expand_dims(tensor, at)
    found = answers(folder, window, raw_of(window, letter), tmp_path)["image"]
    assert compare(found, core_prediction(folder, {"frame": tensor})["image"]) == ""


@pytest.mark.parametrize("target", [0, 1, -1])
@pytest.mark.parametrize("letter", ["t", "z", "c", "i"])
def test_a_network_of_single_frames_takes_the_one_that_the_answer_belongs_to(
    tmp_path: Path, letter: str, target: int
) -> None:
    folder = write(tmp_path / "package", Recipe("conv", pre=UNIT))
    window = frames(3)
    found = answers(folder, window, raw_of(window, letter, target=target), tmp_path)["image"]
    assert compare(found, core_prediction(folder, {"frame": window[target][None, None]})["image"]) == ""


@pytest.mark.parametrize("layout", ["bctyx", "btcyx"])
def test_windows_of_colour_frames(tmp_path: Path, layout: str) -> None:
    folder = write(tmp_path / "package", Recipe("conv", layout, 3, 2, frames=2, pre=UNIT))
    window = [np.stack(frames(6, dtype="uint8")[at : at + 3], axis=-1) for at in (0, 3)]
    tensor = np.stack(window).transpose(["tyxc".index(each) for each in layout[1:]])[None]
    found = answers(folder, window, raw_of(window, "t"), tmp_path)["image"]
    assert compare(found, core_prediction(folder, {"frame": tensor})["image"]) == ""


@pytest.mark.parametrize("side", [(24, 32), (21, 30)], ids=["even", "odd"])
def test_a_recurrent_network_goes_on_with_its_state(tmp_path: Path, side: tuple[int, int]) -> None:
    recipe = Recipe("conv", pre=UNIT, recurrent=True)
    folder = write(tmp_path / "package", recipe)
    window = frames(5, side)
    run = opened([request(Package.load(folder))], raw_of(window[:1], "t"), tmp_path)
    assert [state.shape for state in run.compiled.states] == [(1, HIDDEN, *side)]
    hidden = np.zeros((1, HIDDEN, *side), np.float32)
    images = []
    for frame in window:
        expected = core_prediction(folder, {"frame": frame[None, None], "hidden": hidden})
        hidden = expected["hidden_out"]
        found = run.run([frame])
        assert compare(found["stage.image"], expected["image"]) == ""
        images.append(found["stage.image"])
    run.states = []  # as after a reset
    assert np.array_equal(run.run(window[:1])["stage.image"], images[0])


CHAINS = {
    "two": [Recipe("conv", pre=UNIT, given="uint16", answered="uint16"), Recipe("upsample", pre=JOINT)],
    "floats": [Recipe("conv", pre=UNIT, post=(("sigmoid", {}),)), Recipe("upsample", layout="yx", pre=UNIT)],
    "three": [
        Recipe("conv", pre=UNIT),
        Recipe("upsample", layout="byxc", pre=(("clip", {"min_percentile": 3.0, "max_percentile": 97.0}),)),
        Recipe("unet", pre=JOINT, post=(("sigmoid", {}),)),
    ],
    "channels": [
        Recipe("conv", out_channels=3, pre=UNIT, post=(("softmax", {"axis": "channel"}),)),
        Recipe("conv", channels=3, layout="byxc", pre=JOINT),
    ],
    "opsets": [Recipe("old_forms", opset=9, pre=UNIT), Recipe("unet", opset=26, pre=JOINT)],
    "sizes": [Recipe("downsample", pre=UNIT), Recipe("valid", pre=JOINT), Recipe("unet")],
}


@pytest.mark.parametrize("side", [(24, 32), (37, 26)], ids=["even", "odd"])
@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_in_one_graph_is_what_its_stages_are_one_by_one(
    tmp_path: Path, chain: str, side: tuple[int, int]
) -> None:
    """Each stage against the oracle on the image that the stage before it gave in the same graph, so that errors do
    not add up; percentiles of a tensor that never leaves the graph included."""
    stages, reads = [], "frame"
    for number, recipe in enumerate(CHAINS[chain]):
        package = Package.load(write(tmp_path / f"package{number}", recipe))
        stages.append(request(package, f"stage{number}", reads=reads))
        reads = f"stage{number}"
    (frame,) = frames(1, side)
    raw = raw_of([frame], "t")
    assert groups(stages, raw) == [tuple(stages)]
    found = opened(stages, raw, tmp_path).run([frame])
    image = frame
    for number, recipe in enumerate(CHAINS[chain]):
        letters = "".join(letter for letter in recipe.layout if letter in "cyx" and (letter != "c" or image.ndim == 3))
        given = image.transpose(["cyx"[3 - image.ndim :].index(letter) for letter in letters])
        for at, letter in enumerate(recipe.layout):
            if letter not in letters:
                given = np.expand_dims(given, at)
        y, x = image.shape[-2:]
        expected = staged(tmp_path / f"package{number}", {"frame": given}, recipe.pads((y, x)))["image"]
        made = found[f"stage{number}.image"]
        assert compare(made, expected) == "", f"stage {number}"
        image = _as_cyx(made, recipe.out_layout)


def _as_cyx(array: Array, layout: str) -> Array:
    """Channel (where there are several), y, x."""
    image = array.transpose([layout.index(letter) for letter in "bcyx" if letter in layout])
    return image.reshape([size for size in image.shape[:-2] if size > 1] + list(image.shape[-2:]))


@pytest.mark.parametrize("side", [(48, 64), (37, 51)], ids=["even", "odd"])
@pytest.mark.parametrize("name", ["care-beads", "espcn-beads", "spots-beads"])
def test_shipped_packages(tmp_path: Path, name: str, side: tuple[int, int]) -> None:
    package = Package.load(PACKAGES / name)
    (frame,) = frames(1, side)
    source = package.inputs[0]
    fits = all(axis.size.fits(size) for axis, size in zip(source.described[2:], side, strict=True))
    found = answers(PACKAGES / name, [frame], raw_of([frame], "t"), tmp_path)
    given = {source.name: frame[None, None]}
    pads = {
        axis.id: (0, axis.size.at_least(size) - size) for axis, size in zip(source.described[2:], side, strict=True)
    }
    expected = core_prediction(PACKAGES / name, given) if fits else staged(PACKAGES / name, given, pads)
    for output, array in expected.items():
        assert compare(found[output], array) == ""


@pytest.mark.parametrize(
    "make",
    [models.plus_one, models.plus_rgb, models.root, models.double, models.brightest],
    ids=lambda each: each.__name__,
)
def test_packages_of_other_tests(tmp_path: Path, make: Callable[[Path], Package]) -> None:
    package = make(tmp_path / "package")
    (tensor,) = package.inputs
    colour = tensor.channels == 3
    images = frames(3 if colour else 1, (17, 23), tensor.dtype)
    frame = np.stack(images, axis=-1) if colour else images[0]
    found = answers(package.folder, [frame], raw_of([frame], "t"), tmp_path)
    given = frame.transpose(2, 0, 1)[None] if colour else frame[None, None]
    for output, array in core_prediction(package.folder, {tensor.name: given}).items():
        assert compare(found[output], array) == ""
