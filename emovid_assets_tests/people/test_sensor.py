"""The sensor that polls Label Studio."""

from pathlib import Path

import dagster as dg
import pytest

from emovid_assets.orchestration.sensors import label_studio_answers
from emovid_assets.people.answers import answer_files
from emovid_assets.resources.label_studio import LabelStudio
from emovid_assets.resources.project import Project
from emovid_assets_tests.people.fake_server import FakeLabelStudio
from emovid_assets_tests.people.test_push_and_pull import home, server

__all__ = ["home", "server"]


def tick(folder: Path) -> str:
    """What a tick says: it never asks for a run, the sensor of the annotation files does."""
    answer = label_studio_answers(dg.build_sensor_context(), Project(home_folder=str(folder)))
    assert isinstance(answer, dg.SkipReason)
    return answer.skip_message or ""


def test_without_a_server_a_tick_says_so_and_asks_for_nothing(tmp_path: Path) -> None:
    assert "emovid annotate serve" in tick(tmp_path)


def test_new_answers_come_into_the_library_once(home, server: FakeLabelStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LabelStudio, "of", lambda folder: server)
    assert tick(home.root) == "Label Studio has no new answers."
    assert answer_files(home) == []

    server.annotate(1, 0, 1, "awe")
    assert tick(home.root).startswith("New answers: library/annotations/label-studio-movie-")
    (file,) = answer_files(home)
    first = file.read_bytes()
    assert tick(home.root) == "Label Studio has no new answers."
    assert file.read_bytes() == first

    server.annotate(1, 0, 2, "awe")
    assert tick(home.root).startswith("New answers: ")
    assert file.read_bytes() != first
