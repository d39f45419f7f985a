"""A way to call the program, and the homes that its tests read."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from emovid_assets.cli.app import app
from emovid_assets.cli.shared import out

Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls `emovid` in this process, in an empty home unless another is given."""

    def invoke(*arguments: str, home: Path = tmp_path, input: str | None = None) -> Result:
        monkeypatch.setenv("EMOVID_HOME", str(home))
        # `open_instance` sets it for the process; it must not outlive the test.
        monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
        monkeypatch.setattr(out, "_width", 200)
        return CliRunner().invoke(app, list(arguments), input=input)

    return invoke
