"""`emovid release push`: what a person at a terminal sees of it."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from emovid_assets.cli.release_push import push
from emovid_assets_tests.release.pushed_releases import release

app = typer.Typer()
app.command("push")(push)
app.command("other")(lambda: None)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOVID_HOME", str(tmp_path / "home"))
    release(tmp_path / "home" / "releases" / "1.0.0")
    return tmp_path / "home"


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["push", *arguments])


def test_a_release_is_pushed_and_compared(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Its files are a few words each; that a release is proved first, the test after this one shows.
    monkeypatch.setattr("emovid_assets.checks.releases.release_faults", lambda folder: [])
    url = f"file://{home.parent}/far"
    first = ran("1.0.0", url)
    assert first.exit_code == 0
    assert f"{url}/1.0.0 holds 1.0.0: 9 files sent (0.0 MB), 0 there already; every file was compared" in first.output
    assert "0 files sent (0.0 MB), 9 there already" in ran("1.0.0", url).output
    (home.parent / "far" / "1.0.0" / "notes.txt").write_text("x")
    checked = ran(str(home / "releases" / "1.0.0"), url, "--check")
    assert checked.exit_code == 0
    assert "every file has the same bytes" in checked.output
    assert "left as they are: notes.txt" in checked.output
    (home.parent / "far" / "1.0.0" / "clips.csv").write_text("x")
    checked = ran("1.0.0", url, "--check")
    assert checked.exit_code == 1
    assert "1 files are others (clips.csv)" in checked.output


def test_what_does_not_prove_itself_is_not_sent(home: Path) -> None:
    refused = ran("1.0.0", f"file://{home.parent}/far")
    assert refused.exit_code == 1
    assert not (home.parent / "far").exists()


@pytest.mark.parametrize(
    ("version", "target", "says"),
    [
        ("2.0.0", "memory://x", "there is no release '2.0.0'"),
        ("1.0.0", "somewhere", "is no address to push to: write s3://BUCKET/FOLDER"),
        ("1.0.0", "hf://datasets/x", "write hf://datasets/OWNER/NAME"),
    ],
)
def test_a_wrong_wish_says_what_would_be_right(version: str, target: str, says: str, home: Path) -> None:
    done = ran(version, target)
    assert done.exit_code == 1
    assert says in done.output
