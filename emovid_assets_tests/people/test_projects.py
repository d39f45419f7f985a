"""Which tasks go into which project, and that a screen gives nothing away."""

from typing import Any
from xml.etree import ElementTree

import pytest

from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES, NO_SPECIFIC_EMOTION, VERIFY_CHOICES
from emovid_assets.core.label_studio import EXAMPLES, instructions, label_screen, projects, verify_screen


def row(number: int, purpose: str, people: int = 3, intended: str | None = None) -> dict[str, Any]:
    return {
        "clip_id": f"movie-{number:016x}-00000000-00005000",
        "domain": "movie",
        "purpose": purpose,
        "required_annotators": people,
        "intended_emotion": intended,
    }


def planned(rows: list[dict[str, Any]], seed: str = "emovid") -> dict[str, Any]:
    media = {one["clip_id"]: f"clips/movie/{one['clip_id']}.mp4" for one in rows}
    return {project.key: project for project in projects("movie", rows, media, seed=seed)}


def ids(project: Any) -> list[str]:
    return [task["data"]["clip_id"] for task in project.tasks]


def test_each_of_the_three_who_validate_has_a_project_and_an_order_of_their_own() -> None:
    found = planned([row(number, "validate") for number in range(40)])
    assert set(found) == {"movie/validate-1", "movie/validate-2", "movie/validate-3"}
    orders = [ids(project) for project in found.values()]
    assert len({tuple(order) for order in orders}) == 3
    assert len({frozenset(order) for order in orders}) == 1
    assert [project.annotators for project in found.values()] == [1, 1, 1]


def test_the_order_is_shuffled_and_new_clips_do_not_reorder_the_old_ones() -> None:
    before = ids(planned([row(number, "label") for number in range(40)])["movie/label"])
    after = ids(planned([row(number, "label") for number in range(60)])["movie/label"])
    assert before != sorted(before)
    assert [clip_id for clip_id in after if clip_id in set(before)] == before


def test_a_clip_that_three_could_not_agree_on_is_also_asked_of_a_fourth_person() -> None:
    found = planned([row(1, "label", 3), row(2, "label", 4)])
    assert {key: (len(project.tasks), project.annotators) for key, project in found.items()} == {
        "movie/adjudicate": (1, 1),
        "movie/label": (2, 3),
    }
    assert found["movie/adjudicate"].tasks[0] == next(
        task for task in found["movie/label"].tasks if task["data"]["clip_id"] == row(2, "label")["clip_id"]
    )


def test_a_clip_without_a_file_is_not_sent() -> None:
    assert projects("movie", [row(1, "label")], {}, seed="emovid") == []


def test_only_a_verification_names_the_intended_emotion() -> None:
    found = planned(
        [row(1, "label", intended="fear"), row(1, "validate", intended="fear"), row(1, "verify", 1, "fear")]
    )
    for key, project in found.items():
        assert project.tasks[0]["data"].get("intended_emotion") == ("fear" if key == "movie/verify" else None)
        settings = project.settings()
        assert (settings["show_collab_predictions"], settings["show_annotation_history"]) == (False, False)


@pytest.mark.parametrize(
    ("screen", "choices"), [(label_screen(), HUMAN_CHOICES), (verify_screen(), VERIFY_CHOICES)], ids=["label", "verify"]
)
def test_every_choice_has_its_own_digit_and_the_clip_loops_with_sound(screen: str, choices: tuple[str, ...]) -> None:
    tree = ElementTree.fromstring(screen)
    found = [(choice.get("alias"), choice.get("hotkey")) for choice in tree.iter("Choice")]
    assert found == [(name, str(key)) for key, name in enumerate(choices, start=1)]
    (player,) = [node.get("value") or "" for node in tree.iter("HyperText")]
    assert '<video src="$video" controls loop autoplay' in player
    assert "muted" not in player


def test_the_instructions_define_every_choice_and_give_an_example_of_it() -> None:
    assert set(EXAMPLES) == {*EMOTION_NAMES, NO_SPECIFIC_EMOTION}
    for name in HUMAN_CHOICES:
        assert f"<b>{name.replace('_', ' ')}</b>: " in instructions("label")
        assert EXAMPLES[name] in instructions("label")
    assert "intended" not in instructions("validate")
