"""`emovid train export`: what a person sees, and what is said of what cannot be."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from emovid_assets.cli.app import app
from emovid_assets.home.folders import Home
from emovid_assets_tests.tuning.homes import planted_home


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return planted_home(tmp_path_factory.mktemp("home"), repeats={"sticker": 2})


@pytest.fixture
def home(built: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("EMOVID_HOME", str(built.root))
    monkeypatch.setenv("COLUMNS", "80")
    return built


def emovid(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["train", *arguments])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--for", "kohya"], "'kohya' is no trainer that is known; use one of diffsynth, musubi-tuner"),
        (["--for", "diffsynth", "--family", "sora"], "'sora' is no family that is known; DiffSynth-Studio trains wan"),
        (["--for", "onetrainer", "--family", "wan"], "OneTrainer does not train wan; it trains hunyuanvideo"),
        (["--for", "diffsynth", "--size", "big"], "--size is WIDTHxHEIGHT, such as 832x480, or buckets; not 'big'"),
        (["--for", "diffsynth", "--size", "830x480"], "width and height of wan are multiples of 16"),
        (["--for", "diffsynth", "--size", "0x0"], "width and height of wan are multiples of 16"),
        (["--for", "diffsynth", "--frames", "80"], "--frames 80: wan is not trained on so many; take 77 or 81"),
        (["--for", "diffsynth", "--frames", "1"], "--frames 1: wan is not trained on so many; take 5"),
        (["--for", "diffsynth", "--frames", "0"], "--frames 0: wan is not trained on so many; take 5"),
        (["--for", "finetrainers", "--family", "cogvideox", "--frames", "53"], "take 49 or 57"),
        (["--for", "diffsynth", "--domain", "films"], "'films' is not a domain"),
        (["--for", "onetrainer", "--domain", "animation"], "no clip of the training split can be exported"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence_and_nothing_is_written(home: Home, options: list[str], said: str) -> None:
    code, output = emovid("export", *options)
    assert code == 1
    assert said in output
    assert "Traceback" not in output
    assert not home.exports.exists()


def test_a_place_that_cannot_be_written_to_is_named(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    code, output = emovid("export", "--for", "diffsynth", "-o", str(tmp_path / "file" / "export"))
    assert code == 1
    assert f"{tmp_path / 'file'}: File exists" in output
    assert "give another folder with -o" in output


def test_a_folder_that_holds_something_else_is_named(home: Home, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    code, output = emovid("export", "--for", "diffsynth", "-o", str(tmp_path))
    assert code == 1
    assert "such as mine.txt: give a new folder with -o" in output


def test_an_export_says_what_it_holds_what_is_missing_and_how_to_go_on(home: Home, tmp_path: Path) -> None:
    options = ["--for", "finetrainers", "--size", "64x64", "--frames", "17", "-o", str(tmp_path / "export")]
    code, output = emovid("export", *options)
    assert code == 0
    lines = output.splitlines()
    assert "finetrainers, Wan 2.1, Wan 2.2 A14B: 16 frames a second, at most 17 of a clip" in lines
    assert [line.split() for line in lines if line.startswith(("64x64", "together"))] == [
        ["64x64", "3", "1", "2"],
        ["together", "3", "1", "2"],
    ]
    assert "frames (clips): 17 (5), 13 (1)" in lines
    assert "an epoch sees 8 clips, by the repeats of the settings" in lines
    assert "left out: 1 of animation: too short for more than a still" in lines
    assert any(line.startswith("6 encoded, 0 there already, 0 removed; ") for line in lines)
    assert f"in {tmp_path / 'export'}" in lines
    script = (tmp_path / "export" / "launch.sh").read_text(encoding="utf-8")
    assert script.partition("set -e\n")[2].strip() in output
    _, output = emovid("export", *options)
    assert "0 encoded, 6 there already, 0 removed" in output


def test_without_a_folder_it_goes_into_the_home(home: Home) -> None:
    code, _ = emovid("export", "--for", "diffsynth", "--size", "64x64", "--frames", "5", "--domain", "sticker")
    assert code == 0
    assert len(list((home.exports / "diffsynth-wan").rglob("*.mp4"))) == 2


def test_the_command_alone_says_what_there_is() -> None:
    assert "export" in emovid("--help")[1]
