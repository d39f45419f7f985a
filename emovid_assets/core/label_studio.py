"""What Label Studio is given: the screens, the instructions, and which tasks go into which project.

Belongs here: the shapes that Label Studio's import and project settings understand. Does not belong here: talking to
a server.

A task shows the clip and nothing else: no prediction, nobody's answer, and, except for verification, not the
emotion under which a sticker was collected. Label Studio's own Video tag neither loops nor starts by itself
(1.23.2), so the clip is an HTML video inside its HyperText tag; that tag drops scripts and event handlers only.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from xml.sax.saxutils import quoteattr

from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES, NO_SPECIFIC_EMOTION
from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.voting import REQUIRED_ANSWERS

LOCAL_FILES = "/data/local-files/?d="
"""Label Studio serves files below its document root under this address."""

SUBMIT_KEY, SKIP_KEY = "enter", "s"
"""Keys of the screens beside the digits; the server is started with them."""

EXAMPLES: dict[str, str] = {
    "amusement": "a cat misjudges its jump and pretends nothing happened",
    "awe": "the camera rises over mountains under a sky full of stars",
    "contentment": "someone dozes in the sun with a dog at their feet",
    "excitement": "the crowd leaps up as the ball goes in",
    "anger": "someone shouts, red in the face, and slams the door",
    "disgust": "a lunch box is opened and what is in it moves",
    "fear": "footsteps come closer in a dark corridor",
    "sadness": "a hand is held for the last time in a hospital bed",
    NO_SPECIFIC_EMOTION: "a train passes; titles on black; feelings too mixed to name one",
}
"""What each choice looks like in a clip, one sentence each."""

_VERIFY_CHOICES = {
    "accept": ("yes", "it conveys that emotion to me"),
    "reject": ("no", "it conveys another emotion, or none"),
}

# The clip fills what the answers leave. The panel of regions has no use here, and the hints of keys would stand twice.
_STYLE = """
.lsf-sidepanels__wrapper_align_right, .lsf-sidepanels__wrapper_align_left { display: none; }
.lsf-sidepanels { padding: 0 !important; }
.lsf-sidepanels__content { width: 100% !important; max-width: none !important; }
.emovid { display: flex; gap: 20px; align-items: stretch; }
.emovid-clip { flex: 1 1 auto; min-width: 0; }
.emovid-answers { flex: 0 0 400px; }
.emovid-clip video { display: block; width: 100%; height: calc(100vh - 250px); min-height: 300px; background: #111;
  border-radius: 10px; object-fit: contain; }
.emovid-answers .ant-radio-wrapper { display: flex; align-items: center; width: 100%; margin: 0 0 5px;
  padding: 6px 10px;
  border: 1px solid rgba(128, 128, 128, .35); border-radius: 8px; white-space: normal; }
