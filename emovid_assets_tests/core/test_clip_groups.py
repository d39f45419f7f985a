"""Groups that must not be torn apart, over all domains, against joining by hand."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emovid_assets.core.clip_groups import (
    REASONS,
    ClipGroups,
    film_key,
    group_rows,
    largest_groups,
    suspicious_groups,
)
from emovid_assets.core.domains import DOMAINS

DETAILED = (0x0F1E2D3C4B5A6978, 0x123456789ABCDEF0, 0xFEDCBA9876543210)


def clip(
    number, *, domain="movie", source=None, film=None, sha256=None, file=None, hashes=(), colour=(0.5, 0.25, 0.25, 0.0)
):
    source_id = f"{domain}-{number if source is None else source:016x}"
    return {
        "clip_id": f"{source_id}-{number:08d}-{number + 1:08d}",
        "source_id": source_id,
        "domain": domain,
        "film_id": film,
        "source_sha256": sha256 or f"bytes of {source_id}",
        "clip_sha256": file,
        "frame_hashes": [f"{value:016x}" for value in hashes],
        "mean_colour": colour,
    }


def flipped(value, *bits):
    for bit in bits:
        value ^= 1 << bit
    return value


def group_clips(rows):
    return {row["clip_id"]: row["group_id"] for row in group_rows(rows)}


def are_together(*rows):
    return len(set(group_clips(rows).values())) == 1


def test_clips_of_one_source_or_one_film_are_a_group_named_after_its_smallest_source():
    rows = [
        clip(1, source=7),
        clip(2, source=7),
        clip(3, source=5, film="heat"),
        clip(4, source=9, film="heat"),
        clip(6),
    ]
    assert list(group_clips(rows).values()) == [
        "g-movie-0000000000000007",
        "g-movie-0000000000000007",
        "g-movie-0000000000000005",
        "g-movie-0000000000000005",
        "g-movie-0000000000000006",
    ]


def test_groups_reach_across_source_film_and_likeness():
    rows = [
        clip(1, source=1, film="heat"),
        clip(2, source=2, film="heat", hashes=DETAILED),
        clip(3, source=3, hashes=DETAILED),
        clip(4, source=3),
    ]
    assert are_together(*rows)


def test_no_film_is_no_common_film():
    assert not are_together(clip(1), clip(2))
    assert not are_together(clip(1, film=""), clip(2, film=""))


@pytest.mark.parametrize("bits", [(), (0,), (0, 1, 2, 3), (7, 20, 41, 63)])
def test_four_bits_in_each_hash_still_are_the_same_pictures(bits):
    assert are_together(clip(1, hashes=DETAILED), clip(2, hashes=[flipped(value, *bits) for value in DETAILED]))


def test_five_bits_in_one_hash_are_another_clip():
    first, second, third = DETAILED
    assert not are_together(clip(1, hashes=DETAILED), clip(2, hashes=(first, flipped(second, 1, 9, 17, 33, 60), third)))


@pytest.mark.parametrize("flat", [0, 2**64 - 1, 0b11111, 2**64 - 1 - 0b11111])
def test_flat_frames_are_no_evidence(flat):
    first, second, _ = DETAILED
    assert not are_together(clip(1, hashes=(flat,) * 3), clip(2, hashes=(flat,) * 3))
    assert not are_together(clip(1, hashes=(flat, first, flat)), clip(2, hashes=(flat, first, flat)))
    assert are_together(clip(1, hashes=(flat, first, second)), clip(2, hashes=(flat, first, second)))


def test_contrast_counts_only_where_both_clips_have_it():
    first, second = (0x1F, DETAILED[0], 0x3F), (0x3F, DETAILED[0], 0x1F)
    assert not are_together(clip(1, hashes=first), clip(2, hashes=second))


def test_a_clip_without_three_hashes_resembles_none():
    assert not are_together(clip(1, hashes=DETAILED[:2]), clip(2, hashes=DETAILED[:2]))
    assert not are_together({**clip(1), "frame_hashes": None}, clip(2))
    assert group_clips([]) == {}


@pytest.mark.parametrize("text", ["", "abc", "x" * 16, "0" * 17])
def test_a_malformed_hash_is_refused(text):
    with pytest.raises(ValueError, match="16 hex digits"):
        group_rows([{**clip(1), "frame_hashes": [text] * 3}])


@pytest.mark.parametrize("component", range(4))
def test_the_same_shapes_in_another_colour_are_another_clip(component):
    colour = [0.5, 0.25, 0.25, 0.0]
    near, far = list(colour), list(colour)
    near[component] += 23 / 255
    far[component] += 26 / 255
    assert are_together(clip(1, hashes=DETAILED, colour=colour), clip(2, hashes=DETAILED, colour=near))
    assert not are_together(clip(1, hashes=DETAILED, colour=colour), clip(2, hashes=DETAILED, colour=far))
    assert not are_together(clip(1, hashes=DETAILED, colour=colour), clip(2, hashes=DETAILED, colour=None))


def test_the_order_of_the_clips_plays_no_part_in_the_groups():
    chance = random.Random(5)
    rows = [
        clip(n, source=n // 2, film=f"film {n % 7}" if n % 5 else None, hashes=[flipped(h, n % 3) for h in DETAILED])
        for n in range(30)
    ]
    groups = group_clips(rows)
    chance.shuffle(rows)
    assert group_clips(rows) == groups


def reasons(*rows):
    return [row["reason"] for row in group_rows(rows)]


def test_a_reason_is_the_first_rule_that_leads_to_the_source_that_the_group_is_named_after():
    assert reasons(clip(1), clip(2, source=1)) == ["source", "source"]
    assert reasons(clip(1, film="heat"), clip(2, film="heat")) == ["source", "film"]
    assert reasons(clip(1, hashes=DETAILED), clip(2, hashes=DETAILED)) == ["source", "near_duplicate"]
    # The second of a film whose first part is found again among the stickers.
    rows = [clip(1, film="heat", hashes=DETAILED), clip(2, film="heat"), clip(3, domain="sticker", hashes=DETAILED)]
    assert reasons(*rows) == ["source", "film", "near_duplicate"]


@pytest.mark.parametrize(
    ("shared", "reason"),
    [
        ({"sha256": "the same MP4"}, "same_bytes"),
        ({"file": "the same clip file"}, "same_bytes"),
        ({"film": "heat"}, "film"),
        ({"hashes": DETAILED}, "near_duplicate"),
    ],
)
@pytest.mark.parametrize("other", ["animation", "sticker"])
def test_what_two_domains_share_is_one_group(shared, reason, other):
    movie, copy = group_rows([clip(1, domain="movie", **shared), clip(1, domain=other, **shared)])
    assert movie["group_id"] == copy["group_id"]
    assert {movie["reason"], copy["reason"]} == {"source", reason}


def test_films_are_compared_without_regard_to_case_and_blanks():
    assert are_together(clip(1, film="TT0113277"), clip(2, domain="animation", film=" tt0113277 "))
    assert [film_key(text) for text in (None, "", "  ", "The  Heat")] == [None, None, None, "the heat"]
    assert film_key("\u0130stanbul") == film_key("istanbul")


def test_twins_show_the_same_and_need_no_common_film():
    rows = [
        clip(1, source=1, hashes=DETAILED),
        clip(2, source=1),
        clip(3, domain="sticker", hashes=DETAILED),
        clip(4, domain="animation", sha256="one file"),
        clip(5, domain="movie", sha256="one file"),
        clip(6, domain="movie", source=5, sha256="one file"),
    ]
    twins = {row["clip_id"]: row["twins_id"] for row in group_rows(rows)}
    first, of_its_film, sticker, whole, cut, cut_too = (twins[row["clip_id"]] for row in rows)
    assert first == sticker == f"t-{rows[0]['clip_id']}"
    assert of_its_film != first
    # A source that two domains have: whatever was cut of it in one may be part of what is whole in the other.
    assert whole == cut == cut_too == f"t-{rows[3]['clip_id']}"


links = st.lists(
    st.tuples(
        st.sampled_from(DOMAINS),
        st.integers(0, 9),
        st.sampled_from([None, "", "heat", "Heat ", "up", "jaws"]),
        st.sampled_from([None, "a", "b", "c", "d", "e", "f"]),
        st.sampled_from([None, "x", "y"]),
        st.integers(0, 5),
        st.lists(st.integers(0, 63), max_size=3),
    ),
    max_size=25,
)


def drawn_clips(drawn):
    chance = random.Random(2)
    pictures = [[chance.getrandbits(64) for _ in range(3)] for _ in range(6)]
    rows = {}
    of_source = {}
    for number, (domain, source, film, sha256, file, picture, bits) in enumerate(drawn):
        hashes = [flipped(value, *bits) for value in pictures[picture]] if picture else ()
        one = clip(number, domain=domain, source=source, file=file, hashes=hashes)
        # All clips of a source have its film and its bytes.
        film, sha256 = of_source.setdefault(one["source_id"], (film, sha256))
        rows[one["clip_id"]] = one | {"film_id": film, "source_sha256": sha256 or one["source_sha256"]}
    return list(rows.values())


def are_linked(one, other, rules):
    """By hand, pair by pair."""
    found = False
    if "source" in rules:
        found |= one["source_id"] == other["source_id"]
    if "film" in rules and one["film_id"] and other["film_id"]:
        found |= one["film_id"].strip().lower() == other["film_id"].strip().lower()
    if "same_bytes" in rules:
        found |= one["source_sha256"] == other["source_sha256"] and one["source_id"] != other["source_id"]
        found |= one["clip_sha256"] is not None and one["clip_sha256"] == other["clip_sha256"]
    if "near_duplicate" in rules and one["frame_hashes"] and other["frame_hashes"]:
        pairs = zip(one["frame_hashes"], other["frame_hashes"], strict=True)
        found |= all((int(a, 16) ^ int(b, 16)).bit_count() <= 4 for a, b in pairs)
    return found


def reached(clips, rules):
    """Clip → all clips that can be walked to from it, link by link."""
    linked = {one["clip_id"]: {o["clip_id"] for o in clips if are_linked(one, o, rules)} for one in clips}
    found = {}
    for start in linked:
        seen, waiting = {start}, [start]
        while waiting:
            new = linked[waiting.pop()] - seen
            seen |= new
            waiting += new
        found[start] = seen
    return found


@settings(deadline=None, max_examples=60)
@given(links)
def test_groups_twins_and_reasons_are_those_of_walking_every_link(drawn):
    clips = drawn_clips(drawn)
    if not clips:
        return
    source_of = {one["clip_id"]: one["source_id"] for one in clips}
    whole = reached(clips, REASONS)
    alike = reached(clips, ("same_bytes", "near_duplicate"))
    step_by_step = {name: reached(clips, REASONS[: place + 1]) for place, name in enumerate(REASONS)}
    for row in group_rows(clips):
        clip_id = row["clip_id"]
        founder = min(source_of[member] for member in whole[clip_id])
        assert row["group_id"] == f"g-{founder}"
        assert row["twins_id"] == f"t-{min(alike[clip_id])}"
        assert row["reason"] == next(
            name for name in REASONS if founder in {source_of[member] for member in step_by_step[name][clip_id]}
        )


def member(number, domain, group, reason="source"):
    return {
        "clip_id": f"{domain}-{number}",
        "domain": domain,
        "group_id": group,
        "reason": reason,
        "twins_id": str(number),
    }


def test_a_group_of_several_domains_is_at_home_where_most_of_its_clips_are():
    rows = [
        *(member(n, "movie", "both") for n in range(3)),
        *(member(n, "sticker", "both") for n in range(3, 5)),
        member(5, "animation", "equal"),
        member(6, "movie", "equal"),
        member(7, "movie", "one"),
    ]
    groups = ClipGroups.of(rows)
    assert groups.home_of == {"both": "movie", "equal": "movie"}
    assert groups.groups_of(["movie-0", "sticker-3", "animation-5", "unknown"]) == {"both", "equal"}


def test_the_largest_group_of_each_domain_is_reported_and_suspicious_where_looks_made_it_large():
    rows = [
        *(member(n, "movie", "a film") for n in range(60)),
        *(member(n, "movie", f"m{n}") for n in range(60, 200)),
        member(0, "sticker", "faces"),
        *(member(n, "sticker", "faces", "near_duplicate") for n in range(1, 5)),
        *(member(n, "sticker", f"s{n}") for n in range(5, 200)),
    ]
    assert [(one.domain, one.group_id, one.clip_count, one.domain_clip_count) for one in largest_groups(rows)] == [
        ("movie", "a film", 60, 200),
        ("sticker", "faces", 5, 200),
    ]
    (suspicious,) = suspicious_groups(rows)
    assert (suspicious.domain, suspicious.group_id, suspicious.share) == ("sticker", "faces", 0.025)
    assert suspicious_groups([*rows, *(member(n, "sticker", f"s{n}") for n in range(200, 600))]) == []
    assert suspicious_groups([row for row in rows if row["clip_id"] != "sticker-0"]) == []
