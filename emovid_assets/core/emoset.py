"""EmoSet as it is published (Yang et al. 2023): which pictures a split lists, their emotions, and what is wrong.

Belongs here: the layout of the folder, the sample that is drawn of it, the numbers that EmoSet prints. Does not belong
here: what is in a picture, and who labels it.

    info.json                           names and numbers of the labels
    train.json, val.json, test.json     lists of [emotion, id, picture, annotation]; paths relative to the folder
    image/<emotion>/<id>.jpg            annotation/<emotion>/<id>.json

Nothing that is wrong with one picture stops the others: it becomes a `Fault`. Emotions are read by their words. A
number is looked up in `info.json`, never in an order of ours, and what says two emotions of one picture is no truth.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.file_names import Names
from emovid_assets.core.identity import keyed_rank

SPLITS = ("train", "val", "test")
INFO = "info.json"
PICTURES = "image"
ENTRY_LENGTH = 4
_SHOWN_LENGTH = 80

PUBLISHED: dict[str, Any] = {"method": "Stimuli-aware", "accuracy_8": 0.7840, "accuracy_2": 0.9458}
"""The best numbers that the paper prints for its test split (arXiv 2307.07961)."""

FAULTS: dict[str, str] = {
    "bad_entry": "The entry is not [emotion, id, picture, annotation].",
    "unknown_label": "The emotion is none of the eight, and no number of info.json.",
    "labels_differ": "The split, the folder or the annotation name different emotions: there is no truth.",
    "path_outside": "The path leads out of the folder.",
    "picture_missing": "There is no such picture.",
    "listed_twice": "The split lists the picture more than once: it counts once.",
    "in_two_splits": "The picture is in the split that is tested too: nothing learns from it.",
    "same_bytes": "The file is the same as one that is tested: nothing learns from it.",
    "twin": "The file is the same as that of another picture of the split. Both count.",
    "annotation_missing": "There is no such annotation. The picture counts by the label of its split.",
    "annotation_unreadable": "The annotation is no JSON object. The picture counts by the label of its split.",
    "ids_differ": "The annotation is of another picture by its id. The picture counts by the label of its split.",
}
"""What can be wrong, by code; those of `core.video.errors` say what is wrong with a picture."""
_KEPT = frozenset({"annotation_missing", "annotation_unreadable", "ids_differ", "listed_twice", "twin"})


class NotEmoSetError(ValueError):
    """The folder is not EmoSet; the message says what is missing."""


@dataclass(frozen=True)
class Fault:
    """`path` is relative to the folder, with the number of the entry (from 1) where a split file is at fault."""

    split: str
    path: str
    code: str
    message: str

    @property
    def is_left_out(self) -> bool:
        """Whether the picture does not count for that reason."""
        return self.code not in _KEPT

    @classmethod
    def of(cls, split: str, path: str, code: str, seen: str = "") -> "Fault":
        return cls(split, path, code, f"{seen}. {FAULTS[code]}" if seen else FAULTS[code])


@dataclass(frozen=True)
class Picture:
    """`path` and `annotation` are relative to the folder, as they are on the disk; an annotation may be absent."""

    picture_id: str
    split: str
    emotion: str
    path: str
    annotation: str | None


@dataclass
class Listing:
    """What a split file holds: `entry_count` entries, of which `pictures` can be looked at."""

    entry_count: int = 0
    pictures: list[Picture] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class EmoSet:
    """An EmoSet folder. Raises NotEmoSetError for any other one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _require_layout(folder)
        self._labels = _labels(folder / INFO)
        self._names: dict[str, Names] = {}

    def listing(self, split: str) -> Listing:
        """The pictures of a split in its order. Raises NotEmoSetError where the file of the split is no list."""
        name = f"{split}.json"
        entries = _json(self.folder / name)
        if not isinstance(entries, list):
            raise NotEmoSetError(f"{self.folder / name}: not a list of pictures, as EmoSet's is")
        found = Listing(len(entries))
        seen: dict[str, Picture] = {}
        differing: set[str] = set()
        for number, entry in enumerate(entries, start=1):
            place = f"{name} entry {number}"
            picture = self._picture(split, place, entry)
            if isinstance(picture, Fault):
                found.faults.append(picture)
                continue
            before = seen.get(picture.picture_id) or seen.get(picture.path)
            if before is None:
                seen[picture.picture_id] = seen[picture.path] = picture
                found.pictures.append(picture)
            elif before.emotion == picture.emotion:
                found.faults.append(Fault.of(split, picture.path, "listed_twice", f"{place} is {before.picture_id}"))
            else:
                differing.add(before.picture_id)
                words = f"{place} says {picture.emotion}, another entry says {before.emotion}"
                found.faults.append(Fault.of(split, picture.path, "labels_differ", words))
        found.pictures = [picture for picture in found.pictures if picture.picture_id not in differing]
        return found

    def annotation_fault(self, picture: Picture) -> Fault | None:
        """What the picture's annotation has against it."""
        if picture.annotation is None:
            return Fault.of(picture.split, picture.path, "annotation_missing")
        try:
            written = _json(self.folder / picture.annotation)
        except NotEmoSetError:
            written = None
        if not isinstance(written, dict):
            return Fault.of(picture.split, picture.annotation, "annotation_unreadable")
        if "emotion" in written and self._label(written["emotion"]) != picture.emotion:
            words = f"{picture.annotation} says {_shown(written['emotion'])}, {picture.split}.json {picture.emotion}"
            return Fault.of(picture.split, picture.path, "labels_differ", words)
        if "image_id" in written and str(written["image_id"]) != picture.picture_id:
            return Fault.of(picture.split, picture.annotation, "ids_differ", f"It says {_shown(written['image_id'])}")
        return None

    def _picture(self, split: str, place: str, entry: Any) -> Picture | Fault:
        is_whole = isinstance(entry, list) and len(entry) == ENTRY_LENGTH
        if not is_whole or not all(isinstance(part, str) and _is_name(part) for part in entry[1:]):
            return Fault.of(split, place, "bad_entry", f"It is {_shown(entry)}")
        written, picture_id, path, annotation = entry
        emotion = self._label(written)
        if emotion is None:
            return Fault.of(split, place, "unknown_label", f"It is {_shown(written)}")
        inside, beside = _inside(path), _inside(annotation)
        if inside is None:
            return Fault.of(split, place, "path_outside", f"It is {_shown(path)}")
        of_folder = inside.parent.name.lower()
        if of_folder in EMOTION_NAMES and of_folder != emotion:
            words = f"{place} says {emotion}, the folder {of_folder}"
            return Fault.of(split, inside.as_posix(), "labels_differ", words)
        there = self._on_disk(inside)
        if there is None:
            return Fault.of(split, inside.as_posix(), "picture_missing", place)
        return Picture(picture_id.strip(), split, emotion, there, self._on_disk(beside) if beside else None)

    def _label(self, written: Any) -> str | None:
        """One of the eight, by its word or by its number in info.json."""
        if isinstance(written, bool):
            return None
        return self._labels.get(str(written).strip().lower())

    def _on_disk(self, path: PurePosixPath) -> str | None:
        """The file as the disk spells it; null where there is none."""
        folder = ""
        for part in path.parts:
            found = self._names_in(folder).find(part)
            if found is None:
                return None
            folder = f"{folder}/{found[1]}" if folder else found[1]
        return folder

    def _names_in(self, folder: str) -> Names:
        if folder not in self._names:
            place = self.folder / folder
            self._names[folder] = Names(one.name for one in place.iterdir()) if place.is_dir() else Names(())
        return self._names[folder]