.emovid-answers .ant-radio-wrapper:hover { border-color: #7a6ff0; }
.emovid-answers .ant-radio-wrapper-checked { border-color: #7a6ff0; background: rgba(122, 111, 240, .16); }
.emovid-answers .ant-radio { position: absolute; opacity: 0; }
.emovid-answers .ant-radio + span { padding: 0; width: 100%; }
.emovid-answers [class*="hint"] { display: none; }
.emovid-answer { display: grid; grid-template-columns: 34px 1fr; align-items: center; line-height: 1.25; }
.emovid-answer kbd, .emovid-keys kbd { display: inline-block; min-width: 22px; padding: 1px 6px; text-align: center;
  font: 600 13px monospace; color: #222; background: #fff; border: 1px solid #999; border-bottom-width: 3px;
  border-radius: 5px; }
.emovid-answer kbd { grid-row: 1 / span 3; justify-self: start; }
.emovid-answer b { text-transform: capitalize; }
.emovid-answer small { grid-column: 2; opacity: .8; }
.emovid-answer small + small { font-style: italic; opacity: .6; }
@media (max-height: 860px) { .emovid-answer small + small { display: none; } }
.emovid-keys { margin-top: 12px; font-size: 13px; opacity: .85; }
"""


@dataclass(frozen=True)
class Project:
    """One project on the server and the tasks that belong into it, in the order in which they are put there.

    `key` names the project for good, whatever title a person gives it: `movie/label`, `movie/validate-2`,
    `movie/adjudicate`. `annotators` is the number of people whose answers finish a task.
    """

    key: str
    title: str
    annotators: int
    tasks: tuple[dict[str, Any], ...]
    screen: str
    instructions: str

    def settings(self) -> dict[str, Any]:
        """Body of Label Studio's request that creates or changes a project."""
        is_alone = self.annotators == 1
        return {
            "title": self.title,
            "description": self.key,
            "label_config": self.screen,
            "expert_instruction": self.instructions,
            "show_instruction": True,
            "show_skip_button": True,
            "enable_empty_annotation": False,
            "show_annotation_history": False,
            "show_collab_predictions": False,
            "reveal_preannotations_interactively": False,
            "evaluate_predictions_automatically": False,
            "maximum_annotations": self.annotators,
            # Tasks lie in shuffled order; people who share a project get each an order of their own.
            "sampling": "Sequential sampling" if is_alone else "Uniform sampling",
            "skip_queue": "REQUEUE_FOR_ME" if is_alone else "REQUEUE_FOR_OTHERS",
        }


def projects(
    domain: str, rows: Iterable[Mapping[str, Any]], media_paths: Mapping[str, str], *, seed: str
) -> list[Project]:
    """The projects of one domain, for rows of `annotation_tasks`; those without a media path cannot be shown.

    One project a purpose, except: `validate` has one for each of its people, so that they cannot see each other's
    answers; a `label` task that needs more than the usual three people is asked of the next one in `adjudicate`.
    The order of tasks is a keyed hash of clip and project: another one in each, and stable as the library grows.
    """
    grouped: dict[tuple[str, str, int], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["clip_id"] not in media_paths:
            continue
        purpose, people = row["purpose"], row["required_annotators"]
        if purpose == "validate":
            for slot in range(1, people + 1):
                grouped[f"{domain}/validate-{slot}", purpose, 1].append(row)
            continue
        if purpose == "label" and people > REQUIRED_ANSWERS:
            grouped[f"{domain}/adjudicate", purpose, people - REQUIRED_ANSWERS].append(row)
            people = REQUIRED_ANSWERS
        grouped[f"{domain}/{purpose}", purpose, people].append(row)
    # People needed can differ between tasks of a purpose; a project has one number, the largest.
    people_by_key: dict[str, int] = {}
    rows_by_key: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for (key, purpose, people), members in grouped.items():
        people_by_key[key] = max(people, people_by_key.get(key, 0))
        rows_by_key[key, purpose] += members
    return [
        Project(
            key,
            f"EmoVid {key.replace('/', ' ').replace('-', ' ')}",
            people_by_key[key],
            tuple(
                task(row, media_paths[row["clip_id"]])
                for row in sorted(members, key=lambda row: keyed_rank(row["clip_id"], f"{seed}/{key}"))
            ),
            verify_screen() if purpose == "verify" else label_screen(),
            instructions(purpose),
        )
        for (key, purpose), members in sorted(rows_by_key.items())
    ]


def task(row: Mapping[str, Any], media_path: str) -> dict[str, Any]:
    """One task for Label Studio's JSON import. `media_path` is relative to the served folder."""
    data = {"video": f"{LOCAL_FILES}{media_path}", "clip_id": row["clip_id"], "purpose": row["purpose"]}
    if row["purpose"] == "verify":
        data["intended_emotion"] = row["intended_emotion"]
    return {"data": data}


def label_screen() -> str:
    """XML of the screen for purposes `label`, `validate` and `review`: one key per emotion."""
    choices = [(name, name, EMOTION_BY_NAME[name].definition) for name in EMOTION_NAMES]
    choices.append((NO_SPECIFIC_EMOTION, "no specific emotion", "neutral, or too mixed to name one"))
    return _screen("Which emotion does this clip convey most?", "emotion", choices)


def verify_screen() -> str:
    """XML of the screen for purpose `verify`: does the sticker convey what it was collected for?"""
    choices = [(value, *texts) for value, texts in _VERIFY_CHOICES.items()]
    return _screen("Does this sticker convey $intended_emotion?", "verification", choices)


def _screen(question: str, name: str, choices: Iterable[tuple[str, str, str]]) -> str:
    # `html` is what is shown; `alias` is what the export holds.
    lines = [
        f'        <Choice value={quoteattr(value)} alias={quoteattr(value)} hotkey="{key}" '
        f"html={quoteattr(_answer(key, shown, definition, EXAMPLES.get(value)))}/>"
        for key, (value, shown, definition) in enumerate(choices, start=1)
    ]
    player = (
        '<video src="$video" controls loop autoplay playsinline></video>'
        f'<div class="emovid-keys"><kbd>{SUBMIT_KEY}</kbd> submit &#160; <kbd>{SKIP_KEY}</kbd> skip</div>'
    )
    return "\n".join(
        [
            "<View>",
            f"  <Style>{escape(_STYLE, quote=False)}  </Style>",
            f"  <Header value={quoteattr(question)}/>",
            '  <View className="emovid">',
            '    <View className="emovid-clip">',
            f'      <HyperText name="video" value={quoteattr(player)} inline="true" selectionEnabled="false"/>',
            "    </View>",
            '    <View className="emovid-answers">',
            f'      <Choices name="{name}" toName="video" choice="single-radio" required="true" '
            'requiredMessage="Choose one, or skip the clip.">',
            *lines,
            "      </Choices>",
            "    </View>",
            "  </View>",
            "</View>",
            "",
        ]
    )


def _answer(key: int, shown: str, definition: str, example: str | None) -> str:
    lines = [f"<b>{escape(shown)}</b>", *(f"<small>{escape(text)}</small>" for text in (definition, example) if text)]
    return f'<span class="emovid-answer"><kbd>{key}</kbd>{"".join(lines)}</span>'


def instructions(purpose: str) -> str:
    """HTML that people see before their first clip: what is asked, each choice with definition and example, keys."""
    keys = (
        f'<p style="margin-top: 12px"><b>Keys:</b> the digit chooses, <b>{SUBMIT_KEY}</b> submits, <b>{SKIP_KEY}</b> '
        "skips a clip that does not play or that you do not want to judge. The clip repeats; have the sound on.</p>"
    )
    blind = "<p>Answer by yourself: do not look at or talk about other people's answers.</p>"
    if purpose == "verify":
        return (
            "<p>Each sticker was collected for one emotion, which the question names. Say whether it conveys that "
            "emotion <b>to you</b>. Where another emotion is stronger, or there is none, answer no.</p>"
            f"<ul>{_definitions(EMOTION_NAMES, with_keys=False)}</ul>{keys}"
        )
    return (
        "<p>Watch the clip with sound and choose the <b>one</b> emotion that it conveys most: what a viewer is meant "
        "to feel, not what you think of its quality. Where nothing stands out, choose <i>no specific emotion</i>.</p>"
        f"<ul>{_definitions((*EMOTION_NAMES, NO_SPECIFIC_EMOTION), with_keys=True)}</ul>{keys}{blind}"
    )


def _definitions(names: Iterable[str], *, with_keys: bool) -> str:
    def line(key: int, name: str) -> str:
        emotion = EMOTION_BY_NAME.get(name)
        definition = emotion.definition if emotion else "neutral, or too mixed to name one"
        shown = name.replace("_", " ")
        return (
            f'<li style="margin-top: 6px">{f"<b>{key}</b> " if with_keys else ""}<b>{shown}</b>: '
            f"{escape(definition)}.<br>"
            f"<i>Example: {escape(EXAMPLES[name])}.</i></li>"
        )

    return "".join(line(key, name) for key, name in enumerate(names, start=1))
