"""What people decide about releases is read as it is meant, or stops the release."""

import csv
import io
from pathlib import Path

import pytest

from emovid_assets.core.release.decisions import (
    HEADER,
    Decision,
    Decisions,
    DecisionsError,
    decisions_csv,
    read_decisions,
)
from emovid_assets.core.release.gate import permission_of
from emovid_assets.home.folders import Home
from emovid_assets.resources.release.decisions import decisions_of

HEAD = "what,value,permission,decided_by,reason,decided_at\n"
CLIP = {
    "clip_id": "movie-1-00000000-00001000",
    "source_id": "movie-1",
    "film_id": "sintel",
    "origin": "giphy",
    "license": "CC BY-NC 4.0",
    "attribution": "Ann",
    "how": "copied",
    "hidden_frame_count": 0,
}


def read(*rows: str) -> Decisions:
    return read_decisions((HEAD + "\n".join(rows)).encode())


def test_a_decision_counts_with_its_name_and_reason() -> None:
    found = permission_of(CLIP, read("source_id,movie-1,full,Jane Doe,written permission,2026-05-04"))
    assert (found.tier, found.code) == ("full", "decided")
    assert found.reason == "Jane Doe decided so on 2026-05-04 for source_id 'movie-1': written permission."
    assert found.license_id == "CC-BY-NC-4.0"


def test_the_most_specific_decision_wins_wherever_it_stands() -> None:
    rows = [
        "origin,GIPHY,metadata,Ann,a",
        "film_id,sintel,nothing,Ann,b",
        "source_id,movie-1,full,Ann,c",
        "clip_id,movie-1-00000000-00001000,metadata,Ann,d",
    ]
    for count, expected in enumerate(("nothing", "metadata", "nothing", "full", "metadata")):
        assert permission_of(CLIP, read(*rows[:count])).tier == expected
        assert permission_of(CLIP, read(*reversed(rows[:count]))).tier == expected


@pytest.mark.parametrize("value", ["CC-BY-NC-4.0", "cc by nc 4.0", "https://creativecommons.org/licenses/by-nc/4.0/"])
def test_a_licence_is_meant_however_it_is_written(value: str) -> None:
    assert read(f"license,{value},metadata,Ann,a").of(CLIP) is not None


def test_unknown_means_every_licence_that_is_not_known_and_its_own_words_are_more_specific() -> None:
    decisions = read("licence,unknown,nothing,Ann,a", "license,ask the studio,full,Ann,they wrote")
    for written, expected in ((None, "nothing"), ("free", "nothing"), ("Ask the Studio", "full"), ("MIT", None)):
        found = decisions.of({**CLIP, "license": written})
        assert (found and found.permission) == expected


def test_equally_specific_decisions_that_contradict_stop_the_release_until_a_closer_one_is_there() -> None:
    rows = ["origin,giphy,nothing,Ann,a", "license,CC-BY-NC-4.0,full,Ann,b"]
    with pytest.raises(DecisionsError, match="lines 2 and 3 contradict each other for clip movie-1"):
        read(*rows).of(CLIP)
    assert read(*rows, "film_id,sintel,metadata,Ann,c").of(CLIP).permission == "metadata"  # type: ignore[union-attr]


def test_all_faults_are_told_at_once_with_their_lines() -> None:
    with pytest.raises(DecisionsError) as caught:
        read(
            "movie,x,full,Ann,a",
            "clip_id,x,maybe,Ann,a",
            "clip_id,,full,Ann,a",
            "clip_id,x,full,,a",
            "clip_id,y,full,ann@example.org,a",
            "clip_id,z,full,Ann,see /home/ann/letter.pdf",
            "clip_id,u,full,Ann,a,yesterday",
            "",
            "clip_id,v,full,Ann,a,,,more",
            "clip_id,w,nothing,Ann,a",
            "clip_id,w,full,Ann,a",
            'clip_id,q,nothing,Ann,"never ends',
        )
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        *("line 2", "line 3", "line 4", "line 5", "line 6", "line 7", "line 8", "line 10", "line 12", "line 13"),
    ]
    said = str(caught.value)
    assert "`what` is 'movie', not one of clip_id, source_id, film_id, origin, license" in said
    assert "`decided_by` is empty: write the name of the person who answers for it" in said
    assert "write no address, path or key" in said
    assert "line 12: says `full` for clip_id 'w', and line 11 says `nothing`" in said


def test_a_column_that_is_missing_stops_the_release() -> None:
    with pytest.raises(DecisionsError, match="no column `reason`"):
        read_decisions(b"what,value,permission,decided_by\nclip_id,x,full,Ann\n")
    assert read_decisions(b"what;value;permission;decided by;reason;note\nclip_id;x;Full;Ann;a;b\n").remarks == (
        "the column `note` is read by nothing",
    )


def test_decisions_that_match_nothing_are_told_and_not_published() -> None:
    decisions = read("film_id,sintel,full,Ann,a", "clip_id,movie-2,nothing,Ann,b")
    assert decisions.idle([CLIP]) == ["line 3 matches no clip: there is no clip_id 'movie-2'"]
    published = list(csv.DictReader(io.StringIO(decisions_csv(decisions.used([CLIP])))))
    assert published == [
        dict(zip(HEADER, ("film_id", "sintel", "full", "Ann", "a", ""), strict=True)),
    ]
    assert decisions_csv([]).strip() == HEAD.strip()


def test_what_is_published_is_read_as_the_same_decisions() -> None:
    decisions = read('license,"CC BY 4.0",full,Ann,"yes, ""all"" of it",2026-01-02', "origin,giphy,nothing,Ann,b")
    again = read_decisions(decisions_csv(decisions.rows).encode())
    assert [(one.what, one.value, one.reason) for one in again.rows] == [
        (one.what, one.value, one.reason) for one in decisions.rows
    ]


def test_the_file_of_a_home_is_read_and_its_faults_name_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert decisions_of(home).rows == ()
    home.release_decisions.parent.mkdir()
    home.release_decisions.write_text(HEAD + "clip_id,x,full,Ann,a\n", encoding="utf-16")
    assert [one.value for one in decisions_of(home).rows] == ["x"]
    home.release_decisions.write_text(HEAD + "clip_id,x,full,Ann,\n", encoding="utf-8")
    with pytest.raises(DecisionsError, match=r"^release_decisions.csv: line 2: `reason` is empty"):
        decisions_of(home)
    home.release_decisions.unlink()
    home.release_decisions.mkdir()
    with pytest.raises(DecisionsError, match="cannot be read"):
        decisions_of(home)


def test_who_withholds_with_a_slip_is_stopped_and_told_how_it_is_written() -> None:
    clips = [{"clip_id": "a", "source_id": "movie-1", "film_id": "sintel", "origin": None, "license": None}]
    with pytest.raises(DecisionsError, match="line 2: there is no film_id 'Sintel ', but 'sintel': write it so"):
        Decisions([Decision(2, "film_id", "Sintel ", "nothing", "Ann", "they asked")]).idle(clips)
    others = [
        Decision(2, "film_id", "Sintel", "full", "Ann", "they allow it"),
        Decision(3, "film_id", "sintel", "nothing", "Ann", "they asked"),
        Decision(4, "source_id", "movie-2", "nothing", "Ann", "they asked"),
    ]
    assert Decisions(others).idle(clips) == [
        "line 2 matches no clip: there is no film_id 'Sintel'",
        "line 4 matches no clip: there is no source_id 'movie-2'",
    ]
