"""What Label Studio is given: the labelling screen and the tasks.

Belongs here: the shapes that Label Studio's import understands. Does not belong here: talking to a server.

A task shows the clip and nothing else: no prediction, nobody's answer, and, except for verification, not the
emotion under which a sticker was collected.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from emovid_assets.core.emotions import EMOTIONS, NO_SPECIFIC_EMOTION

LOCAL_FILES = "/data/local-files/?d="
"""Label Studio serves files below its document root under this address."""


def label_screen() -> str:
    """XML of the screen for purposes `label`, `validate` and `review`: one key per emotion."""
    choices = [(emotion.name, f"{emotion.name}: {emotion.definition}") for emotion in EMOTIONS]
    choices.append((NO_SPECIFIC_EMOTION, "no specific emotion"))
    return _screen("Which emotion does this clip convey most?", "emotion", choices)


def verify_screen() -> str:
    """XML of the screen for purpose `verify`: does the sticker convey what it was collected for?"""
    choices = [("accept", "yes, it does"), ("reject", "no, it does not")]
    return _screen("Does this sticker convey $intended_emotion?", "verification", choices)


def _screen(question: str, name: str, choices: Iterable[tuple[str, str]]) -> str:
    lines = [
        f'    <Choice value={quoteattr(value)} alias={quoteattr(value)} hotkey="{key}" html={quoteattr(text)}/>'
        for key, (value, text) in enumerate(choices, start=1)
    ]
    # `alias` is what the export holds, whatever the screen shows.
    return "\n".join(
        [
            "<View>",
            f"  <Header value={quoteattr(question)}/>",
            '  <Video name="video" value="$video"/>',
            f'  <Choices name="{name}" toName="video" choice="single-radio" required="true">',
            *lines,
            "  </Choices>",
            "</View>",
            "",
        ]
    )


def task(row: Mapping[str, Any], media_path: str) -> dict[str, Any]:
    """One task for Label Studio's JSON import. `media_path` is relative to the served folder."""
    data = {"video": f"{LOCAL_FILES}{media_path}", "clip_id": row["clip_id"], "purpose": row["purpose"]}
    if row["purpose"] == "verify":
        data["intended_emotion"] = row["intended_emotion"]
    return {"data": data}
