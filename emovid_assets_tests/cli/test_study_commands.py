"""`emovid study`: files out, files in, and what is said where there is nothing to compare."""

import csv
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emovid_assets.cli.app import app
from emovid_assets.core.generation.study_pairs import QUESTIONS
from emovid_assets.home.folders import Home
from emovid_assets.people import server as annotation_server
from emovid_assets.people import study
from emovid_assets_tests.assets.homes import rows
from emovid_assets_tests.generation.studies import ANSWERS, TASKS, home_with_videos, materialise, videos
from emovid_assets_tests.people.fake_server import FakeLabelStudio
from emovid_assets_tests.planted_tables import plant


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "emovid.toml").write_text("[generation]\nstudy_checks = 2\n", encoding="utf-8")
    home = home_with_videos(tmp_path / "home", {"amber": {}, "birch": {"fps": 8}}, prompts=4)
    materialise(home, TASKS)
    monkeypatch.setenv("EMOVID_HOME", str(home.root))
    monkeypatch.setenv("COLUMNS", "200")
    return home


def emovid(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["study", *arguments])
    return done.exit_code, done.output


def sheet(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fill_in(path: Path, choice: str, person: str = "ann") -> Path:
    filled = [row | dict.fromkeys(QUESTIONS, choice) | {"annotator_id": person} for row in sheet(path)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, filled[0])
        writer.writeheader()
        writer.writerows(filled)
    return path


@pytest.mark.parametrize("command", [["make"], ["export", "out"], ["push"], ["pull"], ["status"]])
@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([], "there are no generated videos to compare yet (docs/generation.md says how to get some)"),
        (videos(["amber"], 2), "there are videos of amber alone: a study compares two generators or more"),
        (videos(["amber", "birch"], 2), "no pairs are drawn yet; run: emovid build"),
    ],
)
def test_with_nothing_to_compare_one_sentence_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], made: list[dict[str, object]], said: str
) -> None:
    monkeypatch.setenv("EMOVID_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    plant(tmp_path, "generated_videos", made, "movie")
    code, output = emovid(*command)
    assert code == 1
    assert said in " ".join(output.split())
    assert not (tmp_path / "media").exists()
    assert not (tmp_path / "out").exists()


def test_make_says_which_generators_meet_and_makes_nothing_twice(home: Home) -> None:
    code, output = emovid("make")
    assert code == 0
    assert "movie: 4 pairs, 2 attention checks, 12 files made" in output
    assert "4  amber and birch" in output
    assert "0 files made" in emovid("make")[1]


def test_export_gives_each_person_a_page_and_a_sheet_that_name_no_generator(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, output = emovid("export", str(out), "-p", "ann", "-p", "bob@example.org")
    assert code == 0, output
    pages, sheets = sorted(out.glob("*.html")), sorted(out.glob("*.csv"))
    assert (len(pages), len(sheets)) == (2, 2)
    assert all("bob" not in path.name for path in (*pages, *sheets))
    for path in (*pages, *sheets):
        assert not {"amber", "birch"} & set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    everything = {row["task_id"] for row in rows(home.root, "preference_tasks", "movie")}
    for path in sheets:
        found = sheet(path)
        assert {row["task_id"] for row in found} == everything
        assert all((out / row[side]).stat().st_size for row in found for side in ("left", "right"))
    assert [row["task_id"] for row in sheet(sheets[0])] != [row["task_id"] for row in sheet(sheets[1])]
    data = json.loads(pages[0].read_text(encoding="utf-8").split("const study = ")[1].split(";\n")[0])
    assert {pair["task_id"] for pair in data["pairs"]} == everything


def test_a_page_cannot_be_broken_by_the_text_of_a_prompt(home: Home, tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script>"
    planned = [row | {"prompt": hostile} for row in rows(home.root, "preference_tasks", "movie")]
    plant(home.root, "preference_tasks", planned, "movie")
    emovid("export", str(tmp_path / "out"), "-p", "ann")
    page = (tmp_path / "out" / "study-ann.html").read_text(encoding="utf-8")
    assert page.count("</script>") == 1
    assert "alert(1)" in page


def test_a_filled_sheet_comes_back_and_is_not_asked_again(home: Home, tmp_path: Path) -> None:
    emovid("export", str(tmp_path / "out"), "-p", "ann")
    code, output = emovid("import", str(fill_in(tmp_path / "out" / "study-ann.csv", "tie")))
    assert code == 0, output
    assert "18 accepted, 0 rejected" in output
    materialise(home, ANSWERS)
    assert {row["choice"] for row in rows(home.root, "preferences", "movie")} == {"tie"}
    code, output = emovid("export", str(tmp_path / "again"), "-p", "ann")
    assert code == 1
    assert "every pair has its answers" in output


def test_import_refuses_to_lose_answers_and_names_what_has_to_be_mended(home: Home, tmp_path: Path) -> None:
    emovid("export", str(tmp_path / "out"), "-p", "ann")
    path = fill_in(tmp_path / "out" / "study-ann.csv", "a")
    assert emovid("import", str(path))[0] == 0
    kept = (home.preferences / path.name).read_bytes()
    code, output = emovid("import", str(fill_in(path, "b")))
    assert code == 1
    assert "a file of that name is there with 18 answers that this one does not have" in output
    assert (home.preferences / path.name).read_bytes() == kept
    other = path.with_name("other.csv")
    other.write_bytes(fill_in(path, "better", "dan").read_bytes())
    code, output = emovid("import", str(other))
    assert code == 3
    assert "18 unknown_choice" in output
    assert "and 15 more: all are in rejected_preferences after emovid build" in output


def test_export_leaves_a_folder_alone_that_is_not_empty(home: Home, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "filled.csv").write_text("precious")
    code, output = emovid("export", str(tmp_path / "out"))
    assert code == 1
    assert "is not empty" in output
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["filled.csv"]


def test_without_a_server_the_commands_say_how_to_start_one(home: Home) -> None:
    for command in ("push", "pull", "status"):
        code, output = emovid(command)
        assert code == 1
        assert "emovid annotate serve" in output


def test_status_counts_the_pairs_that_files_answer_and_needs_no_server(home: Home, tmp_path: Path) -> None:
    emovid("export", str(tmp_path / "out"), "-p", "ann")
    emovid("import", str(fill_in(tmp_path / "out" / "study-ann.csv", "tie")))
    code, output = emovid("status")
    assert code == 0, output
    assert output == "movie: of 4 pairs 4 are answered in library/preferences, 0 by enough people; people: 1\n"


def test_a_study_and_annotation_share_a_server_and_leave_each_other_alone(home: Home) -> None:
    server = FakeLabelStudio()
    (pushed,) = study.push(home, server)
    assert (pushed.title, pushed.new_count) == ("EmoVid study movie", 6)
    assert annotation_server.status(home, server) == []
    assert study.push(home, server)[0].new_count == 0
    assert [one.task_count for one in study.status(home, server)] == [6]
