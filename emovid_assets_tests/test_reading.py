"""Assets read their inputs. What they read beside them stands in one module, with its reason."""

import ast
from pathlib import Path

import pytest

from emovid_assets.assets.look_back import LOOKS_BACK, last_built, told
from emovid_assets.orchestration.assembly import build_defs
from emovid_assets.resources.project import Project
from emovid_assets_tests.rooms import PACKAGE


def reads_past_the_graph(path: Path) -> list[int]:
    """Lines that read a table by themselves: `project.read(…)`, `Warehouse(…)`, `….warehouse`."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and (node.attr == "warehouse" or _is_read_of_project(node)))
        or (isinstance(node, ast.Name) and node.id == "Warehouse")
    ]


def _is_read_of_project(node: ast.Attribute) -> bool:
    return node.attr == "read" and isinstance(node.value, ast.Name) and node.value.id == "project"


def test_only_one_module_of_the_assets_reads_tables_by_itself() -> None:
    found = {path.name for path in (PACKAGE / "assets").glob("*.py") if reads_past_the_graph(path)}
    # What is joined out of many tables reads its declared inputs a part at a time.
    assert found == {"look_back.py", "derived.py"}


def test_a_reading_that_is_not_declared_is_refused(tmp_path: Path) -> None:
    project = Project(home_folder=str(tmp_path))
    assert last_built(project, "benchmark_split", "benchmark_split", "movie").num_rows == 0
    with pytest.raises(KeyError):
        last_built(project, "benchmark_split", "human_labels", "movie")


def test_the_ui_shows_what_an_asset_looks_back_at_and_why() -> None:
    shown = {
        spec.key.to_user_string(): spec.metadata["looks_back_at"].value
        for spec in build_defs().resolve_all_asset_specs()
        if "looks_back_at" in spec.metadata
    }
    assert shown == {asset: told(asset) for asset in LOOKS_BACK}
    assert "clips of the benchmark are reviewed a second time" in shown["annotation_tasks"]
