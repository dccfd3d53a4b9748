"""`python -m onscope.export.zoo.gallery`: write the page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._cards import cards
from ._page import page


def main(docs: Annotated[Path, typer.Option(help="Folder of the documentation.")] = Path("docs")) -> None:
    """Write DOCS/gallery.md from what was measured."""
    file = docs / "gallery.md"
    file.write_text(page(cards(docs)), encoding="utf-8")
    print(f"written: {file}")


if __name__ == "__main__":
    typer.run(main)
