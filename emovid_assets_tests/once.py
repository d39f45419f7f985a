"""What is costly to make and only read is made once for all processes of a test run.

Belongs here: where such things lie, and that one process makes them. Does not belong here: any of them.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from emovid_assets.home.file_lock import locked


def made_once(temporary: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of this name, which `make` makes where no process has done so yet; the others wait for it."""
    run = temporary.getbasetemp()
    # Each process of pytest-xdist has a folder of its own in that of the run.
    run = run.parent if "PYTEST_XDIST_WORKER" in os.environ else run
    folder, done = run / "once" / name, run / "once" / f"{name}.done"
    with locked(run / "once" / f"{name}.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            done.touch()
    return folder
