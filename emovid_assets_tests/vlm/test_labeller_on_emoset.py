"""`emovid labeller compare` on a drawn EmoSet: a tiny model of the real class, the forest, people, faults, a kill."""

import base64
import io
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn import metrics
from typer.testing import Result

from emovid_assets.building.emoset import Asked, Found, compare
from emovid_assets.core import embedded_labeller
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.home.folders import Home
from emovid_assets.resources import models
from emovid_assets.resources.workplace import PlainWorkplace
from emovid_assets_tests.building.drawn_emoset import add_entries, add_picture, draw_emoset
from emovid_assets_tests.cli.conftest import call  # noqa: F401
from emovid_assets_tests.core.evidence import labelled, random_clip
from emovid_assets_tests.planted_tables import plant, valid_row
from emovid_assets_tests.resources.chat_server import Call, ChatServer, Reply, completion
from emovid_assets_tests.vlm.conftest import one_thread
from emovid_assets_tests.vlm.learnable import colour_of

pytestmark = pytest.mark.integration

SETTINGS = """\
[media]
workers = 1

[labeller]
backend = "transformers"
model = "{model}"
prompt = "prompt.txt"
frame_side_px = 32
batch_clips = 4
device = "cpu"

[fine_tuning]
min_clips = 16
rank = 4
max_epochs = 1
learning_rate = 5e-3
train_projector = true
micro_batch_clips = 4
"""
TESTED = 16
Row = dict[str, Any]


@pytest.fixture(autouse=True)
def small_forest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_labeller, "TREE_COUNT", 40)


@pytest.fixture(scope="module")
def emoset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_emoset(tmp_path_factory.mktemp("drawn") / "EmoSet-118K", {"train": 4, "val": 1, "test": 2})


