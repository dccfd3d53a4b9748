"""`onscope tracks`: the tracks of a recording for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from onscope.runtime.record import TrackedPlace


class Format(StrEnum):
    """What other programs read."""

    ctc = "ctc"
    trackmate = "trackmate"
    napari = "napari"
    csv = "csv"
    geojson = "geojson"


SUFFIX = {"ctc": "", "trackmate": ".xml", "napari": ".csv", "csv": ".csv", "geojson": ""}


def tracks(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Folder of a recording.")],
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="What to write, with or without suffix; must not be there yet."),
    ],
    as_: Annotated[
        Format,
        typer.Option(
            "--as",
            help="ctc: masks and res_track.txt of the Cell Tracking Challenge; trackmate: XML; napari: CSV and graph; "
            "csv: all columns; geojson: outlines for QuPath, a file per frame.",
        ),
    ],
    stage: Annotated[
        str | None, typer.Option("--stage", help="The stage that tracks.", show_default="the only one")
    ] = None,
) -> None:
    """Write the tracks of a recording for other programs.

    One file or folder OUT; where several positions, channels or planes were
    tracked, OUT is a folder with one for each. Nothing is ever overwritten.

    Exit code 1, and one sentence, when something is wrong.
    """
    from rich.console import Console
    from rich.text import Text

    from onscope.runtime import RecordError
    from onscope.runtime.record import open_recording, tracked

    console = Console()
    places = tracked(open_recording(data), stage)
    if not places:
        raise RecordError(f"found no object in the tracks of {data}, expected at least one: there is nothing to write")
    if len(places) == 1 and not out.suffix and not out.exists():
        out = out.with_name(out.name + SUFFIX[as_.value])
    if out.exists():
        raise RecordError(f"found {out}, expected nothing there: choose a new name")
    try:
        (out if len(places) > 1 else out.parent).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(f"{out} cannot be made ({error.strerror}): choose a folder that can be written to") from error
    for place in places:
        path = out if len(places) == 1 else out / f"{place.name}{SUFFIX[as_.value]}"
        _write(place, path, as_)
        own = place.tracks
        count, born = len(set(own.track.tolist())), len({each for each in own.parent.tolist() if each})
        words = f"{count:,} track{'s' * (count != 1)}, {born:,} division{'s' * (born != 1)}, {own.frames:,} frames"
        console.print(Text(f"{path}: {words}"), soft_wrap=True)


def _write(place: TrackedPlace, path: Path, what: Format) -> None:
    from onscope.runtime.objects import outlines, write_geojson, write_table
    from onscope.runtime.track import write_ctc, write_napari, write_trackmate

    if what is Format.ctc:
        write_ctc(path, place.tracks, place.labels if place.labelled else None, shape=place.shape)
    elif what is Format.trackmate:

        def drawn(frame: int) -> dict[int, object]:
            labels = place.labels(frame)
            return {} if labels is None else {label: each.outer for label, each in outlines(labels).items()}

        write_trackmate(path, place.tracks, shape=place.shape, polygons=drawn if place.labelled else None)  # type: ignore[arg-type]
    elif what is Format.napari:
        write_napari(path, place.tracks)
    elif what is Format.csv:
        write_table(path, place.table)
    else:
        import pyarrow.compute as pc

        path.mkdir()
        digits = max(4, len(str(place.tracks.frames - 1)))
        for frame in sorted(set(place.tracks.frame.tolist())):
            rows = place.table.filter(pc.equal(place.table["frame"], frame))
            write_geojson(path / f"t{frame:0{digits}d}.geojson", place.labels(frame), rows, t=frame)
