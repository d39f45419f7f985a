"""What goes to the server and what is kept of its answers, without a server."""

import json
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.home.folders import Home
from emovid_assets.people import server as annotation_server
from emovid_assets.people.annotators import pseudonyms
from emovid_assets.resources.label_studio import LabelStudioError
from emovid_assets_tests.people.fake_server import FakeLabelStudio, pulled_files
from emovid_assets_tests.planted_tables import plant, valid_row

CLIPS = [f"movie-{number:016x}-00000000-00005000" for number in range(4)]


def planted(home: Path, clip_ids: list[str], suffix: str = ".mp4") -> Home:
    def of(table: str, **values: Any) -> list[dict[str, Any]]:
        return [
            valid_row(table, number, "movie", clip_id=clip_id, **{name: make(clip_id) for name, make in values.items()})
            for number, clip_id in enumerate(clip_ids)
        ]

    plant(home, "clips", of("clips"), "movie")
    files = of("clip_media", media_path=lambda clip_id: f"media/clips/movie/{clip_id}{suffix}")
    plant(home, "clip_media", files, "movie")
    rows = [
        {"clip_id": one, "domain": "movie", "purpose": "label", "required_annotators": 3, "intended_emotion": None}
        for one in clip_ids
    ]
    plant(home, "annotation_tasks", rows, "movie")
    return Home(home)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return planted(tmp_path, CLIPS[:3])


@pytest.fixture
def server(home: Home) -> FakeLabelStudio:
    server = FakeLabelStudio()
    annotation_server.push(home, server)
    return server


def stored(home: Home) -> list[dict[str, Any]]:
    return json.loads((home.annotations / "label-studio-movie-label.json").read_text(encoding="utf-8"))


def test_a_second_push_sends_nothing_and_a_grown_plan_only_what_is_new(home: Home, server: FakeLabelStudio) -> None:
    (again,) = annotation_server.push(home, server)
    assert (again.new_count, again.task_count) == (0, 3)
    planted(home.root, CLIPS[1:])
    (grown,) = annotation_server.push(home, server)
    assert (grown.new_count, grown.task_count, grown.withdrawn_count) == (1, 4, 1)
    assert len(server.by_id[1]["tasks"]) == 4
    assert server.by_id[1]["tasks"][0]["data"]["video"].startswith("/data/local-files/?d=clips/movie/")


def test_a_clip_whose_file_has_another_name_now_is_shown_from_there_and_keeps_its_answers(
    home: Home, server: FakeLabelStudio
) -> None:
    server.annotate(1, 0, 1, "awe")
    planted(home.root, CLIPS[:3], ".webm")
    (again,) = annotation_server.push(home, server)
    assert (again.new_count, again.task_count) == (0, 3)
    tasks = server.by_id[1]["tasks"]
    assert {Path(task["data"]["video"]).suffix for task in tasks} == {".webm"}
    assert len(tasks[0]["annotations"]) == 1


def test_a_project_that_a_person_has_renamed_is_still_ours_and_keeps_its_name(
    home: Home, server: FakeLabelStudio
) -> None:
    server.by_id[1]["settings"] |= {"title": "Films!", "label_config": "<View/>"}
    (done,) = annotation_server.push(home, server)
    assert done.title == "Films!"
    assert "<Choices" in server.by_id[1]["settings"]["label_config"]


def test_without_tasks_a_push_says_what_to_build(tmp_path: Path) -> None:
    with pytest.raises(annotation_server.NothingToPushError, match="run: emovid build"):
        annotation_server.push(Home(tmp_path), FakeLabelStudio())


def test_answers_come_by_e_mail_address_and_an_unchanged_export_is_not_written_again(
    home: Home, server: FakeLabelStudio
) -> None:
    server.annotate(1, 0, 1, "awe")
    (first,) = annotation_server.pull(home, server)
    assert (first.is_changed, first.report.accepted) == (True, 1)
    assert stored(home)[0]["annotations"][0]["completed_by"] == {"id": 1, "email": "ann@example.org"}
    files = pulled_files(home)
    (second,) = annotation_server.pull(home, server)
    assert second.is_changed is False
    assert pulled_files(home) == files
    assert all(name.startswith("label-studio-movie-") for name in files)


def test_an_answer_that_the_server_lost_is_kept_and_one_that_was_changed_is_not_doubled(
    home: Home, server: FakeLabelStudio
) -> None:
    server.annotate(1, 0, 1, "awe")
    server.annotate(1, 0, 2, "fear")
    annotation_server.pull(home, server)
    del server.by_id[1]["tasks"][0]["annotations"][1]
    changed = server.by_id[1]["tasks"][0]["annotations"][0]
    changed["result"][0]["value"]["choices"] = ["sadness"]
    (pulled,) = annotation_server.pull(home, server)
    assert (pulled.kept_count, pulled.report.accepted) == (1, 2)
    (task,) = stored(home)
    labels = [one["result"][0]["value"]["choices"][0] for one in task["annotations"]]
    assert sorted(labels) == ["fear", "sadness"]


def test_a_server_that_was_set_up_anew_and_answers_empty_takes_nothing_away(
    home: Home, server: FakeLabelStudio
) -> None:
    server.annotate(1, 0, 1, "awe")
    annotation_server.pull(home, server)
    before = stored(home)
    fresh = FakeLabelStudio()
    annotation_server.push(home, fresh)
    (pulled,) = annotation_server.pull(home, fresh)
    assert (pulled.is_changed, pulled.kept_count, stored(home)) == (False, 1, before)


def test_a_file_that_somebody_has_edited_into_something_else_is_left_alone(home: Home, server: FakeLabelStudio) -> None:
    path = home.annotations / "label-studio-movie-label.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('[{"data": {}}]', encoding="utf-8")
    server.annotate(1, 0, 1, "awe")
    with pytest.raises(LabelStudioError, match="left alone"):
        annotation_server.pull(home, server)
    assert path.read_text(encoding="utf-8") == '[{"data": {}}]'


def test_status_counts_answers_a_person_under_a_pseudonym_and_clips_with_enough_of_them(
    home: Home, server: FakeLabelStudio
) -> None:
    server.by_id[1]["settings"]["maximum_annotations"] = 2
    for user_id in (1, 2):
        server.annotate(1, 0, user_id, "awe")
    server.annotate(1, 1, 1, "awe")
    server.annotate(1, 1, 1, "fear")
    server.by_id[1]["tasks"][2]["annotations"].append(
        {"id": 9, "completed_by": 2, "result": [], "was_cancelled": True, "created_at": "2026-11-20T10:00:00Z"}
    )
    (progress,) = annotation_server.status(home, server)
    assert (progress.task_count, progress.finished_count, progress.skipped_count) == (3, 1, 1)
    with pseudonyms(home) as people:
        ann, bob = map(people.annotator, ("ann@example.org", "bob@example.org"))
    assert progress.answers == {ann: 2, bob: 1}
