"""A release as tasks of Label Studio: what is in them, and that a real server takes them, labels, clips and all."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from emovid_assets.core.label_studio import Project, instructions
from emovid_assets.core.release.label_studio import screen, tasks_document
from emovid_assets.home.folders import Home
from emovid_assets.resources.label_studio import RunningServer
from emovid_assets.resources.release import load
from emovid_assets_tests.assets.homes import Demo
from emovid_assets_tests.people.test_real_label_studio import server
from emovid_assets_tests.release import released
from emovid_assets_tests.release.planted_releases import clip

__all__ = ["server"]
NAME = "movie-0000000000000001-00000000-00002000"


def tasks(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return list(json.loads(b"".join(tasks_document(rows, "1.0.0"))))


def test_a_clip_with_a_file_is_a_task_with_its_label_as_prediction() -> None:
    row = clip(
        NAME,
        file_name=f"movie/{NAME}.mp4",
        domain="movie",
        title="A film",
        caption="A sea.",
        emotion="awe",
        label_source="vlm",
        label_confidence=0.5,
    )
    assert tasks(row, clip("movie-2", file_name=None)) == [
        {
            "data": {
                "video": f"/data/local-files/?d=train/movie/{NAME}.mp4",
                "clip_id": NAME,
                "purpose": "review",
                "split": "train",
                "domain": "movie",
                "title": "A film",
                "caption": "A sea.",
                "emotion": "awe",
                "label_source": "vlm",
                "label_confidence": 0.5,
            },
            "predictions": [
                {
                    "model_version": "EmoVid 1.0.0, vlm",
                    "score": 0.5,
                    "result": [
                        {"from_name": "emotion", "to_name": "video", "type": "choices", "value": {"choices": ["awe"]}}
                    ],
                }
            ],
        }
    ]
    assert tasks() == []


@pytest.fixture(scope="module")
def home(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Whose server shows the files of a release."""
    home = Home(tmp_path_factory.mktemp("home"))
    released.make(demo.home, home.media / "1.0.0")
    return home


@pytest.mark.integration
def test_a_real_server_shows_the_clips_with_their_labels(home: Home, server: RunningServer) -> None:
    folder = home.media / "1.0.0"
    rows = {row["clip_id"]: row for row in load.rows(folder) if row["file_name"]}
    settings = Project("release", "EmoVid 1.0.0", 1, (), screen().decode(), instructions("review")).settings()
    project = server.create_project(settings, folder)
    server.add_tasks(project["id"], load.label_studio_tasks(folder, home.media))
    found = list(_tasks(server, project["id"]))
    assert {task["data"]["clip_id"] for task in found} == set(rows)
    for task in found:
        row = rows[task["data"]["clip_id"]]
        (prediction,) = task["predictions"]
        assert prediction["result"][0]["value"] == {"choices": [row["emotion"]]}
        assert prediction["score"] == pytest.approx(row["label_confidence"])
    shown = _get(server, found[0]["data"]["video"])
    assert hashlib.sha256(shown.content).hexdigest() == rows[found[0]["data"]["clip_id"]]["media_sha256"]


def _tasks(server: RunningServer, project: int) -> Iterator[dict[str, Any]]:
    said = _get(server, f"/api/tasks/?project={project}&page_size=1000&fields=all").json()
    yield from said["tasks"]


def _get(server: RunningServer, path: str) -> requests.Response:
    answer = server._request("GET", path)
    answer.raise_for_status()
    return answer
