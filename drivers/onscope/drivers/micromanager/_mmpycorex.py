"""Where pycro-manager keeps the core of this process: private to it, and used here and nowhere else.

pycro-manager makes its own core and keeps it in a list of mmpycorex; there is no public way to bring another one, or to
forget one that failed. Used are `mmpycorex.launcher._PYMMCORES` (what `pycromanager.Core()` gives), `_camel_to_snake`
and `TaggedImage` of the same module, and `Engine.singleton` and its `last_event` of pycro-manager's acquisition engine.
Read in mmpycorex 0.3.16 and pycromanager 1.0.2.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ._versions import check_version

LAUNCHER = "mmpycorex.launcher"
ENGINE = "pycromanager.acquisition.acq_eng_py.internal.engine"


def keep_core(core: Any) -> None:
    """Let `pycromanager.Core()` and `Acquisition` find this core. Raises SourceError with another mmpycorex."""
    check_version("mmpycorex")
    forget_engine()
    import_module(LAUNCHER)._PYMMCORES.append(core)
    import_module(ENGINE).Engine(core)


def forget_cores() -> None:
    """Leave cores alone that could not be unloaded."""
    import_module(LAUNCHER)._PYMMCORES.clear()
    forget_engine()


def forget_engine() -> None:
    """Have pycro-manager make a new acquisition engine for the next core."""
    # pycro-manager keeps its first Engine, with dead threads and an unloaded core, for the life of the process; an
    # Acquisition on a second core would hang on it. There is no public way to replace it.
    engine = import_module(ENGINE).Engine
    if hasattr(engine, "singleton"):
        del engine.singleton


def forget_last_event() -> None:
    """Have the running engine set everything that the next event says, also what the one before said."""
    # It leaves out what its last event had already set, and does not know that the stage has been moved since.
    engine = import_module(ENGINE).Engine.get_instance()
    if engine is not None:
        engine.last_event = None


def snake_case(name: str) -> str:
    """`snapImage` as pycro-manager has it: `snap_image`."""
    return str(import_module(LAUNCHER)._camel_to_snake(name))


def tagged_image() -> Any:
    """pycro-manager's class of an image with its tags: `TaggedImage(tags, pix)`."""
    return import_module(LAUNCHER).TaggedImage
