"""Makes the picture of docs/view.md: python docs/images/view_picture.py (it needs playwright and chromium)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
WIDTH, HEIGHT = 1280, 800
SECONDS = 25
"""Until tracks have tails and the latencies a past."""
COLOURS = 160
RUN = (
    *("run", str(EXAMPLES / "tracks.yaml"), "--source", "specimen:dividing-cells"),
    *("--exposure-ms", "700"),  # slow enough for two cores: no frame is skipped, and no track lost
    *("--rules", str(EXAMPLES / "rules" / "follow.yaml"), "--view", "--no-browser"),
)


def _address(run: subprocess.Popen[str]) -> str:
    """Where the run's view is, as it prints it."""
    assert run.stdout is not None
    for line in run.stdout:
        if found := re.search(r"view: (http\S+)", line):
            return found[1]
    raise SystemExit("found no address of a view, expected one: does `onscope run ... --view` work here?")


def _show(page: Page, address: str, picture: Path) -> None:
    """The page after a while, with the pointer over a nucleus near the middle."""
    page.goto(address)
    page.wait_for_timeout(SECONDS * 1000)
    box = page.locator(".pane").first.bounding_box()
    assert box is not None
    for step in range(400):
        x, y = 0.3 + 0.3 * (step % 20) / 20, 0.3 + 0.3 * (step // 20) / 20
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        if page.locator(".tip").first.is_visible():
            break
    page.screenshot(path=picture)


def main() -> None:
    """A run of dividing cells in shadow mode, seen in a dark room."""
    command = (sys.executable, "-m", "onscope.cli", *RUN)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
        out = ("--out", f"{folder}/experiment-1")
        with subprocess.Popen((*command, *out), stdout=subprocess.PIPE, text=True, env=environment) as run:
            try:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
                page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark")
                _show(page, _address(run), Path(folder, "view.png"))
            finally:
                run.send_signal(signal.SIGINT)
                run.communicate()
        with Image.open(Path(folder, "view.png")) as shown:
            few = shown.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(HERE / "view.png", optimize=True)


if __name__ == "__main__":
    main()
