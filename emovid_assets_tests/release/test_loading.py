"""`emovid release load`, and that its lines are those of the page: one home for what people copy."""

import re
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from emovid_assets.cli.release_load import load
from emovid_assets.cli.shared import out
from emovid_assets.core.release.parts import Split
from emovid_assets.core.release.snippets import READERS, READERS_BY_NAME, code
from emovid_assets.resources.release import loading
from emovid_assets.resources.release.loading import Loaded, LoadingError
from emovid_assets_tests.assets.homes import ROOT
from emovid_assets_tests.release.planted_releases import clip, plant_release, table_of

PAGE = ROOT / "docs" / "release_loading.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        clip("movie-1", file_name="movie/movie-1.mp4", title="\x1b[2J[bold]A film"),
        clip("movie-2", file_name=None),
        clip("movie-3", split="benchmark", file_name=None),
    ]
    return plant_release(tmp_path / 'my "releases"' / "1.0.0", table_of(rows), name="EmoVid of here", version="1.0.0")


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "CallLoad":
    monkeypatch.setenv("EMOVID_HOME", str(tmp_path))
    monkeypatch.setattr(out, "_width", 200)
    return CallLoad()


class CallLoad:
    """The command alone."""

    def __call__(self, *arguments: str) -> Result:
        app = typer.Typer()
        app.command()(load)
        return CliRunner().invoke(app, list(arguments))


def test_the_page_shows_the_lines_that_are_tested() -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = dict(re.findall(r"^##+ (\S+)\n(?:(?!^##).*\n)*?```python\n((?:.*\n)*?)```$", text, re.MULTILINE))
    assert shown == {reader.name: code(reader, "releases/1.0.0", "train") for reader in READERS}
    for reader in READERS:
        assert not reader.install or f"`pip install {reader.install}`" in text


def test_without_a_reader_it_lists_them_with_their_lines(call: CallLoad, folder: Path) -> None:
    done = call(str(folder))
    assert done.exit_code == 0, done.output
    printed = done.stdout
    assert printed.startswith("EmoVid of here 1.0.0 (full)\n")
    assert re.search(r"^train +2 +1$", printed, re.MULTILINE)
    assert re.search(r"^together +3 +1$", printed, re.MULTILINE)
    assert re.search(r"^duckdb +yes +SQL$", printed, re.MULTILINE)
    assert re.search(r"^webdataset +- +this release was made without --webdataset$", printed, re.MULTILINE)
    assert code(READERS_BY_NAME["duckdb"], str(folder), "train").rstrip() in printed
    assert "import webdataset" not in printed


def test_with_a_reader_it_reads_all_of_it(call: CallLoad, folder: Path) -> None:
    done = call(str(folder), "--with", "duckdb")
    assert done.exit_code == 0, done.output
    printed = done.stdout
    assert "read with duckdb" in printed
    assert re.search(r"^benchmark +1 +0$", printed, re.MULTILINE)
    assert re.search(r"^together +3 +1$", printed, re.MULTILINE)
    assert "  clip_id: movie-3\n" in printed
    assert ": None" not in printed


def test_what_strangers_have_written_is_shown_and_not_obeyed(call: CallLoad, folder: Path) -> None:
    (folder / "benchmark" / "metadata.parquet").unlink()
    printed = call(str(folder), "--with", "duckdb").stdout
    assert "[bold]A film" in printed
    assert "\x1b" not in printed


def test_a_medium_that_is_missing_is_noticed(call: CallLoad, folder: Path) -> None:
    done = call(str(folder), "--with", "pyarrow")
    assert done.exit_code == 1
    assert "No module named 'load'" in done.stderr
    from emovid_assets.resources.release import load as shipped

    (folder / "load.py").write_bytes(Path(shipped.__file__).read_bytes())
    done = call(str(folder), "--with", "pyarrow")
    assert done.exit_code == 1
    assert "train: 2 rows and 0 media where there are 2 and 1" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--with", "tensorflow"), "'tensorflow' is no reader that is known; use one of datasets, streaming, torch"),
        (("--with", "webdataset"), "webdataset finds nothing there: this release was made without --webdataset"),
        (("--with", "duckdb", "--python", "/nowhere/python"), "/nowhere/python cannot be run"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(call: CallLoad, folder: Path, arguments: tuple[str, ...], said: str) -> None:
    done = call(str(folder), *arguments)
    assert done.exit_code == 1
    assert said in done.stderr
    assert "Traceback" not in done.output


def test_a_library_that_is_not_there_is_named_with_what_to_do(
    call: CallLoad, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "missing", lambda reader, python=None: ["polars"])
    done = call(str(folder), "--with", "polars")
    assert done.exit_code == 1
    assert "this Python has no polars: pip install polars, or name another Python with --python" in done.stderr


def test_what_is_no_release_is_said(call: CallLoad, tmp_path: Path) -> None:
    assert "there is no release '9.9.9'" in call("9.9.9").stderr
    assert "is no release: it has no release.json" in call(str(tmp_path)).stderr


def test_a_release_without_media_is_read_by_other_lines(tmp_path: Path) -> None:
    reader = READERS_BY_NAME["datasets"]
    splits = [Split("train", 2, 0)]
    assert "cast_column" not in loading.lines(reader, tmp_path, splits)
    assert loading.why_not(READERS_BY_NAME["torch"], tmp_path, splits) == "this release holds no media"


def test_lines_name_a_split_that_has_media(tmp_path: Path) -> None:
    splits = [Split("benchmark", 2, 1), Split("train", 2, 0)]
    assert 'files["benchmark"]' in loading.lines(READERS_BY_NAME["datasets"], tmp_path, splits)
    splits = [Split("benchmark", 2, 1), Split("train", 2, 2)]
    assert 'files["train"]' in loading.lines(READERS_BY_NAME["datasets"], tmp_path, splits)


def test_a_reader_that_sees_only_clips_with_a_file_misses_none_of_the_others() -> None:
    splits = [Split("train", 5, 3), Split("unused", 2, 0)]
    seen = Loaded((Split("train", 3, 3),), {})
    assert loading.differences(seen, READERS_BY_NAME["webdataset"], splits) == []
    assert loading.differences(seen, READERS_BY_NAME["polars"], splits) == [
        "train: 3 rows and 3 media where there are 5 and 3",
        "unused: 0 rows and 0 media where there are 2 and 0",
    ]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_every_script_is_python_for_any_folder(reader: loading.Reader) -> None:
    folder = 'C:\\releases of "mine" {x}/1.0.0'
    for has_media in (True, False):
        compile(loading.script(reader, folder, "train", has_media=has_media), reader.name, "exec")


def test_what_is_installed_is_asked_of_the_python_that_is_meant() -> None:
    assert loading.missing(READERS_BY_NAME["duckdb"]) == []
    assert loading.missing(READERS_BY_NAME["duckdb"], Path(sys.executable)) == []
    with pytest.raises(LoadingError, match="cannot be run"):
        loading.missing(READERS_BY_NAME["duckdb"], Path("/nowhere/python"))
