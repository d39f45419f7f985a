"""The one way: which room of the package may import which, and what may not be imported when it loads."""

import subprocess
import sys
from pathlib import Path

import pytest

from emovid_assets_tests.rooms import ORDER, PACKAGE, imported, room_of, rooms_in

WITHOUT_DAGSTER = ("core", "home", "tables", "drawing", "queries", "people", "report", "pages")
WITHOUT_DAGSTER_IN_A_ROOM_WITH = (
    "tables/rules.py",
    "checks/proofs.py",
    "checks/clip_files.py",
    "orchestration/instance.py",
    "orchestration/code_server.py",
)
HEAVY = (
    *("torch", "torchvision", "transformers", "peft", "av", "cv2", "scenedetect", "sklearn", "scipy"),
    *("PIL", "imagehash", "yt_dlp"),
)

MODULES = sorted(PACKAGE.rglob("*.py"))


def inside(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


module_by_module = pytest.mark.parametrize("path", MODULES, ids=inside)


def faults_of(room: str, source: str) -> list[str]:
    """Rooms that `room` imports though they do not stand before it."""
    before = ORDER[: ORDER.index(room)]
    return sorted(rooms_in(imported(source)) - {room} - set(before))


@module_by_module
def test_a_module_imports_only_from_rooms_above(path: Path) -> None:
    room, source = room_of(path), path.read_text(encoding="utf-8")
    if room == "__init__":
        assert rooms_in(imported(source)) == set()
    else:
        assert faults_of(room, source) == []


def test_locks_are_made_in_two_places_which_open_files_to_be_written_for_them() -> None:
    """Network disks lock nothing that is opened to be read, and no folders."""
    users = [inside(path) for path in MODULES if "fcntl" in path.read_text(encoding="utf-8")]
    assert users == ["home/file_lock.py", "home/run_locks.py"]


def test_the_order_names_exactly_the_rooms_that_there_are() -> None:
    assert {room_of(path) for path in MODULES} - {"__init__"} == set(ORDER)


def test_each_room_says_what_belongs_in_it_and_what_does_not() -> None:
    silent = [
        room
        for room in ORDER
        if (PACKAGE / room).is_dir()
        and not all(
            words in (PACKAGE / room / "__init__.py").read_text(encoding="utf-8").replace("\n", " ")
            for words in ("Belongs here: ", "Does not belong here: ")
        )
    ]
    assert silent == []


@module_by_module
def test_a_module_loads_without_the_heavy_libraries(path: Path) -> None:
    loaded = imported(path.read_text(encoding="utf-8"), at_import_only=True)
    assert {name.split(".")[0] for name in loaded}.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if room_of(path) in WITHOUT_DAGSTER or inside(path) in WITHOUT_DAGSTER_IN_A_ROOM_WITH],
    ids=inside,
)
def test_what_needs_no_dagster_does_not_know_it(path: Path) -> None:
    names = {name.split(".")[0] for name in imported(path.read_text(encoding="utf-8"))}
    assert not {name for name in names if name.startswith("dagster")}


@pytest.mark.parametrize(
    ("room", "source", "faults"),
    [
        ("core", "from emovid_assets.resources.media import probe", ["resources"]),
        ("core", "def late():\n    import emovid_assets.tables", ["tables"]),
        ("resources", "from emovid_assets import cli, tables", ["cli"]),
        ("assets", "from emovid_assets.checks.table_checks import table_checks", ["checks"]),
        ("queries", "import emovid_assets.report.page", ["report"]),
        ("freshness", "from emovid_assets.definitions import defs", ["definitions"]),
        ("orchestration", "from emovid_assets.assets import labels", []),
        ("resources", "from emovid_assets.resources.compute import Item", []),
    ],
)
def test_a_wrong_way_up_is_found(room: str, source: str, faults: list[str]) -> None:
    assert faults_of(room, source) == faults


def test_a_heavy_import_is_found_at_the_top_and_in_a_class_but_allowed_in_a_function() -> None:
    top = "try:\n    import torch\nexcept ImportError:\n    pass\nclass A:\n    from scipy import stats\n"
    inner = "def f():\n    import av\n    return lambda: __import__('cv2')\n"
    assert set(imported(top, at_import_only=True)) == {"torch", "scipy", "scipy.stats"}
    assert set(imported(inner, at_import_only=True)) == set()


def run(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent, timeout=120
    )


def loaded_by(module: str, names: tuple[str, ...]) -> list[str]:
    """Which of the names a fresh process has loaded after importing the module."""
    return run(f"import sys, {module}; print(*(name for name in {names!r} if name in sys.modules))").stdout.split()


@pytest.mark.integration
def test_a_process_that_has_loaded_the_definitions_and_torch_ends_without_a_word() -> None:
    assert run("import emovid_assets.definitions, torch").stderr == ""


@pytest.mark.integration
def test_the_code_location_loads_without_the_heavy_libraries() -> None:
    assert loaded_by("emovid_assets.definitions", HEAVY) == []


@pytest.mark.integration
@pytest.mark.parametrize("module", ["emovid_assets.cli", "emovid_assets.resources.media_steps"])
def test_the_command_line_and_the_workers_start_without_dagster_and_duckdb(module: str) -> None:
    assert loaded_by(module, ("dagster", "duckdb", *HEAVY)) == []
