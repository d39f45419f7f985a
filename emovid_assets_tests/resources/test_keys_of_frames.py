"""Whatever looks at the frames of a clip file does so again where they are others, though the bytes are the same."""

import logging
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.core.model_place import ModelPlace
from emovid_assets.core.vlm.exchange import ClipRequest
from emovid_assets.resources import embeddings, media, vlm
from emovid_assets.resources.project import Project

LOG = logging.getLogger("test")


def file(matrix: str, *, tagged: bool) -> dict[str, Any]:
    content = {"sha256": "ab", "colour_matrix": matrix, "is_colour_tagged": tagged}
    return {"clip_id": "clip", "media_path": "media/clip.mp4", **content}


def first_frame_keys(project: Project, row: dict[str, Any]) -> Any:
    return media.first_frames(project, "movie", [row], LOG)


def embedding_keys(project: Project, row: dict[str, Any]) -> Any:
    return embeddings.embed(project, "movie", ModelPlace("tiny", "1"), [row], {"clip": [0.5]}, LOG)


def answer_keys(project: Project, row: dict[str, Any]) -> Any:
    request = ClipRequest("clip.mp4", (0.5,), 32, "which?")
    return [item.content for item in vlm._items([(row, request)], project.settings.labeller)]


@pytest.mark.parametrize("keys", [first_frame_keys, embedding_keys, answer_keys])
def test_a_large_untagged_file_has_other_keys_than_one_of_the_same_bytes_that_needs_no_guess(
    keys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Project, "compute", lambda self, step, domain, items, log: [item.content for item in items])
    project = Project(home_folder=str(tmp_path))
    (tagged,) = keys(project, file("bt709", tagged=True))
    assert keys(project, file("bt601", tagged=False)) == [tagged]
    assert keys(project, file("bt709", tagged=False)) != [tagged]
    assert tagged.startswith("ab")
