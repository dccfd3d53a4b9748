"""Which engines a provider's text means: one, several in the order in which they are tried, or `auto`.

    cpu          null:200          tensorrt:1,cuda:1,cpu          scripted:slow=200@5,lost@9,cpu          auto,openvino

In a list each part that is written as a provider, `NAME` or `NAME:ARGUMENT`, is one; what is not (`lost@9`) belongs to
the argument of the one before. `auto` stands for what is tried on this machine, best first.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Sequence
from functools import cache

from .. import _plugins
from .._errors import ProviderError

AUTO = "auto"
PREFERENCE = ("tensorrt", "tensorrt-rtx", "tensorrt-ep", "cuda", "cpu")
"""What `auto` tries, best first. OpenVINO is left out: in float32 it is as fast as `cpu` (1.04x was measured), and it
rounds in its own way."""
ON_GPU = ("tensorrt", "tensorrt-rtx", "tensorrt-ep", "cuda")
"""Engines that run graphs on an NVIDIA GPU."""
DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
MOST = 16
"""Providers of one list."""
_ONE = re.compile(r"[a-z][a-z0-9-]*(:.*)?", re.DOTALL)


def providers_of(asked: str) -> tuple[str, ...]:
    """The providers that are tried, in their order; raises ProviderError for a text that means none."""
    found: list[str] = []
    for part in _parts(asked):
        found += on_this_machine() if part == AUTO else [part]
    return tuple(dict.fromkeys(found))


def listed(asked: str | Sequence[str]) -> str:
    """A provider, or several, as one text; raises ProviderError for engines that there are not, and for doubles."""
    parts = [part for each in ([asked] if isinstance(asked, str) else asked) for part in _parts(each)]
    if not parts or len(parts) > MOST:
        raise ProviderError(f"found a list of {len(parts)} providers, expected 1 to {MOST}: name one, e.g. auto")
    if len(parts) == 1:
        return parts[0]
    doubles = sorted({part for part in parts if parts.count(part) > 1})
    if doubles:
        raise ProviderError(f"found {', '.join(doubles)} more than once in the list of providers, expected each once")
    known = _plugins.find("onscope.engines")
    strangers = [name for part in parts if (name := part.partition(":")[0]) not in known and name != AUTO]
    if strangers:
        raise ProviderError(
            f"found {', '.join(strangers)} in the list of providers, expected engines among {', '.join(sorted(known))}"
        )
    return ",".join(parts)


def is_choice(asked: str) -> bool:
    """Whether an engine is to be chosen: `auto`, or a list."""
    return asked == AUTO or len(_parts(asked)) > 1


def next_after(asked: str, lost: str) -> str | None:
    """The rest of a list behind a provider that was lost; None where nothing is to take its place.

    `auto` by itself is no list: it chooses once.
    """
    if len(_parts(asked)) < 2:
        return None
    # A box may know more of what `auto` stands for than this machine does.
    names = [name for part in _parts(asked) for name in (PREFERENCE if part == AUTO else (part,))]
    rest = names[names.index(lost) + 1 :] if lost in names else ()
    return ",".join(name for name in dict.fromkeys(rest) if name != lost) or None


def on_this_machine() -> tuple[str, ...]:
    """What `auto` stands for here; to know that there is no NVIDIA driver nothing of a GPU's packages is imported."""
    known = _plugins.find("onscope.engines")
    return tuple(name for name in PREFERENCE if name in known and (name not in ON_GPU or has_driver()))


@cache
def has_driver() -> bool:
    """Whether NVIDIA's driver is installed: its library is loaded, and asked nothing."""
    try:
        ctypes.CDLL(DRIVER)
    except OSError:
        return False
    return True


def leading(asked: str) -> str:
    """The provider that is tried first."""
    return providers_of(asked)[0]


def _parts(asked: str) -> list[str]:
    parts: list[str] = []
    for part in asked.split(","):
        if not parts or _ONE.fullmatch(part.strip()):
            parts.append(part.strip())
        else:
            parts[-1] += f",{part}"
    wrong = [part for part in parts if not _ONE.fullmatch(part) or ("," in part and ":" not in part)]
    if wrong:
        raise ProviderError(
            f"found {wrong[0]!r} in the provider {asked!r}, expected NAME or NAME:ARGUMENT, several with commas between"
        )
    return parts
