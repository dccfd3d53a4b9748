"""The user's own frames, from a disk or a few seconds of a camera, as a network takes them."""

from ._frames import MOST_FRAMES, Given, NamedFrame, Tell, read_frames
from ._live import SECONDS, Live, names_source
from ._options import CameraOption, ExposureOption, SecondsOption, given_frames
from ._places import Form

__all__ = [
    "MOST_FRAMES",
    "SECONDS",
    "CameraOption",
    "ExposureOption",
    "Form",
    "Given",
    "Live",
    "NamedFrame",
    "SecondsOption",
    "Tell",
    "given_frames",
    "names_source",
    "read_frames",
]
