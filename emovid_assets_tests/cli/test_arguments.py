"""Help for every command, and one clear line for every argument that cannot be used."""

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.models import CommandInfo

from emovid_assets.cli import look
from emovid_assets.cli.app import app
from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.settings import Settings
from emovid_assets.orchestration import code_server
from emovid_assets_tests.assets.homes import ROOT, emovid
from emovid_assets_tests.cli.conftest import Call

COMMANDS: dict[tuple[str, ...], str] = {
    (): "EMOVID_HOME",
    ("build",): "Build what is missing or stale, and what follows from it",
    ("demo",): "three-domain library",
    ("collect",): "into the library, within a budget",
    ("status",): "missing or stale",
    ("plan",): "how many items, about how long",
    ("verify",): "so that `emovid build` makes it again",
    ("report",): "print where it is",
    ("sql",): "Query the catalogue",
    ("ui",): "on this machine only",
    ("annotate",): "round trip",
    ("annotate", "export"): "what is still open",
    ("annotate", "import"): "say what would count",
    ("annotate", "serve"): "on this machine only",
    ("annotate", "push"): "not there yet",
    ("annotate", "pull"): "into the library",
    ("annotate", "status"): "How far people are",
    ("study",): "blind",
    ("study", "make"): "names say nothing",
    ("study", "export"): "two players in step",
    ("study", "import"): "say what would count",
    ("study", "push"): "not there yet",
    ("study", "pull"): "into the library",
    ("study", "status"): "How far people are",
    ("snapshot",): "states of the tables under names",
    ("snapshot", "make"): "no space but that of what changes afterwards",
    ("snapshot", "list"): "the oldest first",
    ("snapshot", "remove"): "keep what they hold",
    ("train",): "Tune generators on the dataset",
    ("train", "export"): "as a trainer wants to find it",
    ("train", "merge"): "each with its weight, as one",
    ("release",): "that others can load",
    ("release", "make"): "The version follows from what has",
    ("release", "gate"): "write nothing",
    ("release", "list"): "which releases there are",
    ("release", "verify"): "from its folder alone",
    ("release", "diff"): "from one release to another",
    ("release", "load"): "How other libraries read a release",
    ("release", "rebuild"): "from sources of your own",
    ("release", "push"): "A new repository is private",
    ("labeller",): "Labellers are measured",
    ("labeller", "compare"): "hold the answers against its labels",
}


def test_the_version_is_that_of_the_project(call: Call) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = call("--version")
    assert (asked.exit_code, asked.output) == (0, f"emovid {project['version']}\n")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_says_what_a_command_is_for(call: Call, command: tuple[str, ...]) -> None:
    done = call(*command, "--help")
    assert done.exit_code == 0
    assert COMMANDS[command] in " ".join(done.stdout.replace("│", " ").split())
    assert done.stderr == ""


def name_of(command: CommandInfo) -> str:
    """A command without a name of its own has that of its function."""
    return command.name or getattr(command.callback, "__name__", "")


def test_every_command_has_its_help_tested() -> None:
    groups = {str(group.name): group.typer_instance for group in app.registered_groups}
    assert all(groups.values())
    names: set[tuple[str, ...]] = {(name,) for name in groups}
    for name, group in groups.items():
        names |= {(name, name_of(command)) for command in (group.registered_commands if group else ())}
    names |= {(name_of(command),) for command in app.registered_commands}
    assert names == set(COMMANDS) - {()}


def refusal(call: Call, *arguments: str, home: Path) -> str:
    """The message on standard error of a call that must fail without a traceback."""
    done = call(*arguments, home=home)
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit)
    assert done.stderr.startswith("error ")
    assert "Traceback" not in done.output
    return done.stderr.removeprefix("error ").rstrip("\n")


