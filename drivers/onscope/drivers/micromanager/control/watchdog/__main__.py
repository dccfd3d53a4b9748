"""`python -m onscope.drivers.micromanager.control.watchdog LOG TIMEOUT_S`: the line is standard input."""

import sys
from pathlib import Path

from ._process import run

run(sys.stdin.buffer, Path(sys.argv[1]), float(sys.argv[2]))
