"""The whole way through a real Label Studio: tasks out, three people's answers and nonsense in, labels and kappas.

What comes out is compared with a recount of what was sent, scikit-learn and statsmodels. Needs Label Studio's program
(`make label-studio`, or EMOVID_LABEL_STUDIO); real files where the corpus is there, drawn ones elsewhere.
"""

import os
import random
import shutil
import socket
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from emovid_assets.core.agreement import human_agreement
from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets.home.folders import Home
from emovid_assets.people import server as annotation_server
from emovid_assets.people.annotators import pseudonyms
from emovid_assets.resources.label_studio import PROGRAM_VARIABLE, RunningServer, folder, running_server, signed_in
from emovid_assets_tests.assets.homes import ROOT, all_rows, build, draw_gif, errors_of, rows
from emovid_assets_tests.conftest import CORPUS
from emovid_assets_tests.once import made_once
from emovid_assets_tests.people.fake_server import pulled_files

pytestmark = pytest.mark.integration

IN_CHECKOUT = ROOT / ".venv-label-studio" / "bin" / "label-studio"
PEOPLE = ("ann@example.org", "bob@example.org", "cem@example.org")
UNKNOWN = "animation-00000000000000aa-00000000-00001000"
ANIMATIONS = ("penny_and_chip_basketball.mp4", "penny_and_chip_halloween.mp4", "penny_and_chip_splash.mp4")
STICKERS = (
    "amusement__rofl.gif",
    "anger__rage.gif",
    "awe__rainbow.gif",
    "disgust__sick.gif",
    "fear__ghost.gif",
    "sadness__broken-heart.gif",
)
SETTINGS = """\
[annotation]
human_fraction = 1.0
validation_minimum = 6
"""


def add_files(library: Path) -> None:
    """Real animations and stickers where the corpus is there, and drawn ones."""
    for index in range(5):
        draw_gif(library / "animation" / f"drawn-{index}.gif", (40 * index, 200 - 30 * index, 90))
    for emotion in EMOTION_NAMES[:4]:
        draw_gif(library / "sticker" / emotion / "drawn.gif", (30, 60, 20 * len(emotion)))
    if CORPUS.is_dir():
        for name in ANIMATIONS:
            shutil.copyfile(CORPUS / "animation" / name, library / "animation" / name)
        for name in STICKERS:
            folder = library / "sticker" / name.split("__")[0]
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CORPUS / "sticker" / name, folder / name)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("label-studio"))
    (home.root / "emovid.toml").write_text(SETTINGS, encoding="utf-8")
    add_files(home.library)
    reports = build(home.root, domains=["animation", "sticker"], selection="+key:annotation_tasks or +key:clip_media")
    assert errors_of(reports) == []
    return home


