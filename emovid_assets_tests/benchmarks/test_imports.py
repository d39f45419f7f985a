"""Every benchmark and script still fits the code that it measures."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Peers run in environments of their own.
MODULES = sorted(
    f"benchmarks.{path.stem}" for path in (ROOT / "benchmarks").glob("[!_]*.py") if not path.stem.startswith("peer_")
)


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_can_be_imported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    # Some are run as scripts and import their neighbours by bare name.
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    assert importlib.import_module(name).__doc__
