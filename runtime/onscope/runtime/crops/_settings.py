"""What a stage on crops is told, and what follows from its package: settled before the first frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .._errors import PipelineError
from ..decode import Decoder, check_settings, decoder, settled
from ..graph import StageRequest, is_decoder, trained_size
from ..package import Axis, TensorDescription
from ._cut import BORDERS, Border, check_border

SMALLEST_SIDE, LARGEST_SIDE = 4, 2048
NORMALISED = ("per_crop", "per_frame")
"""Whose statistics the package's steps use: each crop's own, or those of the whole frame that it is cut from."""
PADDED: Mapping[str, Border] = {each: each for each in BORDERS if each != "background"}
"""How BioImage.IO's words for padding are those for the border."""


@dataclass(frozen=True, slots=True)
class CropSettings:
    """How crops are cut, as plain values.

    `side` is their height and width in pixels of the network (None: what it takes, if that is fixed), `border` what
    lies beyond the frame's border, one of `BORDERS` ("": as the package says in `config.onscope.border` or by how its
    input is padded, else "background"). `masked`: of each crop only the pixels of its own object are kept.
    """

    side: int | None = None
    border: str = ""
    masked: bool = False

    def __post_init__(self) -> None:
        side = self.side
        if side is not None and (isinstance(side, bool) or not isinstance(side, int) or side < 1):
            raise PipelineError(f"found crops of side {side!r}, expected a number of pixels of the network")
        if self.border:
            check_border(self.border)

    def message(self) -> dict[str, Any]:
        """Plain values that JSON can hold: `CropSettings(**message)` reads them back."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CropPlan:
    """What is known of a stage on crops before anything is compiled.

    `value` is what "constant" fills the border with; `columns` are those of its table with their NumPy dtypes, in
    their order; `pixel_um` the pixel size that the package was trained at (None: not stated).
    """

    side: int
    border: Border
    value: float
    masked: bool
    columns: tuple[tuple[str, str], ...]
    pixel_um: float | None


def plan_crops(request: StageRequest, settings: CropSettings) -> CropPlan:
    """What follows from a stage's package and settings.

    Raises PipelineError, one sentence, when its network takes no such crops, needs more than one image of them, or
    does not answer with a row of numbers for each.
    """
    image = image_of(request)
    if request.normalise not in NORMALISED:
        raise PipelineError(
            f"found normalise {request.normalise!r} for the stage {request.name!r}, which runs on crops, expected one "
            f"of {', '.join(NORMALISED)}"
        )
    columns = (("row", "int32"), *((name, _dtype(name)) for name in rows_decoder(request).columns))
    return CropPlan(
        side=crop_side(request.name, image, settings.side),
        border=crop_border(request, image, settings),
        value=image.pad_value,
        masked=settings.masked,
        columns=columns,
        pixel_um=pixel_size(request, image),
    )


def rows_decoder(request: StageRequest) -> Decoder:
    """What makes a row of numbers of each crop's answer (crops, values); raises PipelineError when nothing does."""
    output = request.outputs[0]
    steps = [step.id for step in output.steps if is_decoder(step)]
    large = [axis.id for axis in output.described if axis.kind not in ("batch", "channel") and axis.size.fixed != 1]
    if steps or large:
        raise PipelineError(
            f"found {request.name!r} on crops, whose package answers with {', '.join(steps) or 'an image'}, expected "
            "one that answers with a class or a vector for each: run it on the frame"
        )
    asked = settled(request.settings, output)
    check_settings(asked, f"in the settings of the stage {request.name!r}: ", PipelineError)
    # A row for each crop, in their order: all scores are in it, so that several labels need no rows of their own.
    found = decoder(["batch", "channel"], {**asked, "multi_label": False})
    if not found.columns or {"y", "x"} & set(found.columns):
        raise PipelineError(
            f"found {request.name!r} on crops with decode: {asked.get('decode', 'image')}, expected classes or "
            "vectors: set `decode` to what the network answers"
        )
    return found


def crop_border(request: StageRequest, image: TensorDescription, settings: CropSettings) -> Border:
    """What lies beyond the border, as the stage, the package or its input's padding say; PipelineError."""
    said = settings.border or str(request.settings.get("border", "")) or PADDED.get(image.pad, "background")
    check_border(said)
    return said  # type: ignore[return-value]  # checked just now


def image_of(request: StageRequest) -> TensorDescription:
    """The input that crops go to. Raises PipelineError when there are others, or a memory."""
    if request.settings.get("state"):
        raise PipelineError(
            f"found a network that remembers for the stage {request.name!r}, expected one without a memory on crops: "
            "which object a crop is of is not known to it"
        )
    images = [tensor for tensor in request.inputs if not tensor.optional]
    if len(images) != 1 or not {"y", "x"} <= set(images[0].axes):
        names = ", ".join(tensor.name for tensor in images) or "none"
        raise PipelineError(
            f"found the inputs {names} for the stage {request.name!r}, expected one image with y and x, the crop"
        )
    return images[0]


def crop_side(stage: str, image: TensorDescription, wanted: int | None) -> int:
    """Height and width of crops that a network takes; raises PipelineError when `wanted` is none of them."""
    axes = [axis for axis in image.described if axis.id in ("y", "x")]
    fixed = next((axis.size.fixed for axis in axes if axis.size.fixed is not None), None)
    side = fixed if wanted is None else wanted
    if side is None:
        raise PipelineError(
            f"found no side for the crops of {stage!r}, whose network takes several sizes, expected one: set `side` to "
            "the pixels of its training"
        )
    if not SMALLEST_SIDE <= side <= LARGEST_SIDE:
        raise PipelineError(
            f"found crops of {side} pixels for the stage {stage!r}, expected {SMALLEST_SIDE} to {LARGEST_SIDE}"
        )
    for axis in axes:
        if not _takes(axis, image, side):
            expected = f"{axis.size.fixed}" if axis.size.fixed else f"{axis.size.minimum} + n * {axis.size.step}"
            raise PipelineError(
                f"found crops of {side} pixels for the stage {stage!r}, whose network takes {expected} along "
                f"{axis.id}, expected such a size: leave `side` out, or change it"
            )
    return side


def _takes(axis: Axis, image: TensorDescription, side: int) -> bool:
    follows = axis.size.follows
    if follows is None:
        return axis.size.fits(side)
    return follows.tensor != image.name or follows.size(side) == side


def pixel_size(request: StageRequest, image: TensorDescription) -> float | None:
    """The pixel size that the package was trained at, in um; None where it states none."""
    trained = trained_size(image)
    if trained is not None:
        return float(sum(trained) / 2)
    stated = request.settings.get("pixel_um")
    number = isinstance(stated, int | float) and not isinstance(stated, bool) and 0 < stated < 1e6
    return float(stated) if number and stated is not None else None


def _dtype(column: str) -> str:
    return "int32" if column == "class" else "float32"
