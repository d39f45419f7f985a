"""What `emovid plan` says a server will cost, from settings, clips and what finished ones have cost."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from emovid_assets.building.plan import PlannedAsset
from emovid_assets.building.server_costs import server_costs
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.freshness.amounts import item_counts
from emovid_assets.home.folders import Home
from emovid_assets.resources import models
from emovid_assets.resources.endpoint_cost import Estimate
from emovid_assets.resources.evidence import ClipTables
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import rows_of
from emovid_assets_tests.media.making import scenery, write_video
from emovid_assets_tests.planted_tables import plant, valid_row
from emovid_assets_tests.resources.chat_server import Call, ChatServer, Reply, completion

SETTINGS = """
[captioner]
backend = "endpoint"
model = "tiny"
base_url = "http://127.0.0.1:1/v1"
frames = 4
frame_side_px = 280
prompt_price = 2.0
output_price = 10.0
"""


def left(asset: str, domain: str | None, items: int | None, *payloads: dict[str, object]) -> PlannedAsset:
    finished = {f"clip-{number}": payload for number, payload in enumerate(payloads)}
    return PlannedAsset(asset, domain, "stale", "", items, False, None, finished)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "emovid.toml").write_text(SETTINGS, encoding="utf-8")
    plant(tmp_path, "clips", [valid_row("clips", number, width_px=560, height_px=280) for number in range(3)])
    return Home(tmp_path)


def test_before_the_first_answer_tokens_are_assumed_from_the_size_of_the_clips(home: Home) -> None:
    costs = server_costs(
        home, [left("captions", "movie", 70), left("captions", "sticker", 30), left("vlm_labels", "movie", 9)]
    )
    assert costs.keys() == {"captions"}, "labels are not asked of a server"
    # 280 × 140 px are 10 × 5 tokens, four frames of them, and 120 of words.
    assert (costs["captions"].request_count, costs["captions"].prompt_token_count) == (100, 100 * (4 * 50 + 120))
    assert costs["captions"].output_token_count == 100 * 80 * 1.4
    assert costs["captions"].price == pytest.approx((32_000 * 2 + 11_200 * 10) / 1e6)
    assert costs["captions"].hours is None
    assert costs["captions"].basis.startswith("assumed: 50 tokens a frame")


def test_what_finished_clips_have_cost_takes_the_place_of_assumptions(home: Home) -> None:
    payload = {"attempt_count": 2, "prompt_token_count": 500, "output_token_count": 90, "model_s": 0.36}
    (cost,) = server_costs(home, [left("captions", "movie", 1000, payload)]).values()
    assert (cost.request_count, cost.prompt_token_count, cost.output_token_count) == (2000, 500_000, 90_000)
    assert cost.hours == pytest.approx(0.1)
    assert cost.basis == "by 1 clip answered under the present settings"


def test_where_nothing_is_left_to_ask_nothing_is_said(home: Home) -> None:
    assert server_costs(home, [left("captions", "movie", 0), left("captions", "sticker", None)]) == {}


def test_clips_that_a_labeller_is_measured_on_cost_as_much_as_those_that_it_labels(home: Home) -> None:
    (home.root / "emovid.toml").write_text(SETTINGS.replace("captioner", "labeller"), encoding="utf-8")
    payloads = [{"prompt_token_count": count, "model_s": 0.1} for count in (300, 500)]
    costs = server_costs(
        home, [left("emotion_labeller", None, 400, payloads[0]), left("vlm_labels", "movie", 1000, payloads[1])]
    )
    assert {asset: cost.prompt_token_count for asset, cost in costs.items()} == {
        "emotion_labeller": 400 * 400,
        "vlm_labels": 1000 * 400,
    }
    assert {cost.answered_count for cost in costs.values()} == {2}


def knowing(call: Call) -> Reply:
    """A caption, or a letter: 100 tokens in and 1 out a request."""
    text = "A hare looks at the sky and seems content with all that it sees."
    return completion(text, [("A", dict.fromkeys("ABCDEFGH", 0.125))])


SERVED = """
[labeller]
backend = "endpoint"
model = "tiny"
base_url = "{url}"
frames = 2
frame_side_px = 32
rotations = 1