@pytest.fixture
def home(tmp_path: Path, tiny_chat_model: Callable[[str], Path]) -> Path:
    """A home with a model and the embedded labeller of some clips."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "prompt.txt").write_text("Which emotion?", encoding="utf-8")
    model = tiny_chat_model("llava_onevision")
    (home / "emovid.toml").write_text(SETTINGS.format(model=model), encoding="utf-8")
    random = np.random.default_rng(0)
    clips = [labelled(random_clip(random, f"movie-{n:04d}"), EMOTION_NAMES[n % 8]) for n in range(32)]
    trained = models.train_labeller(PlainWorkplace(str(home)), clips, minimum=16)
    in_use(home, "embedded", embedded_labeller.MODEL_ID, trained.revision, "none", trained.folder)
    return home


def in_use(home: Path, kind: str, model_id: str, revision: str, base: str, folder: Path) -> None:
    """Makes this the labeller of the home."""
    facts = {"kind": kind, "model_id": model_id, "revision": revision, "base_model": base, "temperature": 1.5}
    row = valid_row("emotion_labeller", 0, **facts, path=f"models/{folder.name}", training_config="{}")
    plant(home, "emotion_labeller", [row], None)


def compared(home: Path, folder: Path, **options: Any) -> Found:
    with one_thread():
        return compare(Home(home), Asked(folder, **{"train_limit": 0, **options}), lambda sentence: None)


def rows(path: Path) -> list[Row]:
    found: list[Row] = pq.read_table(path).to_pylist()
    return found


def without_costs(answers: list[Row]) -> list[Row]:
    kept = [{name: value for name, value in row.items() if name != "seconds"} for row in answers]
    return sorted(kept, key=lambda row: (row["rater_id"], row["picture_id"]))


def test_a_person_types_one_line_and_gets_a_table_a_page_and_files(
    call: Callable[..., Result],  # noqa: F811
    home: Path,
    emoset: Path,
    tmp_path: Path,
) -> None:
    done = call("labeller", "compare", "--emoset", str(emoset), "--train", "32", home=home)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert f"{TESTED} pictures listed, {TESTED} sampled, {TESTED} readable and of one label, {TESTED} compared" in lines
    assert "printed: Stimuli-aware" in done.stdout
    assert f"{TESTED} answers asked for" in done.stdout
    folder = home / "emoset" / "test"
    answers, comparison = rows(folder / "answers.parquet"), rows(folder / "comparison.parquet")
    assert [row["rater_id"] for row in comparison] == ["embedded, EmoSet", "embedded, our clips", "zero-shot"]
    assert [row["training_picture_count"] for row in comparison] == [32, 0, 0]
    confusion = rows(folder / "confusion.parquet")
    for row in comparison:
        own = [one for one in answers if one["rater_id"] == row["rater_id"]]
        truth, label = [one["emotion"] for one in own], [one["label"] for one in own]
        assert row["accuracy_8"] == pytest.approx(metrics.accuracy_score(truth, label))
        table = metrics.confusion_matrix(truth, label, labels=EMOTION_NAMES)
        counts = {
            (one["emotion"], one["label"]): one["picture_count"]
            for one in confusion
            if one["rater_id"] == row["rater_id"]
        }
        assert counts == {
            (EMOTION_NAMES[first], EMOTION_NAMES[second]): table[first, second]
            for first, second in np.argwhere(table).tolist()
        }
        assert row["seconds_per_picture"] > 0
    # Each emotion has a colour of its own, which a forest sees at once.
    assert comparison[0]["accuracy_8"] > 0.8
    results = json.loads((folder / "results.json").read_text())
    assert (results["dataset"], results["device"], results["published"]["accuracy_8"]) == ("EmoSet-118K", "CPU", 0.784)
    assert results["pictures_by_emotion"] == dict.fromkeys(sorted(EMOTION_NAMES), 2)
    page = (folder / "README.md").read_text()
    assert "EmoSet's people did not choose among eight emotions" in page
    places = [str(tmp_path), str(emoset.parent)]
    for path in folder.iterdir():
        assert not any(place.encode() in path.read_bytes() for place in places), f"{path.name} names this machine"


def test_the_table_fits_on_eighty_columns(home: Path, emoset: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "emovid_assets.cli",
        "labeller",
        "compare",
        "--emoset",
        str(emoset),
        "--limit",
        "8",
    ]
    # Without torch this starts in a moment.
    (home / "emovid.toml").write_text("[media]\nworkers = 1\n")
    done = subprocess.run(
        [*command, "--train", "0", "--out", str(home / "results")],
        capture_output=True,
        text=True,
        env={"EMOVID_HOME": str(home), "COLUMNS": "80", "PATH": ""},
        check=True,
    )
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 80, done.stdout
    assert "embedded, our clips" in done.stdout
    assert 'No vision-language model: labeller.backend = "embedded" in emovid.toml.' in done.stdout
    assert (home / "results" / "comparison.parquet").is_file()


def test_what_was_asked_once_is_not_asked_again_and_samples_share_it(home: Path, emoset: Path) -> None:
    some = compared(home, emoset, limit=8)
    everything = compared(home, emoset)
    assert (some.asked_count, everything.asked_count) == (8, TESTED - 8)
    again = compared(home, emoset, limit=8)
    assert again.asked_count == 0
    assert without_costs(again.answers) == without_costs(some.answers)
    (home / "prompt.txt").write_text("And which one now?", encoding="utf-8")
    assert compared(home, emoset, limit=8).asked_count == 8, "another prompt is another question"
    (home / "prompt.txt").write_text("Which emotion?", encoding="utf-8")
    assert compared(home, emoset).asked_count == 0, "whoever comes back finds the answers"


def test_a_run_that_is_killed_goes_on_and_ends_as_one_that_was_not(home: Path, emoset: Path, tmp_path: Path) -> None:
    other = shutil.copytree(home, tmp_path / "other")
    command = [sys.executable, "-m", "emovid_assets_tests.vlm.run_comparison", str(home), str(emoset), "6"]
    killed = subprocess.run(command, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed, undisturbed = compared(home, emoset), compared(other, emoset)
    assert (resumed.asked_count, undisturbed.asked_count) == (TESTED - 8, TESTED), "two batches of four were kept"
    for one, expected in zip(without_costs(resumed.answers), without_costs(undisturbed.answers), strict=True):
        assert {k: v for k, v in one.items() if not k.startswith("p_")} == {
            k: v for k, v in expected.items() if not k.startswith("p_")
        }
        for name in EMOTION_NAMES:
            assert one[f"p_{name}"] == pytest.approx(expected[f"p_{name}"], abs=1e-6)


def test_faults_are_named_one_by_one_and_stop_nothing(
    call: Callable[..., Result],  # noqa: F811
    home: Path,
    emoset: Path,
    tmp_path: Path,
) -> None:
    folder = shutil.copytree(emoset, tmp_path / "set")
    grey, cut = Image.new("L", (40, 30), 200), add_picture(folder, "awe", "awe_cut", Image.effect_noise((64, 64), 90))
    data = (folder / cut[2]).read_bytes()
    (folder / cut[2]).write_bytes(data[: len(data) // 2])
    wrong = add_picture(folder, "fear", "fear_wrong", grey)
    (folder / wrong[3]).write_text('{"emotion": "awe"}')
    good = add_picture(folder, "anger", "anger_cmyk", Image.new("CMYK", (40, 30), (9, 99, 99, 9)))
    add_entries(
        folder, "test", cut, wrong, good, good, 7, ["awe", "gone", "image/awe/gone.jpg", "annotation/awe/gone.json"]
    )
    again = json.loads((folder / "test.json").read_text())[0]
    add_entries(folder, "train", again)
    done = call("labeller", "compare", "--emoset", str(folder), "--train", "100", home=home)
    assert done.exit_code == 0, done.output
    assert f"{TESTED + 6} pictures listed, {TESTED + 3} sampled, {TESTED + 1} readable" in done.stdout
    found = {(row["code"], row["path"]): row["is_left_out"] for row in rows(home / "emoset/test/faults.parquet")}
    assert found == {
        ("truncated", cut[2]): True,
        ("labels_differ", wrong[2]): True,
        ("listed_twice", good[2]): False,
        ("bad_entry", "test.json entry 21"): True,
        ("picture_missing", "image/awe/gone.jpg"): True,
        ("in_two_splits", again[2]): True,
    }
    assert "truncated 1, first: image/awe/awe_cut.jpg: The picture cannot be read" in " ".join(done.stdout.split())
    assert "anger_cmyk" in {row["picture_id"] for row in rows(home / "emoset/test/answers.parquet")}


def test_people_are_held_against_the_labels_beside_the_models(
    call: Callable[..., Result],  # noqa: F811
    home: Path,
    emoset: Path,
    tmp_path: Path,
) -> None:
    (home / "emovid.toml").write_text("[media]\nworkers = 1\n")
    sheet = tmp_path / "people.csv"
    lines = ["clip_id,annotator_id,label", "awe_00043,Ann <ANN@example.org>,awe", "awe_00043,zero-shot,awe"]
    lines += ["fear_00047,ann@example.org,no_specific_emotion", "awe_1,ann,awe", "fear_00047,people,joy"]
    sheet.write_text("\n".join(lines))
    options = ("--emoset", str(emoset), "--train", "0", "--answers", str(sheet))
    done = call("labeller", "compare", *options, home=home)
    assert done.exit_code == 0, done.output
    theirs = {
        row["rater_id"]: (row["picture_count"], row["right_8_count"], row["right_2_count"])
        for row in rows(home / "emoset/test/comparison.parquet")
        if row["scope"] == "people" and row["rater_kind"] != "embedded"
    }
    (ann,) = theirs.keys() - {"zero-shot", "people"}
    assert ann.startswith("annotator-")
    assert theirs == {ann: (2, 1, 1), "zero-shot": (1, 1, 1), "people": (1, 1, 1)}
    assert "people.csv: 3 answers count, 2 do not; the first: row" in " ".join(done.stdout.split())
    gone = call("labeller", "compare", "--emoset", str(emoset), "--answers", "gone.csv", home=home)
    assert (gone.exit_code, gone.stderr) == (1, "error no such file: gone.csv\n")


def test_people_label_pictures_whose_names_say_nothing(
    call: Callable[..., Result],  # noqa: F811
    home: Path,
    emoset: Path,
    tmp_path: Path,
) -> None:
    (home / "emovid.toml").write_text("[media]\nworkers = 1\n")
    options = ("--emoset", str(emoset), "--train", "0", "--limit", "8")
    done = call("labeller", "compare", *options, "--sheet", str(tmp_path / "people"), home=home)
    assert f"For people to fill in: {tmp_path}/people/to_label.csv" in done.stdout
    text = (tmp_path / "people" / "to_label.csv").read_text()
    header, *lines = text.splitlines()
    assert header == "clip_id,purpose,annotator_id,label,annotated_at,tool,lead_time_s,media_path"
    assert len(lines) == 8
    assert not any(emotion in text for emotion in EMOTION_NAMES)
    filled = [header]
    for line in lines:
        clip_id, *_, path = line.split(",")
        mean = np.asarray(Image.open(tmp_path / "people" / path)).reshape(-1, 3).mean(axis=0)
        seen = min(EMOTION_NAMES, key=lambda name: float(np.abs(colour_of(name) - mean).sum()))
        filled.append(f"{clip_id},validate,ann,{seen},,,,{path}")
    sheet = tmp_path / "people" / "to_label.csv"
    sheet.write_text("\n".join(filled))
    again = ("--answers", str(sheet), "--sheet", str(sheet.parent))
    done = call("labeller", "compare", *options, *again, home=home)
    assert f"For people to fill in: {tmp_path}/people/to_label-1.csv" in done.stdout
    assert sheet.read_text() == "\n".join(filled)
    [ann] = [row for row in rows(home / "emoset/test/comparison.parquet") if row["rater_id"] == "ann"]
    assert (ann["picture_count"], ann["right_8_count"]) == (8, 8)


def test_the_model_learns_from_the_train_split_and_an_adapter_of_our_clips_is_asked_too(
    home: Path, emoset: Path
) -> None:
    taught = compared(home, emoset, train_limit=32, fine_tune=True)
    names = [rater.rater_id for rater in taught.raters]
    assert names == ["embedded, our clips", "embedded, EmoSet", "zero-shot", "fine-tuned, EmoSet"]
    tuned = taught.raters[-1]
    assert (tuned.kind, tuned.model_id.endswith("+lora") if tuned.model_id else None) == ("fine_tuned", True)
    assert 16 <= tuned.training_picture_count < 32, "some are held out"
    assert taught.asked_count == 2 * TESTED
    # The same adapter as the labeller of the clips: what it has said is known.
    [adapter] = (home / "emoset" / "models").glob("labeller-*")
    shutil.copytree(adapter, home / "models" / adapter.name)
    base = f"{taught.raters[2].model_id}@{taught.raters[2].revision}"
    in_use(home, "fine_tuned", f"{taught.raters[2].model_id}+lora", str(tuned.revision), base, adapter)
    both = compared(home, emoset)
    assert both.asked_count == 0
    assert [rater.rater_id for rater in both.raters] == ["zero-shot", "fine-tuned, our clips"]
    assert [rater.temperature for rater in both.raters] == [
        json.loads((adapter / "training.json").read_text())["zero_shot_temperature"],
        1.5,
    ]
    assert "No embedded labeller of our clips: build emotion_labeller first." in both.notes


SERVED = """
[media]
workers = 1

