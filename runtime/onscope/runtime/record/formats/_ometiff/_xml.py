"""OME-XML of one image: what a file says of itself while it grows, and in the end.

Schema: http://www.openmicroscopy.org/Schemas/OME/2016-06
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from xml.sax.saxutils import quoteattr

from ...._frame import FrameSpec

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" Creator="onscope" '
    'xsi:schemaLocation="http://www.openmicroscopy.org/Schemas/OME/2016-06 '
    'http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd">'
)
END = b"\0"
"""Behind every text in a TIFF file."""
_TYPES = {"float32": "float"}
_SIZE = 'SizeT="'
DIGITS = 10
"""The number of images has so many digits, with zeros in front: it is written anew in its place as they come."""


@dataclass(frozen=True, slots=True)
class Plane:
    """What is known of a page: its element (t, c, z), and where and when it was taken, as far as it was told.

    `delta_s` seconds after the first image, `exposure_ms` milliseconds, `stage_um` x, y, z in micrometres.
    """

    at: tuple[int, int, int]
    delta_s: float | None = None
    exposure_ms: float | None = None
    stage_um: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """The whole image: `planes` in the order of their pages, `channels` by number, `began` as date of ISO 8601."""

    spec: FrameSpec
    name: str
    planes: Sequence[Plane]
    channels: Mapping[int, str] = field(default_factory=dict)
    began: str | None = None


def provisional_xml(spec: FrameSpec, name: str) -> bytes:
    """The XML of as many images along t as there are pages; `size_at` says where their number stands: 1 at first."""
    return _document(Series(spec, name, ()), (1, 1, 1), "<TiffData/>", digits=DIGITS)


def size_at(provisional: bytes) -> int:
    """Where in it the number of images stands."""
    return provisional.index(_SIZE.encode()) + len(_SIZE)


def size_text(count: int) -> bytes:
    """The number of images as it stands there."""
    return b"%0*d" % (DIGITS, count)


def complete_xml(series: Series) -> bytes:
    """The XML that says of each page which element it is; elements without a page have none."""
    sizes = tuple(max(plane.at[axis] for plane in series.planes) + 1 for axis in range(3))
    return _document(series, (sizes[0], sizes[1], sizes[2]), "".join((*_blocks(series, sizes), *_planes(series))))


def _document(series: Series, sizes: tuple[int, int, int], inner: str, *, digits: int = 1) -> bytes:
    spec = series.spec
    height, width, *rest = spec.shape
    samples = rest[0] if rest else 1
    t, c, z = sizes
    size_um = spec.pixel_size_um
    physical = "" if not size_um else f' PhysicalSizeX="{size_um!r}" PhysicalSizeY="{size_um!r}"'
    channels = "".join(
        f'<Channel ID="Channel:0:{n}" SamplesPerPixel="{samples}"'
        f"{f' Name={quoteattr(_text(series.channels[n]))}' if n in series.channels else ''}>"
        '<DetectorSettings ID="Detector:0:0"/></Channel>'
        for n in range(c)
    )
    return (
        "".join(
            (
                HEAD,
                f'<Instrument ID="Instrument:0"><Detector ID="Detector:0:0" Model={quoteattr(_text(spec.camera))}/>',
                f'</Instrument><Image ID="Image:0" Name={quoteattr(_text(series.name))}>',
                f"<AcquisitionDate>{series.began}</AcquisitionDate>" if series.began else "",
                '<InstrumentRef ID="Instrument:0"/>',
                f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="{_TYPES.get(spec.dtype, spec.dtype)}" '
                f'SignificantBits="{spec.bit_depth}" SizeX="{width}" SizeY="{height}" SizeZ="{z}" '
                f'SizeC="{c * samples}" {_SIZE}{t:0{digits}d}"{physical}>{channels}{inner}</Pixels></Image></OME>',
            )
        ).encode()
        + END
    )


def _blocks(series: Series, sizes: Sequence[int]) -> Iterator[str]:
    """Pages that follow each other as their elements do, z first, then c and t, are said of in one go."""
    _, c, z = sizes
    elements = [(plane.at[0] * c + plane.at[1]) * z + plane.at[2] for plane in series.planes]
    for _, pages in groupby(range(len(elements)), lambda page: elements[page] - page):
        block = list(pages)
        first_t, first_c, first_z = series.planes[block[0]].at
        yield (
            f'<TiffData IFD="{block[0]}" FirstZ="{first_z}" FirstC="{first_c}" FirstT="{first_t}" '
            f'PlaneCount="{len(block)}"/>'
        )


def _planes(series: Series) -> Iterator[str]:
    for plane in series.planes:
        t, c, z = plane.at
        known = "" if plane.delta_s is None else f' DeltaT="{plane.delta_s:.9g}"'
        if plane.exposure_ms is not None:
            known += f' ExposureTime="{plane.exposure_ms:.9g}" ExposureTimeUnit="ms"'
        for axis, value in zip("XYZ", plane.stage_um, strict=False):
            known += f' Position{axis}="{value:.9g}" Position{axis}Unit="µm"'
        yield f'<Plane TheZ="{z}" TheT="{t}" TheC="{c}"{known}/>'


def _text(words: str) -> str:
    """Without the characters that XML has no place for."""
    return "".join(sign if sign.isprintable() else " " for sign in words)
