"""`Crops`: a stage that runs a package on each object of an earlier one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from ._host_stages import MOST_ROWS, HostKind, HostStage
from ._precision import Precision, request_for, settled_on
from ._requests import request_message
from ._selects import FRAME
from ._stage import check_plain
from .graph import StageRequest
from .package import Package

if TYPE_CHECKING:
    from .crops import CropSettings


@dataclass(frozen=True, slots=True, init=False)
class Crops(HostStage):
    """A package's network on a crop around each object of the table that the stage `of` answers, a row for each.

    Crops are cut from `reads`, the raw frame or an earlier image. `side` is their height and width in pixels of the
    network (None: what it takes, if that is fixed), `border` what lies beyond the image ("": as the package says), and
    with `masked` only the pixels of the crop's own object are kept. `normalise` says whose statistics the package's
    steps use: those of each crop ("per_crop") or of the whole frame ("per_frame"). `settings`, `rescale` and
    `precision` are as those of a Stage.
    """

    kind: ClassVar[HostKind] = "crops"
    name: str
    of: str
    image: str
    package: Package
    settings: Mapping[str, Any]
    rescale: bool
    precision: Precision
    crops: CropSettings
    normalise: str
    most: int
    camera: frozenset[int | str] | None
    channel: frozenset[int | str] | None
    position: frozenset[int | str] | None

    def __init__(
        self,
        name: str,
        package: Package | str | Path,
        of: str,
        *,
        reads: str = FRAME,
        side: int | None = None,
        border: str = "",
        masked: bool = False,
        normalise: str = "per_crop",
        settings: Mapping[str, Any] | None = None,
        rescale: bool = False,
        precision: Precision = "float32",
        most: int = MOST_ROWS,
        camera: str | Iterable[str] | None = None,
        channel: int | str | Iterable[int | str] | None = None,
        position: int | str | Iterable[int | str] | None = None,
    ) -> None:
        from .crops import CropSettings

        self._set(name, of, most, camera, channel, position)
        found = package if isinstance(package, Package) else Package.load(package)
        values = {"image": reads, "package": found, "normalise": normalise, "rescale": rescale, "precision": precision}
        values |= {"settings": MappingProxyType({**found.settings, **(settings or {})})}
        for field, value in values.items():
            object.__setattr__(self, field, value)
        object.__setattr__(self, "crops", CropSettings(side, border, masked))
        check_plain(name, self.settings)
        self._check_network()  # what does not go together is told now

    def _check_network(self) -> None:
        from .crops import plan_crops

        plan_crops(self.request, self.crops)

    @property
    def places(self) -> bool:
        return False

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.of, self.image)

    @property
    def request(self) -> StageRequest:
        """What its compilation is asked for."""
        return request_for(self, FRAME, self.normalise)

    def on(self, provider: str) -> Crops:
        """Itself, with `precision="auto"` settled for that provider on this machine."""
        return settled_on(self, provider)

    def message(self) -> dict[str, Any]:
        return {
            **HostStage.message(self),
            "settings": {},
            "request": request_message(self.request),
            "crops": asdict(self.crops),
            "package_sha256": self.package.package_sha256,
            "precision": self.precision,
        }