def sampled(pictures: Sequence[Picture], limit: int | None, seed: str) -> list[Picture]:
    """At most `limit` pictures by keyed rank, each emotion in proportion to what there is of it; by id.

    A larger sample holds the smaller one, and pictures that are added move few others: what was asked once stays
    asked.
    """
    if limit is None or limit >= len(pictures):
        return sorted(pictures, key=lambda picture: picture.picture_id)
    by_emotion: dict[str, list[Picture]] = defaultdict(list)
    for picture in pictures:
        by_emotion[picture.emotion].append(picture)
    places: list[tuple[float, int, str, Picture]] = []
    for members in by_emotion.values():
        ranked = sorted((keyed_rank(one.picture_id, f"{seed}/emoset"), one.picture_id, one) for one in members)
        places += [((place + 0.5) / len(ranked), rank, name, one) for place, (rank, name, one) in enumerate(ranked)]
    chosen = sorted(places, key=lambda place: place[:3])[:limit]
    return sorted((picture for *_, picture in chosen), key=lambda picture: picture.picture_id)


def blind_id(picture_id: str, seed: str) -> str:
    """A name that people see instead of the id, which holds the emotion: 16 hex digits."""
    return f"{keyed_rank(picture_id, f'{seed}/blind'):016x}"


def apart(
    pictures: Iterable[Picture], tested: Sequence[Picture], sha256: Mapping[str, str]
) -> tuple[list[Picture], list[Fault]]:
    """The pictures that may be learnt from where others are tested, and why the rest may not.

    `sha256` is that of files by path, as far as they could be read.
    """
    ids, paths = {one.picture_id for one in tested}, {one.path for one in tested}
    bytes_of = {sha256[one.path]: one.picture_id for one in tested if one.path in sha256}
    kept: list[Picture] = []
    faults: list[Fault] = []
    for picture in pictures:
        twin = bytes_of.get(sha256.get(picture.path, ""))
        if picture.picture_id in ids or picture.path in paths:
            faults.append(Fault.of(picture.split, picture.path, "in_two_splits"))
        elif twin is not None:
            faults.append(Fault.of(picture.split, picture.path, "same_bytes", f"It is that of {twin}"))
        else:
            kept.append(picture)
    return kept, faults


