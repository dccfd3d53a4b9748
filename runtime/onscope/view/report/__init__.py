"""A report of a recording: one HTML page to send to a colleague, or to put beside a paper's data."""

from ._report import MOST_BYTES, Written, report

__all__ = ["MOST_BYTES", "Written", "report"]
