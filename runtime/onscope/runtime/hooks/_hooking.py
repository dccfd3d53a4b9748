"""What may be asked of a runtime inside somebody else's acquisition."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from .._admission import Admission, block
from .._events import Teller
from .._frame import Pixels
from .._live_path import LivePath
from .._pipeline import Pipeline
from ._attach import attached
from ._derived import Derived
from ._hooked import Hooked
from ._outputs import outputs_of

DERIVED_PATIENCE_S = 10.0
"""How long the end of an acquisition waits for answers that are still to be handed on."""


class Hooking:
    """The part of `Runtime` that takes frames from an acquisition of pycro-manager or pymmcore-plus.

    All hooks copy and return. They never raise, whatever happens to the model or to this runtime: the acquisition
    comes first, and `on_event` is told.
    """

    pipeline: Pipeline
    _path: LivePath
    _tell: Teller
    _hooked: Hooked

    def image_process_fn(self, image: Pixels, metadata: dict[str, Any]) -> tuple[Pixels, dict[str, Any]]:
        """For `pycromanager.Acquisition(image_process_fn=runtime.image_process_fn)`: copies, returns its input.

        Pixels and metadata come back untouched. Called by pycro-manager's processor thread, with every image.
        """
        self._hooked.take(image, metadata)
        return image, metadata

    def image_saved_fn(self, axes: dict[str, Any], dataset: Any) -> None:
        """For `pycromanager.Acquisition(image_saved_fn=runtime.image_saved_fn)`: takes images once they are saved.

        Called by pycro-manager's thread for this, with every image; it reads the image from `dataset` again. Nothing
        stands between camera and disk then, and answers come later by what the saving takes. A recording points to the
        data set by itself; `link` is not needed.
        """
        self._hooked.take_saved(axes, dataset)

    def link(self, acquisition: Any) -> None:
        """Say where the raw frames of the hook's images are saved: by a pycro-manager Acquisition, or at a path.

        A recording then points to that data set instead of writing the frames twice. An acquisition that saves nothing
        (no directory) has them recorded here, which may make it wait for the disk. `attach` finds out by itself.
        Frames that come from now on are another acquisition's: no window goes on from before.
        Raises SourceError when `acquisition` is neither.
        """
        self._hooked.link(acquisition)

    def attach(self, core: Any, derived: Any = None) -> AbstractContextManager[None]:
        """Take every frame of a pymmcore-plus core's acquisitions: `with runtime.attach(mmc): mmc.run_mda(...)`.

        Called by the acquisition's thread, also for frames of hardware sequences. Images of the stages are handed on to
        `derived` meanwhile, as `derive` does. Raises SourceError for other cores, and what `derive` raises.
        """
        return self._attached(core, derived)

    @contextmanager
    def _attached(self, core: Any, derived: Any) -> Iterator[None]:
        with ExitStack() as stack:
            if derived is not None:
                stack.enter_context(self.derive(derived))
            stack.enter_context(attached(core, self._hooked.take, self._hooked.begins))
            yield

    @contextmanager
    def derive(self, into: Any, admission: Admission | None = None) -> Iterator[Derived]:
        """Hand the stages' images on, each with its frame's event (or axes) and metadata, while the context lasts.

        `into` is one of these, or a mapping of stages to them (then those stages alone):

        - a handler of pymmcore-plus: what has a method `frameReady(image[, event[, meta]])`, as a display;
        - the path of an `.ome.zarr` or `.ome.tiff`, or settings of ome-writers, for one stage of a pymmcore-plus run;
        - a data set of ndstorage, or what has its method `put_image(axes, image, metadata)`;
        - another path: a new folder with an NDTiff data set. The channel is named after the stage.

        A thread of its own does it. `admission` is the policy of its queue of results, `block(8)`: where the output is
        slower than the pipeline, the pipeline's own admission decides which frames are left out, and the ledger says
        so; `keep_newest(8)` leaves images out instead, for a display, and counts them (`skipped` of what this gives).
        An output that raises is told of and given no more. At the end what is under way is waited for, 10 s at most.
        Raises SourceError for what is none of these.
        """
        outputs = outputs_of(into, [stage.name for stage in self.pipeline.stages])
        derived = Derived(outputs, self._path.delivery.subscribe(admission or block(8)), self._path.ledger, self._tell)
        self._hooked.derived = (*self._hooked.derived, derived)
        try:
            yield derived
            self._path.drain(None, DERIVED_PATIENCE_S)
        finally:
            self._hooked.derived = tuple(each for each in self._hooked.derived if each is not derived)
            derived.close()
