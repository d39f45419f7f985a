"""The page that people answer without a server, in real browsers: two players in step, answers kept and saved."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.core.generation.preference_answers import accept_preferences
from emovid_assets.core.generation.preference_files import read_preferences
from emovid_assets.core.generation.study_pairs import QUESTIONS
from emovid_assets.people.study_files import export_study
from emovid_assets_tests.assets.homes import rows
from emovid_assets_tests.browser import CHROMIUM, FIREFOX, Served, chromium, firefox, visit
from emovid_assets_tests.generation.studies import TASKS, home_with_videos, materialise

SECONDS = 3.0
DRIVER = """
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const players = () => [...document.querySelectorAll('video')];
const times = () => players().map((one) => one.currentTime);
const paused = () => players().map((one) => one.paused);
(async () => {
  const found = {};
  try {
    for (let i = 0; i < 200 && !players().every((one) => one.readyState >= 3 && !one.paused); i += 1) await wait(50);
    await wait(600);
    found.playing = times();
    players()[1].pause();
    await wait(300);
    found.paused = [times(), paused()];
    players()[1].currentTime = 1.5;
    await wait(500);
    found.sought = times();
    players()[0].currentTime = 0.5;
    await wait(500);
    found.soughtLeft = times();
    players()[0].play();
    await wait(600);
    found.again = [times(), paused()];
    found.locked = document.querySelector('#next').disabled;
    found.text = document.querySelector('#text').textContent;
    found.questions = [...document.querySelectorAll('legend')].map((one) => one.textContent);
    let saved = null;
    HTMLAnchorElement.prototype.click = function () { saved = fetch(this.href).then((one) => one.text()); };
    let count = 0;
    while (document.querySelector('#next')) {
      const choices = ['a', 'tie', 'b'];
      Object.keys(study.questions).forEach((name, at) =>
        document.querySelector(`input[name=${name}][value=${choices[at]}]`).click());
      document.querySelector('#next').click();
      count += 1;
    }
    found.count = count;
    found.kept = Object.keys(JSON.parse(localStorage.getItem(key)).answers).length;
    document.querySelector('#save').click();
    found.saved = await saved;
  } catch (error) { found.error = String(error); }
  await fetch('/', { method: 'POST', body: JSON.stringify(found) });
})();
"""


SKIPPER = """
(async () => {
  const found = { hidden: document.querySelector('#skip').hidden, before: study.pairs.length };
  const wait = () => new Promise((done) => setTimeout(done, 50));
  for (let i = 0; i < 200 && document.querySelector('#skip').hidden; i += 1) await wait();
  found.shown = !document.querySelector('#skip').hidden;
  while (document.querySelector('#skip')) document.querySelector('#skip').click();
  found.open = document.querySelector('#open').textContent;
  await fetch('/', { method: 'POST', body: JSON.stringify(found) });
})();
"""
BROWSERS = [
    pytest.param(chromium, marks=pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")),
    pytest.param(firefox, marks=pytest.mark.skipif(FIREFOX is None, reason="no Firefox")),
]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    root = tmp_path_factory.mktemp("study-page")
    drawn = {"amber": {"seconds": SECONDS}, "birch": {"fps": 8, "seconds": SECONDS}}
    home = home_with_videos(root / "home", drawn, prompts=3)
    (home.root / "emovid.toml").write_text("[generation]\nstudy_checks = 1\n", encoding="utf-8")
    materialise(home, TASKS)
    export_study(home, ["movie"], root / "out", ["ann"])
    return root / "out", rows(home.root, "preference_tasks", "movie")


@pytest.mark.parametrize("command", BROWSERS)
def test_two_players_stay_in_step_and_what_is_answered_is_what_is_read(
    exported: tuple[Path, list[dict[str, Any]]], command: Any
) -> None:
    folder, tasks = exported
    page = (folder / "study-ann.html").read_text(encoding="utf-8")
    files = {f"/videos/{path.name}": Served(path.read_bytes(), "video/mp4") for path in (folder / "videos").iterdir()}
    body = page.replace("</script>", f"\n{DRIVER}</script>").encode()
    found = visit({"/": Served(body), **files}, "answer the study", command).posted
    assert "error" not in found, found

    def apart(times: list[float]) -> float:
        return abs(times[0] - times[1])

    assert min(found["playing"]) > 0.2
    assert apart(found["playing"]) < 0.15
    assert (found["paused"][1], apart(found["paused"][0]) < 0.15) == ([True, True], True)
    assert found["sought"] == pytest.approx([1.5, 1.5], abs=0.01)
    assert found["soughtLeft"] == pytest.approx([0.5, 0.5], abs=0.01)
    assert (found["again"][1], apart(found["again"][0]) < 0.15) == ([False, False], True)
    assert found["locked"] is True
    assert found["text"].startswith("Prompt ")
    assert "{emotion}" not in json.dumps(found["questions"])

    assert (found["count"], found["kept"]) == (len(tasks), len(tasks))
    table = list(csv.DictReader(io.StringIO(found["saved"])))
    assert len(table) == len(tasks)
    answers, refused = read_preferences(found["saved"].encode(), "study-ann-answers.csv")
    accepted, rejected = accept_preferences(answers, domain="movie", tasks=tasks, rejected=refused)
    assert rejected == []
    assert {(row["question"], row["choice"]) for row in accepted} == set(zip(QUESTIONS, ("a", "tie", "b"), strict=True))
    assert {row["annotator_id"] for row in accepted} == {"ann"}
    first = next(row for row in accepted if row["task_id"] == table[0]["task_id"])
    assert 2.0 < first["lead_time_s"] < 60
    assert first["answered_at"] is not None


@pytest.mark.parametrize("command", BROWSERS)
def test_a_pair_that_does_not_play_can_be_skipped_and_is_counted_at_the_end(
    exported: tuple[Path, list[dict[str, Any]]], command: Any
) -> None:
    folder, tasks = exported
    page = (folder / "study-ann.html").read_text(encoding="utf-8")
    # None of its videos is served.
    body = page.replace("</script>", f"\n{SKIPPER}</script>").encode()
    found = visit({"/": Served(body)}, "skip a pair", command).posted
    count = len(tasks)
    assert found == {
        "hidden": True,
        "before": count,
        "shown": True,
        "open": f"Without an answer: {count} of {count} pairs.",
    }
