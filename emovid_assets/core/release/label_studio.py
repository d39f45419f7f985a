"""A release as tasks of Label Studio: to look at its labels there, and to correct them.

Belongs here: the tasks with the labels as predictions. Does not belong here: the screens and what annotators are asked
(`core.label_studio`), whose screen for emotions these tasks fit.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from emovid_assets.core.label_studio import label_screen, task

SCREEN: Final = "label_studio/screen.xml"
"""The labelling interface that the tasks fit, for the settings of a project."""

_SHOWN: Final = ("split", "domain", "title", "caption", "emotion", "label_source", "label_confidence")


def screen() -> bytes:
    return label_screen().encode()


def tasks_document(rows: Iterable[Mapping[str, Any]], version: str) -> Iterator[bytes]:
    """`label_studio/tasks.json` in parts: a task a clip that has a file. Addresses are those of local files with the
    release as the document root."""
    yield b"[\n"
    separator = b""
    for row in rows:
        if row["file_name"] is not None:
            yield separator + json.dumps(_task(row, version), ensure_ascii=False, allow_nan=False).encode()
            separator = b",\n"
    yield b"\n]\n"


def _task(row: Mapping[str, Any], version: str) -> dict[str, Any]:
    # As a review: an answer to it that somebody brings back into a home is one.
    shown = task({"clip_id": row["clip_id"], "purpose": "review"}, f"{row['split']}/{row['file_name']}")
    shown["data"] |= {name: row[name] for name in _SHOWN}
    choice = {"from_name": "emotion", "to_name": "video", "type": "choices", "value": {"choices": [row["emotion"]]}}
    prediction: dict[str, Any] = {"model_version": f"EmoVid {version}, {row['label_source']}", "result": [choice]}
    if row["label_confidence"] is not None:
        prediction["score"] = row["label_confidence"]
    return {**shown, "predictions": [prediction]}
