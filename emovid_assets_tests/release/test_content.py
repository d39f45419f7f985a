"""Whatever licences, origins and decisions come together: a release holds no more of a clip than it may."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.collection.terms import TERMS
from emovid_assets.core.release.decisions import Decisions, read_decisions
from emovid_assets.home.folders import Home
from emovid_assets.resources.release.content import Content, content_of
from emovid_assets.resources.release.rows import FIRST_FRAME_PATH, MEDIA_PATH
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.release.planted_releases import clip

# By hand, of shared/facts/release_formats.md: what each allows of a clip that is encoded anew and has a credit.
LICENCES = {
    **dict.fromkeys(
        ("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-NC-4.0", "MIT", "Apache-2.0", "public domain"), "full"
    ),
    **dict.fromkeys(
        ("CC-BY-ND-4.0", "CC-BY-NC-ND-3.0", "All rights reserved", "found on the net", "", None), "metadata"
    ),
}
ORIGINS: dict[str | None, str] = {None: "full", "giphy": "nothing"} | dict.fromkeys(
    TERMS.keys() - {"giphy"}, "metadata"
)
ORDER = ("nothing", "metadata", "full")
KEPT = ("human_annotations", "validation_ratings", "agreement_statistics", "clip_embeddings")

clips = st.lists(
    st.fixed_dictionaries({"license": st.sampled_from(list(LICENCES)), "origin": st.sampled_from(list(ORIGINS))}),
    min_size=1,
    max_size=12,
)
decided = st.dictionaries(st.integers(0, 11), st.sampled_from(ORDER), max_size=4)


def found(facts: list[Mapping[str, Any]]) -> pa.Table:
    """Of `released_rows`, as the home has them."""
    rows = []
    for number, one in enumerate(facts):
        name = f"movie-{number:016x}-00000000-00004000"
        row = clip(name, domain="movie", source_id=f"movie-{number:016x}", attribution="Ann", how="encoded", **one)
        row |= {"valence": 5.0, "arousal": 5.0, "media_sha256": "ab" * 32}
        row |= {"encoding_reason": "codec", "hidden_frame_count": 0}
        rows.append(row | {MEDIA_PATH: f"media/clips/{name}.mp4", FIRST_FRAME_PATH: f"media/first_frames/{name}.png"})
    return pa.Table.from_pylist(rows)


def answers(facts: list[Mapping[str, Any]]) -> dict[str, pa.Table]:
    rows = [
        {"clip_id": f"movie-{number:016x}-00000000-00004000", "domain": "movie", "purpose": "label", "tool": "csv"}
        | {"annotator_id": "Ann Smith", "label": "awe", "annotated_at": None, "lead_time_s": None}
        for number in range(len(facts))
    ]
    tables = {name: TABLES[name].empty() for name in KEPT}
    return tables | {"human_annotations": TABLES["human_annotations"].from_rows(rows)}


def made(facts: list[Mapping[str, Any]], decisions: Decisions, *, tier: Any = "full") -> Content:
    return content_of(Home(Path("/nowhere")), tier, found(facts), answers(facts), decisions, lambda name: "annotator-x")


@given(clips, decided)
def test_no_more_of_a_clip_is_in_a_release_than_it_may_be(
    facts: list[Mapping[str, Any]], said: Mapping[int, str]
) -> None:
    lines = [f"clip_id,movie-{number:016x}-00000000-00004000,{tier},Jane Doe,so" for number, tier in said.items()]
    decisions = read_decisions("\n".join(["what,value,permission,decided_by,reason", *lines]).encode())
    allowed = {}
    for number, one in enumerate(facts):
        by_rule = min(LICENCES[one["license"]], ORIGINS[one["origin"]], key=ORDER.index)
        allowed[f"movie-{number:016x}-00000000-00004000"] = said.get(number, by_rule)
    for tier in ("full", "metadata"):
        content = made(facts, decisions, tier=tier)
        rows = {row["clip_id"]: row for row in content.rows.to_pylist()}
        assert set(rows) == {name for name, permission in allowed.items() if permission != "nothing"}
        assert {name: row["permission"] for name, row in rows.items()} == {name: allowed[name] for name in rows}
        given = {name for name, permission in allowed.items() if permission == "full"} if tier == "full" else set()
        assert {name for name, row in rows.items() if row["file_name"]} == given
        assert {file.source.stem for file in content.media} == given
        assert {path.stem for _, path in content.first_frames} == given
        assert set(content.tables["human_annotations"]["clip_id"].to_pylist()) == set(rows)
        assert sum(content.left_out.values()) == len(facts) - len(rows)


def test_every_origin_that_the_collection_knows_was_thought_of() -> None:
    assert set(ORIGINS) == {None, *TERMS}
