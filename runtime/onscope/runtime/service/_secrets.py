"""What must not be read in a log: keys and tokens in addresses, and those that a command was given."""

from __future__ import annotations

import re

HIDDEN = "***"
SHORTEST = 4
"""Of shorter secrets every text is full: they are not looked for."""
_IN_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]{1,15}://[^\s#'\"]{1,1000}#)[^\s'\"]+", re.IGNORECASE)
_NAMED = re.compile(
    r"\b((?:[a-z0-9]{1,20}[_-]){0,4}(?:token|password|secret|api[_-]?key)\b['\"]?\s{0,3}[=:]\s{0,3}['\"]?)[^\s'\"&,;]+",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(Bearer\s{1,3})[^\s'\"]+", re.IGNORECASE)
_known: set[str] = set()


def keep_secret(*secrets: str | None) -> None:
    """Never show these texts in a log of this process; None, and what is shorter than four letters, is left out."""
    _known.update(each for each in secrets if each is not None and len(each) >= SHORTEST)


def hide_secrets(text: str) -> str:
    """The text with `***` for keys behind an address' `#`, for tokens that are named so, and for known secrets."""
    for secret in sorted(_known, key=len, reverse=True):  # one may be a part of another
        text = text.replace(secret, HIDDEN)
    if "#" in text:
        text = _IN_ADDRESS.sub(rf"\1{HIDDEN}", text)
    return _BEARER.sub(rf"\1{HIDDEN}", _NAMED.sub(rf"\1{HIDDEN}", text))
