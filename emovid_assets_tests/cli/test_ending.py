"""How a command that a script has started in the background can be ended."""

import signal
import subprocess
import sys

import pytest

SAID = """
import signal
from emovid_assets.cli import app
app.app = lambda: print(signal.getsignal(signal.SIGINT))
app.main()
"""


@pytest.mark.parametrize("way", [signal.SIG_IGN, signal.SIG_DFL])
def test_it_takes_ctrl_c_and_so_whatever_dagster_does_as_that_does(way: signal.Handlers) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAID],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, way),
    )
    assert "default_int_handler" in done.stdout
