"""What stands under the last line of a command: nothing."""

import subprocess
import sys

LEAKING = 'import duckdb; kept = duckdb.connect(); kept.create_function("f", lambda x: x, ["VARCHAR"], "VARCHAR")'
"""So does a model that was loaded, in seconds instead of at once."""
COMMAND = f"""\
{LEAKING}
import sys
from emovid_assets.cli import app
app.app = lambda: print("said", file=sys.stderr)
app.main()
"""


def said(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stderr


def test_a_command_ends_with_what_it_has_said_itself() -> None:
    # As DuckDB 2.0 does it; where it does no more, `end_quietly` can go.
    assert "nanobind: leaked" in said(LEAKING)
    assert said(COMMAND) == "said\n"
