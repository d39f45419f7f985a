"""The one way down: which part of the package may import which, and what may not be imported when it loads."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "emovid_assets"
PREFIX = "emovid_assets"

# A part imports from the lines above its own, and from itself.
LEVELS = (
    ("core", "project_files", "file_lock"),
    ("tables", "layout", "partitions", "instance", "drawing"),
    ("settings_groups", "build_lock"),
    ("resources", "table_rules", "named_queries"),
    ("settings_page", "report"),
    ("reference",),
    ("query_help",),
    ("io_managers", "annotation_files", "query", "verify", "checks", "assets"),
    ("annotation_server", "query_shell", "staleness"),
    ("runs",),
    ("counting", "needs"),
    ("jobs", "automation"),
    ("sensors", "schedules"),
    ("build",),
    ("definitions", "runner", "code_server"),
    ("plan", "status", "terminal"),
    ("server_costs",),
    ("demo",),
    ("cli",),
)
LEVEL = {part: level for level, parts in enumerate(LEVELS) for part in parts}
WITHOUT_DAGSTER = (
    "core",
    "drawing",
    "tables",
    "layout",
    "project_files",
    "file_lock",
    "annotation_files",
    "annotation_server",
    "named_queries",
    "query",
    "query_help",
    "query_shell",
    "table_rules",
    "verify",
    "instance",
    "reference",
    "report",
)
HEAVY = (
    *("torch", "torchvision", "transformers", "peft", "av", "cv2", "scenedetect", "sklearn", "scipy"),
    *("PIL", "imagehash", "yt_dlp"),
)

MODULES = sorted(PACKAGE.rglob("*.py"))
module_by_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(source: str, *, at_import_only: bool = False) -> Iterator[str]:
    """Full names of imported modules; of those inside functions only where they are asked for."""
    todo: list[ast.AST] = [ast.parse(source)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that this test can read them"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if not (at_import_only and is_passed_over_at_import(node)):
            todo.extend(ast.iter_child_nodes(node))


def is_passed_over_at_import(node: ast.AST) -> bool:
    """Bodies of functions, and what only type checkers read."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def own_parts(names: Iterator[str]) -> set[str]:
    return {parts[1] for name in names if (parts := name.split("."))[0] == PREFIX and len(parts) > 1} - {"__version__"}


def faults_of(part: str, source: str) -> list[str]:
    """Parts that `part` imports though they are not below it."""
    used = own_parts(imported(source)) - {part}
    return sorted(name for name in used if LEVEL[name] >= LEVEL[part])


@module_by_module
def test_a_module_imports_only_from_below(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        assert own_parts(imported(path.read_text(encoding="utf-8"))) == set()
    else:
        assert faults_of(part, path.read_text(encoding="utf-8")) == []


@module_by_module
def test_a_module_loads_without_the_heavy_libraries(path: Path) -> None:
    loaded = imported(path.read_text(encoding="utf-8"), at_import_only=True)
    assert {name.split(".")[0] for name in loaded}.isdisjoint(HEAVY)


@pytest.mark.parametrize("path", [path for path in MODULES if part_of(path) in WITHOUT_DAGSTER], ids=lambda p: p.stem)
def test_what_needs_no_dagster_does_not_know_it(path: Path) -> None:
    names = {name.split(".")[0] for name in imported(path.read_text(encoding="utf-8"))}
    assert not {name for name in names if name.startswith("dagster")}


def test_every_part_of_the_package_has_its_level() -> None:
    parts = {part_of(path) for path in MODULES} - {"__init__"}
    assert parts - set(LEVEL) == set()


@pytest.mark.parametrize(
    ("part", "source", "faults"),
    [
        ("core", "from emovid_assets.resources.media import probe", ["resources"]),
        ("core", "def late():\n    import emovid_assets.tables", ["tables"]),
        ("resources", "from emovid_assets import cli, tables", ["cli"]),
        ("assets", "from emovid_assets.checks.table_checks import table_checks", ["checks"]),
        ("checks", "import emovid_assets.assets.labels", ["assets"]),
        ("assets", "from emovid_assets.definitions import defs", ["definitions"]),
        ("build", "from emovid_assets.assets import labels", []),
        ("resources", "from emovid_assets.resources.compute import Item", []),
    ],
)
def test_a_wrong_way_up_is_found(part: str, source: str, faults: list[str]) -> None:
    assert faults_of(part, source) == faults


def test_a_heavy_import_is_found_at_the_top_and_in_a_class_but_allowed_in_a_function() -> None:
    top = "try:\n    import torch\nexcept ImportError:\n    pass\nclass A:\n    from scipy import stats\n"
    inside = "def f():\n    import av\n    return lambda: __import__('cv2')\n"
    assert set(imported(top, at_import_only=True)) == {"torch", "scipy", "scipy.stats"}
    assert set(imported(inside, at_import_only=True)) == set()


def loaded_by(module: str, names: tuple[str, ...]) -> list[str]:
    """Which of the names a fresh process has loaded after importing the module."""
    code = f"import sys, {module}; print(*(name for name in {names!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent, timeout=120
    )
    return done.stdout.split()


@pytest.mark.integration
def test_the_code_location_loads_without_the_heavy_libraries() -> None:
    assert loaded_by("emovid_assets.definitions", HEAVY) == []


@pytest.mark.integration
@pytest.mark.parametrize("module", ["emovid_assets.cli", "emovid_assets.resources.media_steps"])
def test_the_command_line_and_the_workers_start_without_dagster_and_duckdb(module: str) -> None:
    assert loaded_by(module, ("dagster", "duckdb", *HEAVY)) == []
