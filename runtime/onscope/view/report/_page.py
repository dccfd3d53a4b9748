"""The whole page: one file that needs nothing else, and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime

from onscope.runtime import OnscopeError
from onscope.runtime.record import versions

from ._events import events, parameters
from ._feedback import feedback
from ._found import BREAKS, Found
from ._html import Html, join, section, tag, trouble
from ._latency import latency
from ._ledger import ledger
from ._objects import objects
from ._pictures import pictures
from ._provenance import methods, provenance
from ._style import STYLE
from ._summary import contents, heading, run
from ._trust import trust
from ._words import named

PARTS: tuple[tuple[str, str, Callable[[Found], Html]], ...] = (
    ("run", "The run", run),
    ("images", "Images", pictures),
    ("latency", "Latency", latency),
    ("ledger", "What became of the frames", ledger),
    ("feedback", "What the microscope decided", feedback),
    ("trust", "Trust", trust),
    ("objects", "Objects and tracks", objects),
    ("events", "Events", events),
    ("parameters", "Parameters", parameters),
    ("methods", "Methods", methods),
    ("provenance", "Provenance", provenance),
)


def page(found: Found) -> Html:
    """The HTML of a report. A part that cannot be made of a damaged recording says why, and the others stand."""
    told = [(anchor, title, _part(found, anchor, title, make)) for anchor, title, make in PARTS]
    told = [each for each in told if each[2]]
    body = tag(
        "body",
        _part(found, "head", found.name, heading),
        contents([(anchor, title) for anchor, title, _ in told]),
        tag("main", [part for _, _, part in told]),
        _foot(),
    )
    return join(Html("<!doctype html>\n"), tag("html", _head(found), body, lang="en"), Html("\n"))


def _part(found: Found, anchor: str, title: str, make: Callable[[Found], Html]) -> Html:
    try:
        return make(found)
    except BREAKS as error:
        words = str(error) if isinstance(error, OnscopeError) else f"{type(error).__name__}: {error}"
        return section(
            anchor, title, trouble(named(f"This part could not be made of the recording: {words}", found.folder))
        )


def _head(found: Found) -> Html:
    """No script, no resource from elsewhere; the style is allowed by its hash alone."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("meta", name_="referrer", content="no-referrer"),
        tag("meta", name_="generator", content=f"onscope {versions()['onscope']}"),
        tag("title", f"{found.name}: onscope report"),
        tag("style", Html(STYLE)),
    )


def _foot() -> Html:
    made = f"{datetime.now().astimezone():%d %B %Y, %H:%M (UTC%z)}"
    words = f"Made by onscope {versions()['onscope']} on {made} from the recording alone. Times are counted from the "
    words += "beginning of the recording. Folders of the computer are left out (…/)."
    return tag("footer", tag("p", words))
