"""The sensor that polls Label Studio."""

from pathlib import Path

import dagster as dg
import pytest

from emovid_assets.resources.label_studio import LabelStudio
from emovid_assets.resources.project import Project
from emovid_assets.sensors import label_studio_answers
from emovid_assets_tests.annotation_server.fake_server import FakeLabelStudio
from emovid_assets_tests.annotation_server.test_push_and_pull import home, server

__all__ = ["home", "server"]


def tick(folder: Path, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    context = dg.build_sensor_context(cursor=cursor, resources={"project": Project(home_folder=str(folder))})
    answer = label_studio_answers(context)
    assert isinstance(answer, dg.SensorResult | dg.SkipReason)
    return answer


def test_without_a_server_a_tick_says_so_and_asks_for_nothing(tmp_path: Path) -> None:
    answer = tick(tmp_path)
    assert isinstance(answer, dg.SkipReason)
    assert "emovid annotate serve" in (answer.skip_message or "")


def test_new_answers_ask_once_for_a_run_of_their_domain(
    home, server: FakeLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LabelStudio, "of", lambda folder: server)
    assert isinstance(tick(home.root), dg.SkipReason)

    server.annotate(1, 0, 1, "awe")
    first = tick(home.root)
    assert isinstance(first, dg.SensorResult)
    (request,) = first.run_requests or []
    assert request.partition_key == "movie"
    quiet = tick(home.root, first.cursor)
    assert isinstance(quiet, dg.SkipReason)
    assert quiet.skip_message == "Label Studio has no new answers."

    server.annotate(1, 0, 2, "awe")
    second = tick(home.root, first.cursor)
    assert isinstance(second, dg.SensorResult)
    assert [one.run_key for one in second.run_requests or []] != [request.run_key]
