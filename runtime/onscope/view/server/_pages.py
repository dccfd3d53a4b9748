"""The page's files: read once at the start, and served by their names alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "page"
FIRST = "index.html"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What a page is made of; other files of its folder are not served."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file's bytes and its media type."""

    body: bytes
    kind: str


def read_page(folder: Path = FOLDER) -> Mapping[str, PageFile]:
    """The files by the paths at which they are served ("/app.js"); the first page also at "/"."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in KINDS and path.is_file():
            files["/" + path.relative_to(folder).as_posix()] = PageFile(path.read_bytes(), KINDS[path.suffix])
    if f"/{FIRST}" in files:
        files["/"] = files[f"/{FIRST}"]
    return files