[captioner]
backend = "endpoint"
model = "tiny"
base_url = "{url}"
frames = 2
frame_side_px = 32
"""
Changed = Callable[[str, str], None]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Changed]:
    """A home of three clips; gives a function that changes a line of its settings."""
    write_video(tmp_path / "clip.mov", [scenery(0, index, 40, 60) for index in range(12)])
    clips = range(3)
    own = [{"clip_id": f"movie-{number:016x}-00000000-00001000", "source_id": "s"} for number in clips]
    length = {"end_s": 1.0, "duration_s": 1.0, "frame_count": 12}
    plant(tmp_path, "source_videos", [valid_row("source_videos", 0, source_id="s")])
    plant(tmp_path, "clips", [valid_row("clips", n, **own[n], **length) for n in clips])
    plant(
        tmp_path,
        "clip_media",
        [valid_row("clip_media", n, clip_id=own[n]["clip_id"], media_path="clip.mov") for n in clips],
    )
    plant(tmp_path, "clip_features", [valid_row("clip_features", n, **own[n]) for n in clips])
    plant(
        tmp_path,
        "colour_attributes",
        [valid_row("colour_attributes", n, clip_id=own[n]["clip_id"]) for n in clips],
    )
    labeller = {"model_id": "tiny", "base_model": "tiny@served", "kind": "zero_shot", "path": None, "temperature": 1.0}
    plant(tmp_path, "emotion_labeller", [valid_row("emotion_labeller", 0, **labeller)], None)
    file = tmp_path / "emovid.toml"
    with ChatServer(knowing).running() as url:
        file.write_text(SERVED.format(url=url), encoding="utf-8")
        yield lambda old, new: file.write_text(file.read_text("utf-8").replace(old, new), encoding="utf-8") and None


def answered(home: Path) -> None:
    """Labels and captions of two of the three clips."""
    project, log = Project(home_folder=str(home)), logging.getLogger("emovid")
    tables = {one.name: project.read(one.name, "movie") for one in fields(ClipTables)}
    some = ClipTables(**tables | {"clip_media": tables["clip_media"].slice(0, 2)})
    labels = models.label(project, "movie", rows_of(project.read("emotion_labeller"))[0], some, log)
    captions = models.caption(project, "movie", some, log)
    answers = dict(labels.by_clip)
    assert len(answers) == len(dict(captions.by_clip)) == 2
    assert next(iter(answers.values())).probabilities.keys() == set(EMOTION_NAMES)


def costs_of(home: Path) -> dict[str, Estimate]:
    amounts = item_counts(Home(home), "movie", set())
    planned = [
        PlannedAsset(asset, "movie", "stale", "", one.items, False, None, one.finished)
        for asset, one in amounts.items()
    ]
    return server_costs(Home(home), planned)


@pytest.mark.parametrize(
    ("asset", "old", "new"),
    [
        ("vlm_labels", "rotations = 1", "rotations = 2"),
        ("vlm_labels", "frames = 2", "frames = 4"),
        ("captions", "frames = 2", "frames = 4"),
        ("captions", "frame_side_px = 32", "frame_side_px = 48"),
    ],
)
def test_what_was_answered_under_other_frames_or_rotations_is_no_basis(
    asset: str, old: str, new: str, tmp_path: Path, served: Changed
) -> None:
    answered(tmp_path)
    before = costs_of(tmp_path)[asset]
    assert (before.request_count, before.prompt_token_count, before.answered_count) == (1, 100, 2)
    assert before.basis == "by 2 clips answered under the present settings"
    served(old, new)
    after = costs_of(tmp_path)[asset]
    assert after.answered_count == 0
    assert after.request_count == (6 if new == "rotations = 2" else 3)
    assert after.prompt_token_count != 300
    assert "tokens a frame" in after.basis
    served(new, old)
    assert costs_of(tmp_path)[asset] == before
