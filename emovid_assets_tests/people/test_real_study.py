"""A user study through a real Label Studio: pairs out, five people's answers and nonsense in, results.

What comes out is compared with a recount of what was sent. Needs Label Studio's program, as `test_real_label_studio`.
"""

import json
import random
from collections import Counter, defaultdict
from math import comb

import pytest

from emovid_assets.core.generation.study_pairs import QUESTIONS
from emovid_assets.home.folders import Home
from emovid_assets.people import server as annotation_server
from emovid_assets.people import study
from emovid_assets.people.annotators import pseudonyms
from emovid_assets.resources.label_studio import RunningServer, signed_in
from emovid_assets_tests.assets.homes import rows
from emovid_assets_tests.generation.studies import ANSWERS, TASKS, home_with_videos, materialise, side_of
from emovid_assets_tests.people.test_real_label_studio import Person, server

__all__ = ["server"]
pytestmark = pytest.mark.integration

BEST_FIRST = ("cobalt", "amber", "birch")
ANN, BOB, CEM, EVE, FAY = (f"{name}@example.org" for name in ("ann", "bob", "cem", "eve", "fay"))
SLOW_S = 9.5


class Judge(Person):
    """Somebody who compares; answers as the screen does."""

    def judge(self, task_id: int, choices: dict[str, str], lead_time_s: float = SLOW_S) -> None:
        result = [
            {"from_name": name, "to_name": "left", "type": "choices", "value": {"choices": [choice]}}
            for name, choice in choices.items()
        ]
        body = {"result": result, "was_cancelled": not choices, "lead_time": lead_time_s}
        self.session.post(f"{self.url}/api/tasks/{task_id}/annotations/", json=body, timeout=30).raise_for_status()


class Round:
    """`given`: by pair, question and address the answer that ought to be in the table, with its exclusion."""

    def __init__(self) -> None:
        self.given: dict[tuple[str, str, str], tuple[str, str | None]] = {}
        self.rejected: Counter[str] = Counter()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    drawn = {"amber": {}, "birch": {"fps": 8, "size": (72, 48)}, "cobalt": {"seconds": 1.5}}
    home = home_with_videos(tmp_path_factory.mktemp("study"), drawn, prompts=10)
    materialise(home, TASKS)
    return home


@pytest.fixture(scope="module")
def answered(home: Home, server: RunningServer) -> Round:
    """Everything pushed, answered, pulled, and built."""
    study.push(home, server)
    (project,) = [one for one in server.projects() if study.is_study(one["description"])]
    shown = {task["data"]["task_id"]: task for task in server.tasks(project["id"])}
    planned = {row["task_id"]: row for row in rows(home.root, "preference_tasks", "movie")}
    chance, done = random.Random(3), Round()
    people = {address: Judge(server, address) for address in (ANN, BOB, CEM, EVE, FAY)}

    def give(address: str, task_id: str, choices: dict[str, str], exclusion: str | None, **took: float) -> None:
        people[address].judge(shown[task_id]["id"], choices, **took)
        for question, choice in choices.items():
            done.given[task_id, question, address] = (choice, exclusion)

    for task_id, row in planned.items():
        if row["expected"] is not None:
            spoiled = "b" if row["expected"] == "a" else "a"
            for address in (ANN, BOB, CEM, FAY):
                right = {"emotion": "tie", "quality": row["expected"], "prompt": row["expected"]}
                give(address, task_id, right, "attention_check")
            # Eve does not look.
            give(EVE, task_id, dict.fromkeys(QUESTIONS, spoiled), "attention_check")
            continue
        better = min((row["generator_a"], row["generator_b"]), key=BEST_FIRST.index)
        best, worse = side_of(row, better), "b" if side_of(row, better) == "a" else "a"
        for address in (ANN, BOB, CEM):
            quality = best if chance.random() < 0.9 else worse
            give(address, task_id, {"emotion": "tie", "quality": quality, "prompt": chance.choice("ab")}, None)
        give(EVE, task_id, {name: chance.choice(("a", "b", "tie")) for name in QUESTIONS}, "failed_checks")
        # Fay looks at checks and says left of everything else.
        give(FAY, task_id, dict.fromkeys(QUESTIONS, "a"), "one_side")

    first, second, third, fourth = [one for one, row in planned.items() if row["expected"] is None][:4]
    # Answered in less time than the videos last: this one takes the place of Ann's first answer.
    give(ANN, first, {"emotion": "a", "quality": "a", "prompt": "a"}, "too_fast", lead_time_s=0.4)
    done.rejected["superseded"] += 3
    people[BOB].judge(shown[second]["id"], {"emotion": "better", "quality": "both", "prompt": "left one"})
    done.rejected["unknown_choice"] += 3
    people[CEM].judge(shown[third]["id"], {})
    done.rejected["cancelled"] += 1
    give(CEM, fourth, {"quality": "tie"}, None)
    done.rejected["superseded"] += 1
    done.rejected["not_answered"] += 2
    data = shown[first]["data"] | {"task_id": "movie-pair-00000000000000aa"}
    server.add_tasks(project["id"], [{"data": data}])
    (stray,) = [one for one in server.tasks(project["id"]) if one["data"]["task_id"] == data["task_id"]]
    people[ANN].judge(stray["id"], dict.fromkeys(QUESTIONS, "a"))
    done.rejected["unknown_task"] += 1

    study.pull(home, server)
    materialise(home, ANSWERS)
    materialise(home, ["preference_results"], None)
    return done


