"""`python -m tests.once_more ARGS`: pytest, and a test that fails runs once more, alone.

The suite suspends processes, kills them and fills disks on machines that others use too, where a test may meet a
moment that it does not allow for. One that fails twice fails. One that passes the second time is no success to be
silent about: both reports stay, the last line names it, and it is to be looked into like any other (most such failures
here were races of the program). More than MOST failures are no accident, and nothing is run again.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest

MOST = 3


class Failures:
    """The tests of a run that failed, in setup and teardown too."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest, with `-n` in the process that hands the tests out."""
        if report.failed and report.nodeid not in self.ids:
            self.ids.append(report.nodeid)


def main(arguments: Sequence[str]) -> int:
    """Run pytest with these arguments; its exit code, 0 also when what failed passed alone."""
    failures = Failures()
    code = int(pytest.main(list(arguments), plugins=[failures]))
    if code != pytest.ExitCode.TESTS_FAILED or not 0 < len(failures.ids) <= MOST:
        return code
    print(f"once more, alone: {', '.join(failures.ids)}", flush=True)
    again = subprocess.run([sys.executable, "-m", "pytest", *failures.ids], check=False).returncode
    if again == pytest.ExitCode.OK:
        print(f"PASSED ONLY THE SECOND TIME, to be looked into: {', '.join(failures.ids)}", flush=True)
    return again


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
