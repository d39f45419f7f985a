"""EmoSet's layout: what its lists say, what is wrong with them, and which pictures are drawn."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emovid_assets.core.emoset import EmoSet, Fault, Listing, NotEmoSetError, Picture, apart, sampled, twins
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets_tests.building.drawn_emoset import LABEL2IDX, add_entries, add_picture, draw_emoset, write


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_emoset(tmp_path_factory.mktemp("drawn") / "EmoSet-118K", {"train": 1, "val": 1, "test": 1})


@pytest.fixture
def folder(tmp_path: Path, drawn: Path) -> Path:
    return shutil.copytree(drawn, tmp_path / "EmoSet-118K")


def listing(folder: Path) -> Listing:
    return EmoSet(folder).listing("test")


def the_fault(folder: Path, *entries: Any) -> Fault:
    """What is said of the last of these entries; nothing else may be wrong."""
    add_entries(folder, "test", *entries)
    found = listing(folder)
    assert found.entry_count == 8 + len(entries)
    [fault] = found.faults
    return fault


def test_a_split_gives_its_pictures_with_their_emotions(folder: Path) -> None:
    found = listing(folder)
    assert (found.entry_count, found.faults) == (8, [])
    assert found.pictures[0] == Picture(
        "amusement_00017",
        "test",
        "amusement",
        "image/amusement/amusement_00017.jpg",
        "annotation/amusement/amusement_00017.json",
    )
    assert sorted(one.emotion for one in found.pictures) == sorted(EMOTION_NAMES)
    assert all(EmoSet(folder).annotation_fault(one) is None for one in found.pictures)


def test_a_number_is_looked_up_in_info_json_whatever_its_order(folder: Path) -> None:
    """Alphabetical numbers, as other loaders have them: 1 is anger there and awe in our order."""
    numbers = {word: number for number, word in enumerate(sorted(LABEL2IDX))}
    write(folder / "info.json", {"emotion": {"label2idx": numbers}})
    entry = add_picture(folder, "anger", "anger_9", Image.new("RGB", (8, 8)))
    add_entries(folder, "test", [1, *entry[1:]])
    assert listing(folder).pictures[-1].emotion == "anger"
    write(folder / "info.json", {"emotion": {"label2idx": LABEL2IDX}})
    [fault] = listing(folder).faults
    assert (fault.code, "says awe, the folder anger" in fault.message) == ("labels_differ", True)


def test_words_count_without_regard_to_case(folder: Path) -> None:
    entry = add_picture(folder, "awe", "awe_9", Image.new("RGB", (8, 8)))
    add_entries(folder, "test", [" Awe ", *entry[1:]])
    assert listing(folder).pictures[-1].emotion == "awe"


@pytest.mark.parametrize(
    ("code", "entry"),
    [
        ("bad_entry", "image/awe/a.jpg"),
        ("bad_entry", ["awe", "image/awe/a.jpg", "annotation/awe/a.json"]),
        ("bad_entry", ["awe", "a", None, "annotation/awe/a.json"]),
        ("bad_entry", ["awe", "", "image/awe/a.jpg", "annotation/awe/a.json"]),
        ("bad_entry", ["awe", "\ud800", "image/awe/a.jpg", "annotation/awe/a.json"]),
        ("bad_entry", {"emotion": "awe"}),
        ("unknown_label", ["joy", "a", "image/awe/a.jpg", "annotation/awe/a.json"]),
        ("unknown_label", [True, "a", "image/awe/a.jpg", "annotation/awe/a.json"]),
        ("unknown_label", [8, "a", "image/awe/a.jpg", "annotation/awe/a.json"]),
        ("path_outside", ["awe", "a", "../a.jpg", "annotation/awe/a.json"]),
        ("path_outside", ["awe", "a", "/image/awe/a.jpg", "annotation/awe/a.json"]),
        ("path_outside", ["awe", "a", "F:\\EmoSet\\image\\awe\\a.jpg", "annotation/awe/a.json"]),
        ("picture_missing", ["awe", "a", "image/awe/a.jpg", "annotation/awe/a.json"]),
    ],
)
def test_an_entry_that_cannot_be_used_is_named_and_the_others_stay(folder: Path, code: str, entry: Any) -> None:
    fault = the_fault(folder, entry)
    assert (fault.code, fault.is_left_out) == (code, True)
    assert "test.json entry 9" in fault.path + fault.message
    json.dumps(vars(fault)).encode()
    assert len(listing(folder).pictures) == 8


def test_paths_of_windows_and_names_in_another_case_are_found(folder: Path) -> None:
    _, name, path, annotation = add_picture(folder, "fear", "fear_9", Image.new("RGB", (8, 8)))
    (folder / path).rename(folder / "image/fear/fear_9.JPG")
    add_entries(folder, "test", ["fear", name, path.replace("/", "\\"), annotation.replace("/", "\\")])
    found = listing(folder)
    assert found.faults == []
    assert (found.pictures[-1].path, found.pictures[-1].annotation) == ("image/fear/fear_9.JPG", annotation)


def test_a_picture_that_is_listed_twice_counts_once(folder: Path) -> None:
    entry = add_picture(folder, "awe", "awe_9", Image.new("RGB", (8, 8)))
    fault = the_fault(folder, entry, entry)
    assert (fault.code, fault.is_left_out, fault.path) == ("listed_twice", False, entry[2])
    assert [one.picture_id for one in listing(folder).pictures].count("awe_9") == 1


def test_one_id_of_two_emotions_has_no_truth(folder: Path) -> None:
    entry = add_picture(folder, "awe", "awe_9", Image.new("RGB", (8, 8)))
    other = add_picture(folder, "fear", "awe_9", Image.new("RGB", (8, 8)))
    fault = the_fault(folder, entry, other)
    assert (fault.code, fault.is_left_out) == ("labels_differ", True)
    assert "entry 10 says fear, another entry says awe" in fault.message
    assert "awe_9" not in [one.picture_id for one in listing(folder).pictures]


@pytest.mark.parametrize(
    ("code", "is_left_out", "written"),
    [
        ("annotation_missing", False, None),
        ("annotation_unreadable", False, "{"),
        ("annotation_unreadable", False, "[1]"),
        ("annotation_unreadable", False, "[" * 100_000),
        ("labels_differ", True, '{"emotion": "fear"}'),
        ("labels_differ", True, '{"emotion": ["awe"]}'),
        ("ids_differ", False, '{"emotion": "awe", "image_id": "awe_1"}'),
        (None, False, '\ufeff{"emotion": 1, "image_id": "awe_9", "objects!": {"NaN": NaN}}'),
        (None, False, '{"brightness": 0.3}'),
    ],
)
def test_an_annotation_has_its_say(folder: Path, code: str | None, is_left_out: bool, written: str | None) -> None:
    entry = add_picture(folder, "awe", "awe_9", Image.new("RGB", (8, 8)))
    if written is None:
        (folder / entry[3]).unlink()
    else:
        (folder / entry[3]).write_text(written, encoding="utf-8")
    add_entries(folder, "test", entry)
    dataset = EmoSet(folder)
    fault = dataset.annotation_fault(dataset.listing("test").pictures[-1])
    assert (fault and fault.code, bool(fault and fault.is_left_out)) == (code, is_left_out)


def test_a_folder_that_is_not_emoset_says_what_is_missing_and_where_it_may_be(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        NotEmoSetError, match=r"no info.json, train.json, val.json, test.json, image/; give .*EmoSet-118K$"
    ):
        EmoSet(tmp_path)
    (folder / "val.json").unlink()
    with pytest.raises(NotEmoSetError, match=r"it has no val.json; give the folder that holds info.json"):
        EmoSet(folder)
    with pytest.raises(NotEmoSetError, match="no such folder"):
        EmoSet(tmp_path / "EmoSet-118K.zip")


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ("{", "not readable as JSON"),
        ("[]", "does not say emotion.label2idx"),
        ('{"emotion": {"label2idx": {"joy": 0}}}', "its emotions are joy, not the eight"),
    ],
)
def test_an_info_json_of_something_else_is_refused(folder: Path, info: str, words: str) -> None:
    (folder / "info.json").write_text(info, encoding="utf-8")
    with pytest.raises(NotEmoSetError, match=words):
        EmoSet(folder)


def test_a_list_that_is_none_is_refused(folder: Path) -> None:
    write(folder / "test.json", {"awe": []})
    with pytest.raises(NotEmoSetError, match=r"test.json: not a list of pictures"):
        listing(folder)


def picture(number: int, emotion: str = "awe", split: str = "test") -> Picture:
    return Picture(f"p{number}", split, emotion, f"image/{number}.jpg", None)


@given(st.lists(st.sampled_from(EMOTION_NAMES), min_size=1, max_size=60), st.integers(1, 70), st.integers(0, 9))
def test_a_sample_has_each_emotion_in_proportion_and_holds_every_smaller_one(
    emotions: list[str], limit: int, seed: int
) -> None:
    pictures = [picture(number, emotion) for number, emotion in enumerate(emotions)]
    chosen = sampled(pictures, limit, str(seed))
    assert len(chosen) == min(limit, len(pictures))
    assert {one.picture_id for one in sampled(pictures, max(1, limit // 2), str(seed))} <= {
        one.picture_id for one in chosen
    }
    assert chosen == sampled(pictures[::-1], limit, str(seed))
    there, taken = Counter(emotions), Counter(one.emotion for one in chosen)
    for emotion, count in there.items():
        assert abs(taken[emotion] - count * len(chosen) / len(pictures)) <= len(there) / 2 + 1


def test_nothing_learns_from_what_is_tested() -> None:
    tested = [picture(1), picture(2)]
    learnable = [picture(1, split="train"), picture(3, split="train"), picture(4, split="train")]
    kept, faults = apart(learnable, tested, {"image/2.jpg": "same", "image/3.jpg": "same", "image/4.jpg": "other"})
    assert [one.picture_id for one in kept] == ["p4"]
    assert [(fault.path, fault.code) for fault in faults] == [
        ("image/1.jpg", "in_two_splits"),
        ("image/3.jpg", "same_bytes"),
    ]


def test_pictures_of_one_file_are_named_with_both_emotions() -> None:
    pictures = [picture(1), picture(2, "fear"), picture(3)]
    [fault] = twins(pictures, {"image/1.jpg": "same", "image/2.jpg": "same", "image/3.jpg": "other"})
    assert (fault.path, fault.is_left_out) == ("image/2.jpg", False)
    assert fault.message.startswith("It is that of p1 (awe), this is fear.")
