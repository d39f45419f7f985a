"""What Label Studio is given of a user study: the screen with two players in step, the instructions, the tasks.

Belongs here: the shapes that Label Studio's import and project settings understand. Does not belong here: which videos
are compared (`study_pairs`), and talking to a server.

A task shows two videos, the prompt and the emotion that it asks for; neither names of files nor anything else says by
which generator they are. `Pairwise` of Label Studio has no tie, and a click on a player would be the answer; so each
question is a `Choices` with three answers. Players of one `sync` group play, pause and jump together, put in step
again at each such event (1.23.2); in between nothing corrects them, so both files have the same length. A player draws
nothing at all where its box has no width of its own, for which rules with `>` have no effect there; and it never
enlarges a picture, so files come in one size. What counts frames is hidden: it would tell the generators' rates.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any
from xml.sax.saxutils import quoteattr

from emovid_assets.core.label_studio import LOCAL_FILES, SKIP_KEY, SUBMIT_KEY, Project

KEY_PREFIX = "study/"
"""Begins the names of projects of studies: those of annotation begin with a domain."""
ASKED = {
    "emotion": "Which conveys $asked_emotion more?",
    "quality": "Which is the better video, whatever it shows?",
    "prompt": "Which follows the text better?",
}
SHOWN = {"a": "left", "tie": "no difference", "b": "right"}
"""By choice how it is called, from left to right."""
KEYS = {"emotion": "123", "quality": "456", "prompt": "789"}

_STYLE = """
.lsf-sidepanels__wrapper_align_right, .lsf-sidepanels__wrapper_align_left { display: none; }
.lsf-sidepanels { padding: 0 !important; }
.lsf-sidepanels__content { width: 100% !important; max-width: none !important; }
.emovid-pair { display: flex; justify-content: space-between; }
.emovid-player { width: 49.5%; }
.lsf-frames-control, .lsf-timeline-controls__time, [class^="videoConfig"] { visibility: hidden; }
.emovid-questions { display: flex; gap: 20px; align-items: stretch; margin-top: 4px; }
.emovid-question { width: 33%; }
.emovid-questions .ant-radio-wrapper { margin: 0 4px 0 0; padding: 5px 12px; border: 1px solid rgba(128, 128, 128, .35);
  border-radius: 8px; }
.emovid-questions .ant-radio-wrapper:hover { border-color: #7a6ff0; }
.emovid-questions .ant-radio-wrapper-checked { border-color: #7a6ff0; background: rgba(122, 111, 240, .16); }
.emovid-keys kbd { display: inline-block; min-width: 22px; padding: 1px 6px; text-align: center;
  font: 600 13px monospace; color: #222; background: #fff; border: 1px solid #999; border-bottom-width: 3px;
  border-radius: 5px; }
.emovid-keys { margin-top: 8px; font-size: 13px; opacity: .85; }
"""


def projects(
    domain: str, rows: Iterable[Mapping[str, Any]], files: Mapping[str, tuple[str, str]], *, annotators: int
) -> list[Project]:
    """The project of one domain, for rows of `preference_tasks`; without rows none.

    `files`: by task the left and the right file, relative to the served folder; what has none cannot be shown.
    """
    shown = sorted((row for row in rows if row["task_id"] in files), key=lambda row: row["position"])
    if not shown:
        return []
    key = f"{KEY_PREFIX}{domain}"
    return [
        Project(
            key=key,
            title=f"EmoVid study {domain}",
            annotators=annotators,
            tasks=tuple(task(row, files[row["task_id"]]) for row in shown),
            screen=screen(),
            instructions=instructions(),
        )
    ]


def task(row: Mapping[str, Any], files: tuple[str, str]) -> dict[str, Any]:
    """One task for Label Studio's JSON import."""
    left, right = (f"{LOCAL_FILES}{path}" for path in files)
    return {
        "data": {
            "task_id": row["task_id"],
            "left": left,
            "right": right,
            "left_fps": row["fps_a"],
            "right_fps": row["fps_b"],
            "text": row["prompt"],
            "asked_emotion": row["asked_emotion"],
        }
    }


def screen() -> str:
    """XML of the screen: two players in step, and three questions of three answers each."""
    lines = ["<View>", f"  <Style>{escape(_STYLE, quote=False)}  </Style>", '  <View className="emovid-pair">']
    for side in ("left", "right"):
        lines += [
            '    <View className="emovid-player">',
            f'      <Video name="{side}" value="${side}" frameRate="${side}_fps" sync="pair" muted="true" height="380" '
            'timelineHeight="32"/>',
            "    </View>",
        ]
    lines += ["  </View>", '  <Text name="text" value="$text"/>', '  <View className="emovid-questions">']
    for name, question in ASKED.items():
        lines += [
            '    <View className="emovid-question">',
            f'      <Header value={quoteattr(question)} size="5"/>',
            f'      <Choices name="{name}" toName="left" choice="single-radio" showInline="true" required="true" '
            'requiredMessage="Answer all three questions, or skip the pair.">',
            *(
                f'        <Choice value={quoteattr(shown)} alias="{kept}" hotkey="{key}"/>'
                for key, (kept, shown) in zip(KEYS[name], SHOWN.items(), strict=True)
            ),
            "      </Choices>",
            "    </View>",
        ]
    return "\n".join([*lines, "  </View>", "</View>", ""])


def instructions() -> str:
    """HTML that people see before their first pair: what is asked, and the keys."""
    asked = {
        "emotion": "which of the two conveys the emotion that the question names more strongly, to you",
        "quality": "which looks better: sharper, steadier, fewer faults, whatever it shows",
        "prompt": "which shows more of what the text below the players says",
    }
    questions = "".join(
        f'<li style="margin-top: 6px"><b>{name}</b> ({escape(", ".join(KEYS[name]))}): {escape(meaning)}.</li>'
        for name, meaning in asked.items()
    )
    return (
        "<p>Each pair of videos was made from the same text. Watch <b>both to the end</b>, as often as you like: they "
        "play in step. Then answer three questions, each for itself: a video may be better and convey less.</p>"
        f"<ul>{questions}</ul>"
        "<p>Where you see no difference, say <i>no difference</i>: that is an answer. Some pairs have an obvious "
        "answer; they show that people look.</p>"
        f'<p style="margin-top: 12px"><b>Keys:</b> digits choose, <b>{SUBMIT_KEY}</b> submits, <b>{SKIP_KEY}</b> skips '
        "a pair that does not play or that you do not want to judge.</p>"
        "<p>Answer by yourself: do not look at or talk about other people's answers.</p>"
    )
