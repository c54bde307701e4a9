"""What holds for all tests: what was compiled once is kept, for workers and processes alike.

Where the environment says not to write bytecode, each process that a test starts would compile the
program and its libraries anew (a second and more of CPU), and each worker all tests.
"""

from __future__ import annotations

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
