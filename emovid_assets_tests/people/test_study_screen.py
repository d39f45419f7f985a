"""The screen of a study in a real Label Studio and a real browser: two players in step, three answers to each question.

Needs Label Studio's program, as `test_real_label_studio`, and Chromium.
"""

import os
import time
from pathlib import Path

import pytest

from emovid_assets.home.folders import Home
from emovid_assets.people import study
from emovid_assets.resources.label_studio import RunningServer
from emovid_assets_tests.assets.homes import rows
from emovid_assets_tests.browser import CHROMIUM
from emovid_assets_tests.driven_browser import Page, driven
from emovid_assets_tests.generation.studies import ANSWERS, TASKS, home_with_videos, materialise
from emovid_assets_tests.people.test_real_label_studio import Person, server

__all__ = ["server"]
pytestmark = [pytest.mark.integration, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")]

PICTURES = "EMOVID_SCREENS"
"""Names a folder in which whoever wants to look finds what the browser showed."""
PLAYERS = "[...document.querySelectorAll('video')]"
BUTTONS = "[...document.querySelectorAll('[data-testid^=\"playback-button\"]')]"
TIMELINES = "[...document.querySelectorAll('.lsf-seeker')]"
SECONDS = 4.0
APART_S = 0.08


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    drawn = {"amber": {"seconds": SECONDS}, "birch": {"fps": 8, "seconds": SECONDS, "size": (72, 48)}}
    home = home_with_videos(tmp_path_factory.mktemp("screen"), drawn, prompts=2)
    (home.root / "emovid.toml").write_text("[generation]\nstudy_checks = 1\n", encoding="utf-8")
    materialise(home, TASKS)
    return home


def look(page: Page, name: str) -> None:
    if folder := os.environ.get(PICTURES):
        page.picture(Path(folder) / f"{name}.png")


def times(page: Page) -> list[float]:
    found: list[float] = page.ask(f"{PLAYERS}.map((one) => one.currentTime)")
    return found


def are_paused(page: Page) -> list[bool]:
    found: list[bool] = page.ask(f"{PLAYERS}.map((one) => one.paused)")
    return found


def apart(page: Page) -> float:
    left, right = times(page)
    return abs(left - right)


def shown(page: Page) -> list[float]:
    """How uneven what each player shows is: 0 where it is empty."""
    script = """[...document.querySelectorAll('canvas')].map((one) => {
        const pixels = one.getContext('2d').getImageData(0, one.height / 2, one.width, 1).data;
        const opaque = [...Array(one.width).keys()].filter((x) => pixels[4 * x + 3] > 0).map((x) => pixels[4 * x]);
        return opaque.length ? Math.max(...opaque) - Math.min(...opaque) : 0;
    })"""
    found: list[float] = page.ask(script)
    return found


def test_players_are_in_step_and_all_three_answers_can_be_given_by_keys(home: Home, server: RunningServer) -> None:
    (pushed,) = study.push(home, server)
    assert pushed.new_count == 3
    person = Person(server, "ann@example.org")
    (project,) = [one for one in server.projects() if study.is_study(one["description"])]
    cookies = {cookie.name: cookie.value or "" for cookie in person.session.cookies}
    with driven(f"{server.url}/projects/{project['id']}/data?labeling=1", cookies) as page:
        page.wait_for("document.body?.innerText.includes('Watch both to the end')")
        look(page, "instructions")
        page.press("Escape", "Escape", 27)
        page.wait_for(f"{PLAYERS}.length === 2 && {PLAYERS}.every((one) => one.readyState === 4)")
        time.sleep(1.5)
        said = page.ask("document.body.innerText")
        assert "Prompt " in said
        assert "amber" not in said
        assert "birch" not in said
        assert page.ask("getComputedStyle(document.querySelector('.lsf-frames-control')).visibility") == "hidden"
        look(page, "pair")

        page.click(f"{BUTTONS}[0]")
        page.wait_for(f"{PLAYERS}.every((one) => one.currentTime > 0.5)")
        assert apart(page) < APART_S
        assert min(shown(page)) > 50
        look(page, "playing")
        page.click(f"{BUTTONS}[1]")
        page.wait_for(f"{PLAYERS}.every((one) => one.paused)")
        time.sleep(0.3)
        assert apart(page) < 0.01

        for place in (0, 1):
            before = times(page)
            page.click(f"{TIMELINES}[{place}]")
            time.sleep(0.8)
            assert times(page) != before or abs(before[0] - SECONDS / 2) < 0.1
            assert times(page) == pytest.approx([SECONDS / 2] * 2, abs=0.15)
            assert apart(page) < 0.01
            # Elsewhere again, for the second one.
            page.click(f"{BUTTONS}[{place}]")
            time.sleep(0.6)
            page.click(f"{BUTTONS}[{place}]")
            page.wait_for(f"{PLAYERS}.every((one) => one.paused)")
            time.sleep(0.3)
            assert apart(page) < 0.01

        # Emotion left, quality no difference, text right; nothing is sent before all three are answered.
        for key in "15":
            page.press(key, f"Digit{key}", ord(key))
        page.press("Enter", "Enter", 13)
        page.wait_for("document.body?.innerText.includes('Answer all three questions')")
        look(page, "required")
        page.ask("[...document.querySelectorAll('button')].find((one) => one.innerText === 'OK')?.click()")
        page.press("9", "Digit9", ord("9"))
        time.sleep(0.5)
        look(page, "answered")
        page.press("Enter", "Enter", 13)
        deadline = time.monotonic() + 30
        while not any(task["annotations"] for task in server.tasks(project["id"])) and time.monotonic() < deadline:
            time.sleep(0.5)
    study.pull(home, server)
    materialise(home, ANSWERS)
    given = {row["question"]: row["choice"] for row in rows(home.root, "preferences", "movie")}
    assert given == {"emotion": "a", "quality": "tie", "prompt": "b"}
