"""Folders that cannot be a home, and homes that are not there: one sentence before anything is made."""

import os
from pathlib import Path

import dagster as dg
import pytest

from emovid_assets.building.runner import open_instance
from emovid_assets.home.folders import Home, HomeError, require_meant
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.resources.catalogue import open_catalogue
from emovid_assets_tests.cli.conftest import Call, call
from emovid_assets_tests.planted_tables import plant, valid_row

__all__ = ["call"]

REFUSED = {
    "My%20Data": "'%20', which Dagster reads as one character",
    "wh?at": "a question mark, behind which DuckDB and SQLite read options",
    "back\\slash": "a backslash, which DuckDB takes for a slash",
    "new\nline": "a character that breaks lines or moves the cursor (U+000A)",
    "\x1b[31mred": "a character that breaks lines or moves the cursor (U+001B)",
    "delete\x7f": "a character that breaks lines or moves the cursor (U+007F)",
    "next\x85line": "a character that breaks lines or moves the cursor (U+0085)",
    "line\u2028separator": "a character that breaks lines or moves the cursor (U+2028)",
    os.fsdecode(b"latin-\xe9"): "bytes that are no UTF-8",
}
TAKEN = "a#b 100% 50%zz st*r br[ack]et apo'stroph quo\"te ünïcode co:lon $HOME 🎬"

READING = (
    *(("status",), ("plan",), ("verify",), ("sql", "SELECT 1"), ("report",)),
    *(("annotate", name) for name in ("push", "pull", "status", "serve")),
    *(("annotate", "export", "tasks"), ("annotate", "import", "answers.csv")),
)
MAKING = (("build",), ("demo", "--size", "small"), ("ui",), ("collect",), ("labeller", "compare", "--emoset", "."))


@pytest.mark.parametrize("command", [*READING, *MAKING], ids=" ".join)
def test_a_name_that_breaks_what_is_beneath_is_refused_by_every_command_before_anything_is_made(
    call: Call, tmp_path: Path, command: tuple[str, ...]
) -> None:
    for name, why in REFUSED.items():
        done = call(*command, home=tmp_path / name / "home")
        assert (done.exit_code, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith("error ")
        assert f"cannot be a home: its path holds {why}. Rename the folder, or set EMOVID_HOME" in line
        assert line.isprintable()
    assert list(tmp_path.iterdir()) == []


def test_any_other_name_holds_dagsters_state_and_a_catalogue_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOVID_HOME", str(tmp_path / TAKEN))
    # `open_instance` sets it for the process.
    monkeypatch.setenv("DAGSTER_HOME", "")
    home = Home.from_environment()
    plant(home.root, "clips", [valid_row("clips", 1)])
    with open_instance(home) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("clips"))
        assert len(instance.get_asset_records([dg.AssetKey("clips")])) == 1
    with open_catalogue(home.root, shipped_file("sql")) as catalogue:
        assert catalogue.execute("SELECT count(*) FROM clips").fetchall() == [(1,)]
    assert os.listdir(tmp_path) == [TAKEN]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_command_that_looks_makes_no_home_where_none_is(call: Call, tmp_path: Path, command: tuple[str, ...]) -> None:
    done = call(*command, home=tmp_path / "my-datasett")
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error {tmp_path}/my-datasett: there is no such folder. Set EMOVID_HOME")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", MAKING, ids=" ".join)
def test_a_command_that_may_make_a_home_makes_none_where_another_path_was_probably_meant(
    call: Call, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "my-dataset" / "library").mkdir(parents=True)
    (tmp_path / "nothing of the kind").mkdir()
    for slip, why in (
        ("my-datasett", "but a home beside it: my-dataset"),
        ("mydisk/my-dataset", "and none above it"),
    ):
        done = call(*command, home=tmp_path / slip)
        assert (done.exit_code, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"error {tmp_path / slip}: there is no such folder, {why}. Correct EMOVID_HOME, or ")
        assert line.endswith(f"mkdir -p {tmp_path / slip}")
    assert sorted(os.listdir(tmp_path)) == ["my-dataset", "nothing of the kind"]


@pytest.mark.parametrize("option", [("--only", "failed"), ("--only", "stale"), ("--retry-quarantined",)], ids=" ".join)
def test_a_build_that_goes_on_with_what_is_there_makes_no_home(
    call: Call, tmp_path: Path, option: tuple[str, ...]
) -> None:
    done = call("build", *option, home=tmp_path / "home")
    assert (done.exit_code, os.listdir(tmp_path)) == (1, [])


def test_a_first_home_is_made_and_said_to_be_new_once(call: Call, tmp_path: Path) -> None:
    (tmp_path / "home-of-last-year" / "library").mkdir(parents=True)
    (tmp_path / "shome").mkdir()
    home = tmp_path / "home"
    first, second = (call("build", "--select", "key:wanted_videos", "-d", "movie", home=home) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert (first.stderr, second.stderr) == (f"note {home} is a new home\n", "")
    assert (home / "library").is_dir()


def test_the_names_of_views_are_listed_without_a_home(call: Call, tmp_path: Path) -> None:
    done = call("sql", "--list", home=tmp_path / "nowhere")
    assert done.exit_code == 0
    assert "dataset_statistics" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "film.mp4").touch()
    monkeypatch.setenv("EMOVID_HOME", str(tmp_path / "film.mp4"))
    with pytest.raises(HomeError, match="it is no folder"):
        Home.from_environment()


@pytest.mark.parametrize("below", ["library", "library/movie", "warehouse/clips"])
def test_a_folder_of_a_home_is_no_home(tmp_path: Path, below: str) -> None:
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "state.sqlite").touch()
    (tmp_path / below).mkdir(parents=True, exist_ok=True)
    with pytest.raises(HomeError, match=f"is a folder of a home, not a home: set EMOVID_HOME to {tmp_path}$"):
        require_meant(tmp_path / below)
    require_meant(tmp_path)