def twins(pictures: Iterable[Picture], sha256: Mapping[str, str]) -> list[Fault]:
    """Pictures whose file is that of another one before them."""
    first: dict[str, Picture] = {}
    faults = []
    for picture in pictures:
        before = first.setdefault(sha256.get(picture.path, picture.path), picture)
        if before is not picture:
            words = f"It is that of {before.picture_id} ({before.emotion}), this is {picture.emotion}"
            faults.append(Fault.of(picture.split, picture.path, "twin", words))
    return faults


def _require_layout(folder: Path) -> None:
    if not folder.is_dir():
        raise NotEmoSetError(f"{folder}: no such folder; give the folder of EmoSet, unpacked")
    missing = _missing(folder)
    if not missing:
        return
    below = next((one for one in sorted(folder.iterdir()) if one.is_dir() and not _missing(one)), None)
    advice = f"give {below}" if below else f"give the folder that holds {INFO}, the three lists and {PICTURES}/"
    raise NotEmoSetError(f"{folder} is not EmoSet as it is published: it has no {', '.join(missing)}; {advice}")


def _missing(folder: Path) -> list[str]:
    files = [name for name in (INFO, *(f"{split}.json" for split in SPLITS)) if not (folder / name).is_file()]
    return files + ([] if (folder / PICTURES).is_dir() else [f"{PICTURES}/"])


def _labels(path: Path) -> dict[str, str]:
    """The eight emotions by their words and by their numbers in `info.json`."""
    info = _json(path)
    emotion = info.get("emotion") if isinstance(info, dict) else None
    numbers = emotion.get("label2idx") if isinstance(emotion, dict) else None
    if not isinstance(numbers, dict):
        raise NotEmoSetError(f"{path}: it does not say emotion.label2idx, as EmoSet's does")
    words = {str(word).strip().lower(): number for word, number in numbers.items()}
    if set(words) != set(EMOTION_NAMES):
        raise NotEmoSetError(
            f"{path}: its emotions are {', '.join(sorted(words)) or 'none'}, not the eight of EmoSet "
            f"({', '.join(EMOTION_NAMES)})"
        )
    by_number = {str(number): word for word, number in words.items()}
    if len(by_number) != len(words):
        # Two words of one number: then numbers say nothing, and words still do.
        by_number = {}
    return by_number | {word: word for word in words}


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise NotEmoSetError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise NotEmoSetError(f"{path}: not readable as JSON: {error}") from error


def _inside(written: str) -> PurePosixPath | None:
    """The path with forward slashes; null where it leads out of the folder."""
    windows = PureWindowsPath(written.strip())
    path = PurePosixPath(windows.as_posix())
    if windows.drive or path.is_absolute() or ".." in path.parts or not path.parts:
        return None
    return path


def _is_name(text: str) -> bool:
    """Whether a text can stand in a table: JSON may hold halves of characters."""
    return bool(text.strip()) and text.isprintable()


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN_LENGTH else text[:_SHOWN_LENGTH] + "…"