[labeller]
backend = "endpoint"
model = "painter"
base_url = "{url}"
rotations = 1
"""


def by_colour(asked: Call) -> Reply:
    """The letter of the emotion whose colour the picture has."""
    [url] = asked.frames
    data = base64.b64decode(url.partition(",")[2])
    mean = np.asarray(Image.open(io.BytesIO(data))).reshape(-1, 3).mean(axis=0)
    nearest = min(EMOTION_NAMES, key=lambda name: float(np.abs(colour_of(name) - mean).sum()))
    [letter] = re.findall(rf"^([A-H])\. {nearest}$", asked.text, re.MULTILINE)
    return completion(letter, [(letter, {one: 0.93 if one == letter else 0.01 for one in "ABCDEFGH"})])


def test_a_server_is_shown_the_pictures_themselves(home: Path, emoset: Path) -> None:
    server = ChatServer(by_colour)
    with server.running() as url:
        (home / "emovid.toml").write_text(SERVED.format(url=url))
        found = compared(home, emoset)
    served = [row for row in found.answers if row["rater_id"] == "zero-shot"]
    assert [row["label"] for row in served] == [row["emotion"] for row in served]
    assert (len(served), found.asked_count, found.device) == (TESTED, TESTED, "endpoint")
    assert served[0][f"p_{served[0]['emotion']}"] == pytest.approx(0.93)
    assert {row["prompt_token_count"] for row in served} == {100}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda home, folder: (folder / "val.json").unlink(), "is not EmoSet as it is published: it has no val.json"),
        (lambda home, folder: (home / "emovid.toml").write_text("[labeler]"), "labeler: there is no such setting"),
        (lambda home, folder: (home / "prompt.txt").unlink(), "cannot be read as UTF-8 text"),
    ],
)
def test_what_stops_a_comparison_is_one_sentence(
    call: Callable[..., Result],  # noqa: F811
    home: Path,
    emoset: Path,
    tmp_path: Path,
    spoil: Callable[[Path, Path], Any],
    said: str,
) -> None:
    folder = shutil.copytree(emoset, tmp_path / "set")
    spoil(home, folder)
    done = call("labeller", "compare", "--emoset", str(folder), "--train", "0", home=home)
    assert done.exit_code == 1
    assert done.stderr.startswith("error ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_that_is_not_there_is_said_before_anything_is_made(
    call: Callable[..., Result],  # noqa: F811
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    done = call("labeller", "compare", "--emoset", str(tmp_path / "none"), home=home)
    assert (done.exit_code, done.stderr) == (1, f"error no such folder: {tmp_path / 'none'}\n")
    assert not home.exists()