@pytest.fixture(scope="module")
def server(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """That of a home; its database was made once for all tests, which takes a minute."""
    program = os.environ.get(PROGRAM_VARIABLE) or str(IN_CHECKOUT)
    if not Path(program).is_file():
        pytest.skip("Label Studio is not installed: make label-studio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PROGRAM_VARIABLE, program)
        begun = made_once(tmp_path_factory, "label-studio", begin)
        shutil.copytree(folder(Home(begun)), folder(home))
        with running_server(home, free_port()) as server:
            yield server


def begin(home: Path) -> None:
    """Starts a new Label Studio, which makes its database and our account, and ends it."""
    home.mkdir(parents=True)
    with running_server(Home(home), free_port()):
        pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Person:
    """Somebody with an own account, made through the invitation; answers as the screen does."""

    def __init__(self, server: RunningServer, email: str) -> None:
        self.email = email
        self.url = server.url
        token = server.invite_link().split("token=")[1]
        self.session = signed_in(server.url, email, "a-long-Password-1", invitation=token)

    def answer(self, task_id: int, label: str | None) -> None:
        """Submits a choice; None skips the clip."""
        control = "verification" if label in ("accept", "reject") else "emotion"
        result = [{"from_name": control, "to_name": "video", "type": "choices", "value": {"choices": [label]}}]
        body = {"result": result if label else [], "was_cancelled": label is None, "lead_time": 2.5}
        self.session.post(f"{self.url}/api/tasks/{task_id}/annotations/", json=body, timeout=30).raise_for_status()

    def take_back(self, annotation_id: int) -> None:
        self.session.delete(f"{self.url}/api/annotations/{annotation_id}/", timeout=30).raise_for_status()


class Round:
    """What the three did: the answers that ought to count, and how often each kind of nonsense was sent."""

    def __init__(self) -> None:
        self.counting: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        self.rejected: Counter[str] = Counter()


@pytest.fixture(scope="module")
def answered(home: Home, server: RunningServer) -> Round:
    """Everything pushed, answered, and pulled."""
    annotation_server.push(home, server)
    people = [Person(server, email) for email in PEOPLE]
    chance, done = random.Random(7), Round()
    truth = {row["clip_id"]: chance.choice(HUMAN_CHOICES) for row in all_rows(home.root, "clips")}

    def give(person: Person, task: dict[str, Any], label: str) -> None:
        person.answer(task["id"], label)
        done.counting[task["data"]["clip_id"], task["data"]["purpose"]][person.email] = label

    def choose(asked: dict[str, str]) -> str:
        if asked["purpose"] == "verify":
            return chance.choice(["accept", "accept", "reject"])
        return truth[asked["clip_id"]] if chance.random() < 0.7 else chance.choice(HUMAN_CHOICES)

    projects = {project["description"]: project["id"] for project in server.projects()}
    for key, project_id in projects.items():
        who = [people[int(key[-1]) - 1]] if "validate" in key else people[:1] if key.endswith("verify") else people
        for task in server.tasks(project_id):
            for person in who:
                give(person, task, choose(task["data"]))

    ann, bob, cem = people
    emails = {email: number for number, email in server.emails().items()}
    first, second, third, *_ = server.tasks(projects["animation/label"])
    ann.answer(first["id"], "joy")
    done.rejected["unknown_label"] += 1
    give(bob, second, "awe")
    give(bob, second, "fear")
    done.rejected["superseded"] += 2
    cem.answer(third["id"], None)
    done.rejected["cancelled"] += 1
    server.add_tasks(projects["animation/label"], [{"data": {"video": "x", "clip_id": UNKNOWN, "purpose": "label"}}])
    (stray,) = [task for task in server.tasks(projects["animation/label"]) if task["data"]["clip_id"] == UNKNOWN]
    ann.answer(stray["id"], "awe")
    done.rejected["unknown_clip"] += 1
    # One clip keeps two answers only: the third one is taken back on the server before anything is pulled.
    cem.take_back(next(one["id"] for one in first["annotations"] if one["completed_by"] == emails[cem.email]))
    del done.counting[first["data"]["clip_id"], "label"][cem.email]
    done.rejected["too_few_annotators"] += 2
    annotation_server.pull(home, server)
    selection = (
        "key:human_annotations or key:rejected_annotations or key:human_labels or key:validation_ratings "
        "or key:kappa_validation or key:clip_features or key:colour_attributes or key:vlm_labels"
    )
    assert errors_of(build(home.root, domains=["animation", "sticker"], selection=selection)) == []
    return done


def test_the_clip_is_served_in_ranges_to_people_with_an_account_and_nothing_else_is(
    home: Home, server: RunningServer, answered: Round
) -> None:
    project = next(one for one in server.projects() if one["description"] == "animation/label")
    address = server.url + server.tasks(project["id"])[0]["data"]["video"]
    person = signed_in(server.url, PEOPLE[0], "a-long-Password-1")
    part = person.get(address, headers={"Range": "bytes=4-7"}, timeout=30)
    assert (part.status_code, part.content, part.headers["Content-Type"]) == (206, b"ftyp", "video/mp4")
    assert requests.get(address, timeout=30, allow_redirects=False).status_code != 200
    for path in ("../label-studio/credentials.json", "../emovid.toml", "thumbnails/x.jpg"):
        found = person.get(f"{server.url}/data/local-files/?d={path}", timeout=30)
        assert found.status_code >= 400
    # An account must not be enough to open another folder to oneself.
    storage = {"project": project["id"], "title": "x", "path": str(home.root / "label-studio"), "use_blob_urls": True}
    assert person.post(f"{server.url}/api/storages/localfiles/", json=storage, timeout=30).status_code == 400


def test_nobody_gets_an_account_without_the_invitation_and_reports_are_off(server: RunningServer) -> None:
    page = requests.get(f"{server.url}/user/signup/", timeout=30)
    form = {"email": "eve@example.org", "password": "a-long-Password-1", "allow_newsletters": "false"}
    form["csrfmiddlewaretoken"] = page.cookies.get("csrftoken", "")
    requests.post(
        f"{server.url}/user/signup/", data=form, cookies=page.cookies, headers={"Referer": server.url}, timeout=30
    )
    assert "eve@example.org" not in server.emails().values()
    start = requests.get(f"{server.url}/user/login/", timeout=30).text
    assert "sentry.io" not in start


def pseudonyms_of(home: Home) -> dict[str, str]:
    with pseudonyms(home) as known:
        return {address: known.annotator(address) for address in PEOPLE}


def test_exactly_the_answers_that_count_arrive(home: Home, answered: Round) -> None:
    arrived = {
        (row["clip_id"], row["purpose"], row["annotator_id"]): row["label"]
        for row in all_rows(home.root, "human_annotations")
    }
    names = pseudonyms_of(home)
    assert arrived == {
        (*key, names[email]): label
        for key, by_person in answered.counting.items()
        for email, label in by_person.items()
    }
    reasons = Counter(row["reason"] for row in all_rows(home.root, "rejected_annotations"))
    assert reasons == answered.rejected


def test_labels_and_outcomes_are_those_of_a_recount(home: Home, answered: Round) -> None:
    intended = {row["clip_id"]: row["intended_emotion"] for row in all_rows(home.root, "annotation_tasks")}
    expected: dict[str, tuple[str | None, str]] = {}
    for (clip_id, purpose), by_person in answered.counting.items():
        labels = list(by_person.values())
        if purpose == "verify":
            is_accepted = labels == ["accept"]
            expected[clip_id] = (intended[clip_id], "agreed") if is_accepted else (None, "rejected")
        elif purpose == "label" and len(labels) == 3:
            label, count = Counter(labels).most_common(1)[0]
            if count == 1:
                expected[clip_id] = (None, "no_majority")
            elif label == "no_specific_emotion":
                expected[clip_id] = (None, label)
            else:
                expected[clip_id] = (label, "agreed")
    found = {row["clip_id"]: (row["emotion"], row["outcome"]) for row in all_rows(home.root, "human_labels")}
    assert found == expected
    # Two people are too few for a label.
    assert sum(len(people) == 2 for people in answered.counting.values()) == 1


@pytest.mark.parametrize("domain", ["animation", "sticker"])
def test_kappas_are_those_of_scikit_learn_and_statsmodels(home: Home, answered: Round, domain: str) -> None:
    given = {
        clip_id: by_person
        for (clip_id, purpose), by_person in answered.counting.items()
        if purpose == "validate" and clip_id.startswith(domain)
    }
    assert all(len(by_person) == 3 for by_person in given.values())
    assert len(given) >= 4
    found = {(row["rater_a"], row["rater_b"]): row for row in rows(home.root, "kappa_validation", domain)}
    addresses = {name: address for address, name in pseudonyms_of(home).items()}
    assert set(found) == set(combinations(sorted(addresses), 2))
    for pair, row in found.items():
        a, b = ([by_person[addresses[who]] for by_person in given.values()] for who in pair)
        assert row["kappa"] == pytest.approx(cohen_kappa_score(a, b, labels=list(HUMAN_CHOICES)))
        assert row["clip_count"] == len(given)
        assert row["observed_agreement"] == pytest.approx(np.mean([x == y for x, y in zip(a, b, strict=True)]))
    codes = [[HUMAN_CHOICES.index(by_person[who]) for who in PEOPLE] for by_person in given.values()]
    table, _ = aggregate_raters(np.array(codes), n_cat=len(HUMAN_CHOICES))
    ours = human_agreement(rows(home.root, "validation_ratings", domain))
    assert ours.fleiss_kappa == pytest.approx(fleiss_kappa(table))


def test_a_second_push_and_pull_change_nothing(home: Home, server: RunningServer, answered: Round) -> None:
    before = pulled_files(home)
    assert [project.new_count for project in annotation_server.push(home, server)] == [0] * 8
    assert [project.is_changed for project in annotation_server.pull(home, server)] == [False] * 8
    assert pulled_files(home) == before


def test_status_tells_how_far_each_person_is(home: Home, server: RunningServer, answered: Round) -> None:
    bob = pseudonyms_of(home)["bob@example.org"]
    progress = {one.title: one for one in annotation_server.status(home, server)}
    alone = progress["EmoVid animation validate 2"]
    assert alone.finished_count == alone.task_count == alone.answers[bob]
    assert set(alone.answers) == {bob}
    shared = progress["EmoVid animation label"]
    assert shared.finished_count == shared.task_count - 2  # the stray clip and the one with two answers
    assert shared.skipped_count == 1
