"""What a run has written: its images and tables by what they are, then the files beside them."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from onscope.runtime.record import RecordedImages, RecordedRun

TABLES = {
    "frames": "who each raw frame is, when it came, which element it is",
    "results": "a row per result: times, and where its images are",
    "values": "parameters of the processing, trust values",
    "inputs": "frames that answers were computed from, saved elsewhere",
}
BESIDE = {
    "ledger.csv": "what became of each frame",
    "latency.json": "percentiles by step, rates, versions",
    "methods.md": "the run in words for a methods section, with whom to cite",
    "feedback.jsonl": "what the rules asked for, and what became of it: onscope explain",
    "overview.png": "one picture of the run",
    "recording.json": "what is in this folder, and what made it",
    "checksums.json": "the sha256 of every file: onscope verify",
    "snapshots": "pictures that viewers of the live view took",
    "truth": "what is true of the frames: without noise, labelled",
}


def written(run: RecordedRun) -> Table:
    """A line per image, table and file of a recording that is there."""
    table = Table.grid(padding=(0, 3))
    for name, images in run.images.items():
        table.add_row(Text(f"  {name}", no_wrap=True), Text(_about(images), "dim"))
    stages = {images.stage for images in run.images.values()}
    for name in run.manifest["tables"]:
        for path in (run.folder / f"{name}.parquet", run.folder / f"{name}.csv"):
            if path.exists() and name not in stages:
                table.add_row(Text(f"  {path.name}", no_wrap=True), Text(TABLES.get(name, f"objects of {name}"), "dim"))
    if (run.folder / "zarr.json").exists():
        table.add_row(Text("  zarr.json, OME", no_wrap=True), Text("make the folder one OME-Zarr for viewers", "dim"))
    for name, meaning in BESIDE.items():
        if (run.folder / name).exists():
            table.add_row(Text(f"  {name}", no_wrap=True), Text(meaning, "dim"))
    return table


def _about(images: RecordedImages) -> str:
    if images.role == "raw":
        return "raw frames, as the camera gave them"
    return f"{'labels' if images.labels else 'images'} of the stage {images.stage}"