def names_of(home: Home) -> dict[str, str]:
    with pseudonyms(home) as known:
        return {address: known.annotator(address) for address in (ANN, BOB, CEM, EVE, FAY)}


def test_nothing_that_people_get_names_a_generator_or_its_files(
    home: Home, server: RunningServer, answered: Round
) -> None:
    (project,) = [one for one in server.projects() if study.is_study(one["description"])]
    said = json.dumps([project, server.tasks(project["id"])])
    assert all(name not in said for name in BEST_FIRST)
    data = server.tasks(project["id"])[0]["data"]
    person = signed_in(server.url, ANN, "a-long-Password-1")
    files = [person.get(server.url + data[side], timeout=30) for side in ("left", "right")]
    assert [(one.status_code, one.headers["Content-Type"]) for one in files] == [(200, "video/mp4")] * 2
    assert all(name.encode() not in one.content for one in files for name in BEST_FIRST)
    # An account is not enough for the folder in which files have the generator's name.
    named = f"{server.url}/data/local-files/?d=generated/amber/movie/0.mp4"
    assert person.get(named, timeout=30).status_code >= 400


def test_exactly_the_answers_that_were_given_arrive_each_with_the_rule_that_excludes_it(
    home: Home, answered: Round
) -> None:
    names = names_of(home)
    arrived = {
        (row["task_id"], row["question"], row["annotator_id"]): (row["choice"], row["exclusion"])
        for row in rows(home.root, "preferences", "movie")
    }
    expected = {(task, question, names[who]): said for (task, question, who), said in answered.given.items()}
    assert arrived == expected
    reasons = Counter(row["reason"] for row in rows(home.root, "rejected_preferences", "movie"))
    assert reasons == answered.rejected


def test_counts_and_tests_are_those_of_a_recount(home: Home, answered: Round) -> None:
    planned = {row["task_id"]: row for row in rows(home.root, "preference_tasks", "movie")}
    votes: dict[tuple[str, str, str], dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for (task_id, question, _), (choice, exclusion) in answered.given.items():
        if exclusion is None:
            row = planned[task_id]
            first, second = sorted((row["generator_a"], row["generator_b"]))
            said = {"a": row["generator_a"], "b": row["generator_b"], "tie": "tie"}[choice]
            votes[question, first, second][task_id][said] += 1
    found = {
        (row["question"], row["generator_a"], row["generator_b"]): row
        for row in rows(home.root, "preference_results")
        if row["scope"] == "movie"
    }
    assert found.keys() == votes.keys()
    for (question, first, second), by_pair in votes.items():
        row = found[question, first, second]
        total: Counter[str] = sum(by_pair.values(), Counter())
        assert (row["prefers_a_count"], row["prefers_b_count"]) == (total[first], total[second])
        assert (row["tie_count"], row["pair_count"]) == (total["tie"], len(by_pair))
        ahead = sum(one[first] > one[second] for one in by_pair.values())
        behind = sum(one[second] > one[first] for one in by_pair.values())
        n = ahead + behind
        tail = sum(comb(n, k) for k in range(min(ahead, behind) + 1)) / 2**n
        assert row["p"] == (pytest.approx(min(1, 2 * tail)) if n else None)


def test_the_planted_order_of_quality_is_found(home: Home, answered: Round) -> None:
    found = {
        (row["generator_a"], row["generator_b"]): row
        for row in rows(home.root, "preference_results")
        if (row["question"], row["scope"]) == ("quality", "total")
    }
    assert found["amber", "birch"]["strength"] < 0 < found["amber", "cobalt"]["strength"]
    assert found["birch", "cobalt"]["strength_low"] > 0


def test_a_second_push_and_pull_change_nothing_and_annotation_is_left_alone(
    home: Home, server: RunningServer, answered: Round
) -> None:
    before = {path.name: path.read_bytes() for path in home.preferences.iterdir()}
    assert list(before) == ["label-studio-study-movie.json"]
    (pushed,) = study.push(home, server)
    assert (pushed.new_count, pushed.withdrawn_count) == (0, 1)
    (pulled,) = study.pull(home, server)
    assert (pulled.is_changed, pulled.kept_count) == (False, 0)
    assert {path.name: path.read_bytes() for path in home.preferences.iterdir()} == before
    assert annotation_server.pull(home, server) == []
    assert annotation_server.status(home, server) == []


def test_status_tells_how_far_each_person_is(home: Home, server: RunningServer, answered: Round) -> None:
    (progress,) = study.status(home, server)
    tasks = rows(home.root, "preference_tasks", "movie")
    assert progress.answers[names_of(home)[EVE]] == len(tasks)
    assert progress.skipped_count == 1