@pytest.mark.parametrize("command", [("build",), ("status",), ("annotate", "export", "out"), ("annotate", "push")])
def test_an_unknown_domain_is_refused_with_those_there_are(
    call: Call, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    message = refusal(call, *command, "--domain", "film", home=tmp_path / "home")
    assert message == f"'film' is not a domain; use one of {', '.join(DOMAINS)}"
    assert not (tmp_path / "home" / "warehouse").exists()


@pytest.mark.parametrize("selection", ["key:colour", "what is [this]?"])
def test_a_selection_of_nothing_is_refused_with_the_names_of_the_assets(
    call: Call, selection: str, tmp_path: Path
) -> None:
    first, second = refusal(call, "build", "--select", selection, home=tmp_path).split("\n")
    # Brackets are no markup: the message repeats what was asked for.
    assert first.startswith(f"--select '{selection}'")
    assert second.startswith("Assets: agreement_statistics, annotation_tasks, ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[scenes\n", "not valid TOML: Expected ']'"),
        ("[scenes]\nfram_stride = 3\n", "scenes.fram_stride: there is no such setting"),
        ("[scenes]\nframe_stride = 0\n", "scenes.frame_stride: Input should be greater than or equal to 1"),
        ('[scenes]\ndetector = "guess"\n', "scenes.detector: Input should be 'adaptive' or 'content'"),
        ("[annotation]\nhuman_fraction = 20\n", "annotation.human_fraction: Input should be less than or equal to 1"),
        ("seeds = 1\n", "seeds: there is no such setting"),
    ],
)
def test_a_fault_in_the_settings_is_one_line_with_file_and_key(
    call: Call, text: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "emovid.toml").write_text(text, encoding="utf-8")
    message = refusal(call, "build", home=tmp_path)
    assert message.startswith(f"{tmp_path / 'emovid.toml'}: {told}")
    assert "\n" not in message


def test_settings_that_are_not_text_are_refused_too(call: Call, tmp_path: Path) -> None:
    (tmp_path / "emovid.toml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read as UTF-8 text" in refusal(call, "build", home=tmp_path)


def test_every_setting_has_a_default_and_a_digest_that_any_value_changes(tmp_path: Path) -> None:
    settings = Settings()
    changed = settings.scenes.model_copy(update={"frame_stride": 10})
    assert settings.scenes.frame_stride == 20
    assert settings.scenes.digest() == Settings().scenes.digest() != changed.digest()


@pytest.mark.integration
def test_the_program_itself_ends_with_one_line_and_exit_code_1(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = emovid(home, "build", "-d", "tv")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error 'tv' is not a domain; use one of {', '.join(DOMAINS)}\n"
    (home / "emovid.toml").write_text("[media]\nworkers = -1\n", encoding="utf-8")
    done = emovid(home, "build")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error {home / 'emovid.toml'}: media.workers: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_demo_does_not_touch_a_home_with_a_library_of_somebodys_own(call: Call, tmp_path: Path) -> None:
    manifest = tmp_path / "library" / "movie" / "manifest.csv"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("path,title\nmine.mp4,Mine\n", encoding="utf-8")
    message = refusal(call, "demo", "--size", "small", home=tmp_path)
    assert str(manifest) in message
    assert [path for path in (tmp_path / "library").rglob("*") if path.is_file()] == [manifest]


def test_the_ui_is_dagster_dev_on_this_machine_with_the_homes_own_instance(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    served: list[Any] = []

    def start_beside(environment: Any) -> Path:
        served.append(environment)
        return tmp_path / "workspace.yaml"

    monkeypatch.setattr(code_server, "start_beside", start_beside)
    monkeypatch.setattr(os, "execve", lambda *arguments: started.append(arguments))
    done = call("ui", "--port", "3456", home=tmp_path)
    assert done.exit_code == 0, done.output
    ((program, command, environment),) = started
    assert Path(program).name == "dagster"
    assert os.access(program, os.X_OK)
    assert command == [program, "dev", "-w", str(tmp_path / "workspace.yaml"), "-h", "127.0.0.1", "-p", "3456"]
    assert served == [environment]
    assert environment["EMOVID_HOME"] == str(tmp_path)
    assert environment["DAGSTER_HOME"] == str(tmp_path / "dagster")
    assert (tmp_path / "dagster" / "dagster.yaml").is_file()
    assert (tmp_path / "library").is_dir()
    assert "http://127.0.0.1:3456" in done.stdout


def test_the_ui_says_so_when_dagster_is_not_installed(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look.shutil, "which", lambda *_, **__: None)
    assert "install emovid-assets again" in refusal(call, "ui", home=tmp_path)


@pytest.mark.parametrize("command", ["push", "pull", "status"])
def test_without_a_label_studio_each_command_of_the_round_trip_says_how_to_start_one(
    call: Call, tmp_path: Path, command: str
) -> None:
    message = refusal(call, "annotate", command, home=tmp_path)
    assert message.endswith("start one with: emovid annotate serve")
