"""`vlm_labels` and `captions` by a model of one's own and by a server, from settings to tables."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.building.plan import plan
from emovid_assets.building.server_costs import server_costs
from emovid_assets.core.vlm.prompts import CAPTION, FOLDER, read_prompt
from emovid_assets.freshness.amounts import labeller_amount
from emovid_assets.home.folders import Home
from emovid_assets_tests.assets.homes import build, errors_of, report_of, rows
from emovid_assets_tests.resources.chat_server import ChatServer
from emovid_assets_tests.resources.tiny_server import TinyModel
from emovid_assets_tests.vlm.learnable import make_home
from emovid_assets_tests.vlm.teaching import SENTENCE, teach

pytestmark = pytest.mark.integration

LOCAL = """
[captioner]
backend = "transformers"
model = "{model}"
frames = 2
frame_side_px = 32
max_tokens = 48
"""
SERVED = """
[benchmark]
per_cell = 1

[labeller]
backend = "endpoint"
model = "tiny"
revision = "taught"
base_url = "{url}"
frames = 2
frame_side_px = 32
rotations = 2

[captioner]
backend = "endpoint"
model = "tiny"
base_url = "{url}"
frames = 2
frame_side_px = 32
max_tokens = 48
"""


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory, tiny_chat_model: Callable[[str], Path]) -> Path:
    """A model that describes every clip with the same sentence."""
    folder = shutil.copytree(tiny_chat_model("llava_onevision"), tmp_path_factory.mktemp("talking") / "model")
    return teach(folder, read_prompt(FOLDER / CAPTION).filled(max_words=80))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, talking: Path) -> Path:
    return make_home(tmp_path_factory.mktemp("planted") / "home", talking)


@pytest.fixture
def home(tmp_path: Path, base: Path) -> Path:
    return shutil.copytree(base, tmp_path / "home")


@pytest.fixture(scope="module")
def served(talking: Path) -> Iterator[tuple[ChatServer, str]]:
    """A server that asks the model, and the settings that name it."""
    server = ChatServer(TinyModel(talking).answer)
    with server.running() as url:
        yield server, SERVED.format(url=url)


def settled(home: Path, text: str) -> None:
    (home / "emovid.toml").write_text(text, encoding="utf-8")


def built(home: Path, *assets: str) -> list[Any]:
    reports = build(home, domains=["movie"], selection=" or ".join(f"key:{name}" for name in assets))
    assert errors_of(reports) == []
    return [report_of(reports, name, None if name == "emotion_labeller" else "movie") for name in assets]


def test_a_model_of_ones_own_describes_each_clip_once(home: Path, talking: Path) -> None:
    settled(home, LOCAL.format(model=talking))
    (first,) = built(home, "captions")
    assert (first.rows, first.computed, first.quarantined) == (80, 80, 0)
    captions = rows(home, "captions", "movie")
    assert {row["caption"] for row in captions} == {SENTENCE}
    for row in captions:
        assert (row["model_id"], row["attempt_count"], len(row["frame_pts_s"])) == ("model", 1, 2)
        assert 0 < row["output_token_count"] <= 48
        assert row["prompt_sha256"] == read_prompt(FOLDER / CAPTION).sha256
    assert built(home, "captions")[0].computed == 0
    # Fewer words allowed: the same text breaks the rules, is asked for anew and ends in the quarantine.
    settled(home, LOCAL.format(model=talking) + "max_words = 9\ntries = 1\n\n[media]\nmax_quarantined_share = 1.0\n")
    (strict,) = built(home, "captions")
    assert (strict.rows, strict.quarantined) == (0, 80)


def test_frames_may_be_chosen_by_motion_and_the_words_may_hold_the_title(home: Path, talking: Path) -> None:
    settled(home, LOCAL.format(model=talking))
    built(home, "captions")
    even = {row["clip_id"]: row["prompt_token_count"] for row in rows(home, "captions", "movie")}
    settled(home, LOCAL.format(model=talking) + 'context = ["title"]\nframe_choice = "motion"\nmin_words = 1\n')
    (told,) = built(home, "captions")
    assert told.computed + told.quarantined == 80, "another prompt is another question"
    assert all(row["prompt_token_count"] > even[row["clip_id"]] for row in rows(home, "captions", "movie"))


def test_another_subtitle_asks_anew_about_the_clips_in_which_it_is_spoken_alone(home: Path, talking: Path) -> None:
    settled(home, LOCAL.format(model=talking) + 'context = ["transcript"]\nmin_words = 1\n')
    built(home, "captions")
    subtitle = (home / rows(home, "source_videos", "movie")[3]["path"]).with_suffix(".srt")
    subtitle.parent.mkdir(parents=True, exist_ok=True)
    within, behind = "00:00:00,200 --> 00:00:00,800", "00:01:00,000 --> 00:01:01,000"
    for text, asked_anew in (
        (f"1\n{behind}\nLater\n", 0),
        (f"1\n{within}\nTea?\n", 1),
        (f"1\n{within}\nTea?\n\n2\n{behind}\nLater\n", 0),
        (f"1\n{within}\nCoffee?\n", 1),
    ):
        subtitle.write_text(text, encoding="utf-8")
        (told,) = built(home, "captions")
        assert told.computed + told.quarantined == asked_anew, text
    subtitle.unlink()
    (told,) = built(home, "captions")
    assert told.computed == 1


def test_a_server_labels_and_describes_and_each_answer_is_kept(home: Path, served: tuple[ChatServer, str]) -> None:
    server, settings = served
    settled(home, settings)
    _, labels, captions = built(home, "emotion_labeller", "vlm_labels", "captions")
    (row,) = rows(home, "emotion_labeller")
    assert (row["kind"], row["model_id"], row["revision"], row["path"]) == ("zero_shot", "tiny", "taught", None)
    assert row["held_out_clip_count"] > 0
    assert (labels.rows, labels.computed, captions.rows) == (80, 80, 80)
    for row in rows(home, "vlm_labels", "movie"):
        assert sum(row[name] for name in row if name.startswith("p_")) == pytest.approx(1)
        assert row["confidence"] == max(row[name] for name in row if name.startswith("p_"))
        assert 0.05 <= row["mass"] <= 1
    assert {row["caption"] for row in rows(home, "captions", "movie")} == {SENTENCE}
    asked = len(server.calls)
    assert [report.computed for report in built(home, "vlm_labels", "captions")] == [0, 0]
    assert len(server.calls) == asked, "what was answered is not asked again"


def test_the_clips_that_a_labeller_is_measured_on_are_in_the_plan_with_their_cost(
    home: Path, served: tuple[ChatServer, str]
) -> None:
    settled(home, served[1])
    planned = plan(Home(home), ["movie"], "key:emotion_labeller")
    (before,) = planned
    assert (before.domain, before.is_estimate) == (None, True)
    cost = server_costs(Home(home), planned)["emotion_labeller"]
    assert cost.request_count == 2 * (before.items or 0), "two rotations"
    (report,) = built(home, "emotion_labeller")
    assert report.computed == before.items
    after = labeller_amount(Home(home), is_open=False)
    assert after is not None
    assert (after.items, len(after.finished)) == (0, before.items)


def test_a_labeller_that_was_made_of_another_model_is_refused_with_what_to_build(
    home: Path, served: tuple[ChatServer, str]
) -> None:
    settled(home, served[1])
    built(home, "emotion_labeller")
    settled(home, served[1].replace('"taught"', '"newer"'))
    (failure,) = errors_of(build(home, domains=["movie"], selection="key:vlm_labels"))
    assert "was made from tiny@taught, but labeller.model is now tiny@newer" in failure
    assert "emovid build --select key:emotion_labeller" in failure
