"""No clip is given away that its licence or its origin keeps, unless a person says so."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.collection.terms import RESEARCH_ONLY, TERMS
from emovid_assets.core.release.decisions import Decision, Decisions
from emovid_assets.core.release.gate import CODES, NEEDED, permission_of
from emovid_assets.core.release.origins import ORIGIN_RULES, rule_of
from emovid_assets.tables.release import RELEASE_CLIPS

ALTERED_TOO, UNALTERED, NEVER = "altered too", "unaltered", "never"
LICENCE_FACTS: dict[str, tuple[str, bool, bool]] = {
    # licence as written: (what may be passed on, asks for a credit, non-commercial), of facts/release_formats.md (a1)
    "CC0-1.0": (ALTERED_TOO, False, False),
    "CC-PDM-1.0": (ALTERED_TOO, False, False),
    "CC-PDDC": (ALTERED_TOO, False, False),
    "public-domain": (ALTERED_TOO, False, False),
    "CC-BY-2.0": (ALTERED_TOO, True, False),
    "CC-BY-2.5": (ALTERED_TOO, True, False),
    "CC-BY-3.0": (ALTERED_TOO, True, False),
    "CC-BY-3.0-US": (ALTERED_TOO, True, False),
    "CC-BY-4.0": (ALTERED_TOO, True, False),
    "CC BY": (ALTERED_TOO, True, False),
    "CC-BY-SA-2.5": (ALTERED_TOO, True, False),
    "CC-BY-SA-3.0": (ALTERED_TOO, True, False),
    "CC-BY-SA-4.0": (ALTERED_TOO, True, False),
    "CC-BY-NC-2.5": (ALTERED_TOO, True, True),
    "CC-BY-NC-4.0": (ALTERED_TOO, True, True),
    "CC-BY-NC-SA-4.0": (ALTERED_TOO, True, True),
    "CC-BY-ND-2.5": (UNALTERED, True, False),
    "CC-BY-ND-3.0": (UNALTERED, True, False),
    "CC-BY-ND-4.0": (UNALTERED, True, False),
    "CC-BY-NC-ND-2.5": (UNALTERED, True, True),
    "CC-BY-NC-ND-3.0": (UNALTERED, True, True),
    "CC-BY-NC-ND-4.0": (UNALTERED, True, True),
    "MIT": (ALTERED_TOO, True, False),
    "MIT-CMU": (ALTERED_TOO, True, False),
    "Apache-2.0": (ALTERED_TOO, True, False),
    "MIT OR Apache-2.0": (ALTERED_TOO, True, False),
    "BSD-3-Clause": (ALTERED_TOO, True, False),
    "OFL-1.1": (ALTERED_TOO, True, False),
    "FAL-1.3": (ALTERED_TOO, True, False),
    # They want the form that the makers edit to come with copies.
    "GPL-2.0-only": (NEVER, True, False),
    "MPL-2.0": (NEVER, True, False),
    RESEARCH_ONLY: (NEVER, False, True),
    "found on the net": (NEVER, False, False),
    "fan art": (NEVER, False, False),
    "CC": (NEVER, False, False),
    "": (NEVER, False, False),
}
ORIGIN_FACTS = {
    # of facts/release_formats.md (a2)
    None: "full",
    "": "full",
    "my own camera": "full",
    "wikimedia_commons": "full",
    "giphy": "nothing",
    "GIPHY": "nothing",
    "condensed_movies": "metadata",
    "klipy": "metadata",
    "tenor": "metadata",
    "magicanime": "metadata",
    "gifukai": "nothing",
    "YouTube": "metadata",
    "Giphy (API)": "nothing",
    "media.giphy.com": "nothing",
    "from YouTube": "metadata",
}
ADDRESS_FACTS = {
    None: "full",
    "https://studio.blender.org/films/sintel": "full",
    "https://notgiphy.com/x": "full",
    "https://media1.giphy.com/media/x/giphy.gif": "nothing",
    "giphy.com/gifs/x": "nothing",
    "https://www.youtube.com/watch?v=x": "metadata",
    "https://youtu.be/x": "metadata",
    "https://tenor.com/view/x": "metadata",
    "http://[": "full",
    "https://giphy.com.example.org/x": "full",
    "https://ann:[key]@giphy.com/x": "nothing",
    "https://[key]@www.youtube.com/x": "metadata",
    "https://web.archive.org/web/2020/https://giphy.com/x": "nothing",
    "https://example.org/x https://media.giphy.com/x": "nothing",
    "https:\\\\giphy.com\\x": "nothing",
    "https://gi\u200bphy\u3002com/x": "nothing",
    "https://giphy%2Ecom/x": "nothing",
}
ORDER = ("nothing", "metadata", "full")
clips = st.fixed_dictionaries(
    {
        "clip_id": st.sampled_from(["a-1", "a-2"]),
        "source_id": st.sampled_from(["a", "b"]),
        "film_id": st.sampled_from(["sintel", None]),
        "origin": st.sampled_from(list(ORIGIN_FACTS)),
        "origin_url": st.sampled_from(list(ADDRESS_FACTS)),
        "license": st.sampled_from([*LICENCE_FACTS, None]),
        "attribution": st.sampled_from(["Ann, Blender Foundation", "", " ", None]),
        "how": st.sampled_from(["copied", "joined", "encoded", None]),
        "encoding_reason": st.sampled_from(["alpha", "codec", None]),
        "hidden_frame_count": st.sampled_from([0, 3, None]),
    }
)
decided = st.lists(
    st.builds(
        Decision,
        line=st.integers(2, 99),
        what=st.just("clip_id"),
        value=st.sampled_from(["a-1", "a-3"]),
        permission=st.sampled_from(ORDER),
        decided_by=st.just("Ann"),
        reason=st.just("written permission"),
    ),
    max_size=1,
)


def most_that_is_permitted(clip: dict) -> str:
    """The oracle: tables of facts alone."""
    allows, asks_credit, _ = LICENCE_FACTS[clip["license"] or ""]
    is_untouched = clip["how"] == "copied" and clip["encoding_reason"] is None and not clip["hidden_frame_count"]
    is_credited = not asks_credit or bool((clip["attribution"] or "").strip())
    by_licence = is_credited and (allows == ALTERED_TOO or (allows == UNALTERED and is_untouched))
    return min(
        ("full" if by_licence else "metadata", ORIGIN_FACTS[clip["origin"]], ADDRESS_FACTS[clip["origin_url"]]),
        key=ORDER.index,
    )


@given(clips, decided)
def test_nothing_leaves_that_is_not_permitted(clip: dict, decisions: list[Decision]) -> None:
    found = permission_of(clip, Decisions(decisions))
    said = next((one.permission for one in decisions if one.value == clip["clip_id"]), None)
    if clip["encoding_reason"] == "alpha" and clip["how"] == "copied":
        clip = {**clip, "how": "encoded"}
    assert found.tier == (said or most_that_is_permitted(clip))
    assert (found.code == "decided") == (said is not None)
    assert found.code in CODES
    assert found.reason.endswith(".")
    if not said and found.tier == "full":
        assert found.is_non_commercial == LICENCE_FACTS[clip["license"] or ""][2]


def test_every_licence_and_every_origin_of_the_facts_is_decided_as_they_say() -> None:
    for licence, (origin, allowed) in product(LICENCE_FACTS, ORIGIN_FACTS.items()):
        clip = dict.fromkeys(NEEDED) | {
            "clip_id": "a-1",
            "license": licence,
            "origin": origin,
            "attribution": "Ann",
            "how": "copied",
            "hidden_frame_count": 0,
        }
        by_licence = "metadata" if LICENCE_FACTS[licence][0] == NEVER else "full"
        assert permission_of(clip).tier == min((by_licence, allowed), key=ORDER.index), (licence, origin)


def test_every_origin_that_files_are_collected_from_has_a_rule_that_never_gives_files_away() -> None:
    rules = {origin: rule_of(origin, None) for origin in TERMS}
    assert {origin: rule.allowed if rule else "full" for origin, rule in rules.items()} == {
        "condensed_movies": "metadata",
        "klipy": "metadata",
        "tenor": "metadata",
        "giphy": "nothing",
        "magicanime": "metadata",
    }
    assert all(rule.read_in and rule.code in CODES for rule in ORIGIN_RULES)


@pytest.mark.parametrize(
    ("changed", "tier", "code", "says"),
    [
        ({}, "full", "allowed", "CC-BY-4.0 allows copies and asks for credit."),
        ({"license": None}, "metadata", "licence_not_stated", "write `license` into the manifest"),
        ({"license": "ask jane@example.org"}, "metadata", "licence_unknown", "'ask [address]' is no licence"),
        ({"attribution": None}, "metadata", "credit_missing", "`attribution` into the manifest"),
        ({"license": "CC BY-NC 4.0"}, "full", "allowed_non_commercial", "non-commercial copies"),
        ({"license": "CC BY-ND 4.0"}, "full", "allowed_unaltered", "pictures are the source's own"),
        ({"license": "CC BY-ND 4.0", "how": "joined"}, "metadata", "no_derivatives", "encoded anew (joined)"),
        (
            {"license": "CC BY-ND 4.0", "how": "encoded", "encoding_reason": "alpha"},
            "metadata",
            "no_derivatives",
            "laid over white",
        ),
        ({"license": "CC BY-SA 4.0", "how": "encoded", "encoding_reason": "alpha"}, "full", "allowed", "same licence"),
        ({"license": "CC BY-ND 4.0", "hidden_frame_count": 2}, "metadata", "no_derivatives", "not the clip's"),
        ({"license": "GPL-3.0"}, "metadata", "source_form_needed", "the form that the makers edit"),
        ({"origin": "giphy"}, "nothing", "origin_forbids_index", "directory or index"),
        ({"origin": "klipy", "license": RESEARCH_ONLY}, "metadata", "origin_terms_unread", "could not be read"),
    ],
)
def test_the_reason_says_what_would_change_it(changed: dict, tier: str, code: str, says: str) -> None:
    clip = dict.fromkeys(NEEDED) | {
        "clip_id": "a-1",
        "license": "CC BY 4.0",
        "attribution": "Ann",
        "how": "copied",
        "hidden_frame_count": 0,
        **changed,
    }
    found = permission_of(clip)
    assert (found.tier, found.code) == (tier, code)
    assert says in found.reason


def test_the_gate_asks_for_columns_that_a_release_has() -> None:
    assert set(NEEDED) <= {column.name for column in RELEASE_CLIPS.columns}
