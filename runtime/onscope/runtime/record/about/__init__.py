"""A recording told to people: what is in it, how it was made, and as text for a paper's methods section."""

from ._about import About, about
from ._changed import tuned_of
from ._facts import RunFacts, facts_of
from ._frame import FrameAbout, about_frame
from ._methods import methods
from ._words import camera_words, size_words
from ._write import write_methods

__all__ = [
    "About",
    "FrameAbout",
    "RunFacts",
    "about",
    "about_frame",
    "camera_words",
    "facts_of",
    "methods",
    "size_words",
    "tuned_of",
    "write_methods",
]
