"""Captions: what is refused, what is repaired, what is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.vlm.caption_rules import FAULTS, CaptionRules, tidy
from emovid_assets.core.vlm.prompts import CAPTION, FOLDER, read_prompt

RULES = CaptionRules(8, 40)
GOOD = "A girl in a red coat runs through falling snow and laughs. The bright flakes make the scene joyful."
PROMPT = read_prompt(FOLDER / CAPTION).filled(max_words=40)


def test_a_plain_description_is_good() -> None:
    assert RULES.judged(GOOD, prompt=PROMPT) == (GOOD, None)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not_text"),
        ("A dog \ufffd\ufffd runs over the wide green field today", "not_text"),
        ("{{[<|#%&$§]}} 0x00 1234 5678 9999 0000 1111 2222 3333", "not_text"),
        ("I'm sorry, but I cannot describe the people in this video clip.", "refusal"),
        ("I’m unable to view videos, but I can help with a text.", "refusal"),
        ("A man. As an AI language model I have no feelings about what is shown here.", "refusal"),
        ("Unfortunately, I can't see the video that you are talking about here.", "refusal"),
        ("No video was provided, so please upload one and ask me once again.", "refusal"),
        ("Describe this short clip in two or three plain sentences. First say what is seen.", "prompt_echo"),
        ("A dog runs on the beach. A dog runs on the beach. It is happy.", "repetition"),
        ("A man and a man and a man and a man and a man walk on.", "repetition"),
        ("The sea is very very very very very calm under the moon tonight.", "repetition"),
        ("A dog runs.", "too_short"),
        (" ".join(f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(41)), "too_long"),
    ],
)
def test_a_bad_caption_is_known_by_its_fault(text: str, fault: str) -> None:
    assert RULES.judged(text, prompt=PROMPT)[1] == fault
    assert fault in FAULTS


@pytest.mark.parametrize(
    "text",
    [
        "A woman reads a letter and whispers: I'm sorry. Her tears make the moment sad and very quiet.",
        "A robot with the letters AI on its chest waves at children, who laugh and clap with joy.",
        "Two men argue in a kitchen. One of them cannot find his keys, which makes the scene funny.",
    ],
)
def test_words_of_a_refusal_inside_a_description_are_no_refusal(text: str) -> None:
    assert RULES.judged(text, prompt=PROMPT)[1] is None


@pytest.mark.parametrize(
    "written",
    [
        f"Caption: {GOOD}",
        f"**Description:** {GOOD}",
        f"# A winter day\n\n{GOOD}",
        f"**Winter joy**\n{GOOD}",
        f"Here is a description of the clip:\n{GOOD}",
        f'"{GOOD}"',
        f"<think>Hm, what do I see?</think>\n{GOOD}",
        "- A girl in a red coat runs through falling snow and laughs.\n- The bright flakes make the scene joyful.",
        "1. A girl in a red coat runs through *falling* snow and laughs.\n2. The bright flakes make the scene joyful.",
    ],
)
def test_what_stands_around_a_caption_is_taken_off(written: str) -> None:
    assert tidy(written) == GOOD


def test_a_caption_that_was_cut_off_ends_with_its_last_whole_sentence() -> None:
    assert RULES.judged(GOOD + " The camera then mov", is_finished=False) == (GOOD, None)
    assert RULES.judged("A girl laughs. The camera then moves on and", is_finished=False)[1] == "unfinished"
    assert RULES.judged("A girl in a red coat runs through falling snow and", is_finished=False)[1] == "unfinished"
    assert RULES.judged(GOOD, is_finished=False) == (GOOD, None)


def test_a_caption_may_quote_a_line_of_the_prompt_but_not_consist_of_it() -> None:
    spoken = "we shall go on to the end in France"
    asked = f"{PROMPT} Spoken: {spoken}"
    quoting = f"A man at a desk says that {spoken}, while others in the dark hall listen to him in silence and fear."
    assert RULES.judged(quoting, prompt=asked)[1] is None
    assert RULES.judged(f"He says: {spoken}, and sits.", prompt=asked)[1] == "prompt_echo"


@given(st.text(max_size=300))
def test_any_text_is_tidied_once_and_judged_without_failing(text: str) -> None:
    caption, fault = RULES.judged(text, is_finished=False, prompt=PROMPT)
    assert fault is None or fault in FAULTS
    assert "\n" not in caption
    if fault is None:
        assert len(caption.split()) >= 8
