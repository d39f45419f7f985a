"""Who is asked about what: sizes, purposes, and that a plan stands still while the library grows."""

import hashlib
import time
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emovid_assets.core.sampling import SamplingSettings, disputed_clips, plan_tasks


def clips_of(domain, count, *, per_source=1, first=0):
    return [
        {"clip_id": f"{domain}-{n // per_source:016x}-{n:08d}-{n + 1:08d}", "source_id": source, "domain": domain}
        for n in range(first, first + count)
        for source in [f"{domain}-{n // per_source:016x}"]
    ]


def keys(rows, purpose=None):
    return {(row["clip_id"], row["purpose"]) for row in rows if purpose in (None, row["purpose"])}


def library():
    return clips_of("animation", 2807) + clips_of("movie", 13255, per_source=9) + clips_of("sticker", 6696)


def test_a_library_of_the_papers_size_is_planned_in_two_seconds_and_stands_still_when_it_grows():
    clips = library()
    intended = {clip["source_id"]: "awe" for clip in clips if clip["domain"] == "sticker"}
    begin = time.perf_counter()
    before = plan_tasks(clips, intended)
    assert time.perf_counter() - begin < 2
    after = plan_tasks(clips + clips_of("movie", 1000, per_source=9, first=13255), intended)
    old = {clip["clip_id"] for clip in clips}
    assert len(old) == 22758
    assert {key for key in keys(after) if key[0] in old} == keys(before)


def test_a_growing_library_leaves_reviews_and_adjudications_where_they_are_too():
    clips = library()
    labelled = sorted(clip_id for clip_id, _ in keys(plan_tasks(clips, {}), "label"))
    options = {
        "settings": SamplingSettings(adjudicate=True),
        "benchmark": set(labelled[::20]),
        "disputed": set(labelled[::15]),
    }
    begin = time.perf_counter()
    before = plan_tasks(clips, {}, already_planned=keys(plan_tasks(clips, {})), **options)
    assert time.perf_counter() - begin < 4  # two plans
    # The benchmark has moved on meanwhile; its first clip has left it.
    options["benchmark"] = set(labelled[20::20])
    more = clips + clips_of("movie", 1000, per_source=9, first=13255)
    after = plan_tasks(more, {}, already_planned=keys(before), **options)
    old = {clip["clip_id"] for clip in clips}
    assert [row for row in after if row["clip_id"] in old] == before
    assert len(keys(before, "review")) == len(labelled[::20])
    assert sum(row["required_annotators"] == 4 for row in before) == len(labelled[::15])


def test_the_samples_have_the_sizes_of_the_protocol():
    rows = plan_tasks(library(), {f"sticker-{n:016x}": "fear" for n in range(6000)})
    count = Counter((row["domain"], row["purpose"], row["required_annotators"]) for row in rows)
    assert count["sticker", "verify", 1] == 6000
    assert count["sticker", "label", 3] == 696
    # Five standard deviations of the binomial around the fraction.
    assert abs(count["movie", "label", 3] - 0.2 * 13255) < 5 * (13255 * 0.16) ** 0.5
    assert abs(count["animation", "label", 3] - 0.2 * 2807) < 5 * (2807 * 0.16) ** 0.5
    for domain, size in (("movie", 13255), ("animation", 2807), ("sticker", 6696)):
        assert max(20, 0.01 * size - 5 * (0.01 * size) ** 0.5) <= count[domain, "validate", 3]
        assert count[domain, "validate", 3] < 0.01 * size + 5 * (0.01 * size) ** 0.5
    assert set(count) == {(d, "validate", 3) for d in ("movie", "animation", "sticker")} | {
        ("movie", "label", 3),
        ("animation", "label", 3),
        ("sticker", "verify", 1),
        ("sticker", "label", 3),
    }


def test_twenty_clips_are_validated_where_there_are_twenty_and_all_where_there_are_fewer():
    assert len(keys(plan_tasks(clips_of("movie", 300), {}), "validate")) == 20
    assert len(keys(plan_tasks(clips_of("movie", 7), {}), "validate")) == 7


def test_an_empty_library_has_an_empty_plan():
    assert plan_tasks([], {}) == []


def test_only_stickers_carry_the_intended_emotion():
    clips = clips_of("sticker", 2) + clips_of("movie", 2)
    rows = plan_tasks(
        clips,
        {"sticker-0000000000000000": "awe", "sticker-0000000000000001": "", "movie-0000000000000000": "fear"},
        settings=SamplingSettings(human_fraction=1.0),
    )
    seen = {(row["clip_id"][:24], row["purpose"]): row["intended_emotion"] for row in rows}
    assert seen == {
        ("sticker-0000000000000000", "verify"): "awe",
        ("sticker-0000000000000000", "validate"): "awe",
        ("sticker-0000000000000001", "label"): None,
        ("sticker-0000000000000001", "validate"): None,
        ("movie-0000000000000000-0", "label"): None,
        ("movie-0000000000000000-0", "validate"): None,
        ("movie-0000000000000001-0", "label"): None,
        ("movie-0000000000000001-0", "validate"): None,
    }


def test_a_long_film_does_not_fill_the_minimum():
    long_film = clips_of("movie", 400, per_source=400)
    short = [{**clip, "source_id": f"short-{clip['clip_id']}"} for clip in clips_of("movie", 19, first=1000)]
    rows = plan_tasks(long_film + short, {}, settings=SamplingSettings(validation_fraction=0))
    films = Counter(clip_id in {clip["clip_id"] for clip in long_film} for clip_id, _ in keys(rows, "validate"))
    assert films == {True: 1, False: 19}


@pytest.mark.parametrize(("fraction", "count"), [(0.0, 0), (1.0, 500)])
def test_the_limits_of_the_fraction_are_exact(fraction, count):
    rows = plan_tasks(clips_of("movie", 500), {}, settings=SamplingSettings(human_fraction=fraction))
    assert len(keys(rows, "label")) == count


def rank_of(clip_id, seed):
    return int.from_bytes(hashlib.blake2b(clip_id.encode(), key=seed.encode(), digest_size=8).digest(), "big")


@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.5, 0.93])
def test_a_fraction_takes_the_clips_whose_rank_lies_in_that_share_of_all_ranks_and_no_others(fraction):
    sizes = SamplingSettings(human_fraction=fraction, validation_fraction=fraction, validation_minimum=0)
    # Of so many clips some have ranks within a twentieth of the share on either side.
    clips = clips_of("movie", 3000)
    rows = plan_tasks(clips, {}, settings=sizes)
    for purpose in ("label", "validate"):
        shares = {clip["clip_id"]: Fraction(rank_of(clip["clip_id"], f"emovid/{purpose}"), 2**64) for clip in clips}
        assert {clip_id for clip_id, _ in keys(rows, purpose)} == {
            clip_id for clip_id, share in shares.items() if share < Fraction(fraction)
        }


def test_a_minimum_for_the_human_sample_can_be_set():
    rows = plan_tasks(clips_of("movie", 30), {}, settings=SamplingSettings(human_fraction=0, human_minimum=12))
    assert len(keys(rows, "label")) == 12


def test_purposes_are_drawn_independently():
    rows = plan_tasks(clips_of("movie", 20000), {}, settings=SamplingSettings(validation_fraction=0.2))
    label, validate = ({clip_id for clip_id, _ in keys(rows, purpose)} for purpose in ("label", "validate"))
    assert abs(len(label & validate) / len(validate) - 0.2) < 0.04


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 5))
def test_a_task_that_is_out_is_never_withdrawn_while_its_clip_exists(before, added, per_source):
    first = plan_tasks(clips_of("movie", before, per_source=per_source), {})
    second = plan_tasks(clips_of("movie", before + added, per_source=per_source), {}, already_planned=keys(first))
    assert keys(first) <= keys(second)
    assert len(keys(second, "validate")) >= min(20, before + added)
    again = plan_tasks(clips_of("movie", before + added, per_source=per_source), {}, already_planned=keys(second))
    assert again == second


@settings(deadline=None)
@given(st.permutations(range(40)))
def test_the_order_of_the_clips_plays_no_part(order):
    clips = clips_of("animation", 40, per_source=3)
    assert plan_tasks([clips[n] for n in order], {}) == plan_tasks(clips, {})


def test_tasks_of_clips_that_are_gone_are_forgotten():
    planned = {("movie-gone-00000000-00000001", "label"), ("movie-gone-00000000-00000001", "validate")}
    rows = plan_tasks(clips_of("movie", 30), {}, already_planned=planned)
    assert not keys(rows) & planned


def test_a_verification_without_an_intention_becomes_a_label_task():
    (clip,) = clips_of("sticker", 1)
    rows = plan_tasks([clip], {}, already_planned={(clip["clip_id"], "verify")})
    assert {row["purpose"] for row in rows} == {"label", "validate"}
    rows = plan_tasks([clip], {clip["source_id"]: "awe"}, already_planned=keys(rows))
    assert {row["purpose"] for row in rows} == {"label", "verify", "validate"}


def with_a_long_film():
    """One film of 2,000 clips among 200 films of 20: a third of the library."""
    return clips_of("movie", 2000, per_source=2000) + clips_of("movie", 4000, per_source=20, first=2000)


def share_of_the_long_film(chosen):
    return sum(clip_id.startswith("movie-0000000000000000-") for clip_id in chosen) / len(chosen)


def test_a_long_film_has_the_share_of_the_sample_that_it_has_of_the_library():
    shares = []
    for seed in range(25):
        rows = plan_tasks(with_a_long_film(), {}, settings=SamplingSettings(seed=f"seed {seed}"))
        chosen = [clip_id for clip_id, _ in keys(rows, "label")]
        shares.append(share_of_the_long_film(chosen))
        # The film's count is binomial: 400 with a standard deviation of 17.9.
        assert abs(sum(name.startswith("movie-0000000000000000-") for name in chosen) - 400) < 5 * 17.9
    # A share has a standard deviation of 0.0122, the mean of 25 one of 0.0025.
    assert abs(sum(shares) / 25 - 1 / 3) < 4 * 0.0025


@pytest.mark.parametrize(("minimum", "most"), [(20, 1), (201, 1), (202, 2), (603, 3)])
def test_where_a_minimum_is_filled_no_film_gives_another_clip_before_every_film_has_given_one(minimum, most):
    sizes = SamplingSettings(validation_fraction=0, validation_minimum=minimum)
    rows = plan_tasks(with_a_long_film(), {}, settings=sizes)
    films = Counter(clip_id.split("-")[1] for clip_id, _ in keys(rows, "validate"))
    assert (films.total(), max(films.values())) == (minimum, most)
    # Its share of the clips would allow a third.
    assert films["0" * 16] <= most <= -(-minimum // 3)


def test_the_films_together_are_sampled_as_evenly_as_chance_allows():
    rows = plan_tasks(clips_of("movie", 20000, per_source=100), {})
    films = Counter(clip_id.split("-")[1] for clip_id, _ in keys(rows, "label"))
    assert len(films) == 200
    # Chi-square of 200 binomials of 100 clips at 20 %; five standard deviations of its 200 degrees of freedom.
    assert abs(sum((count - 20) ** 2 / 16 for count in films.values()) - 200) < 5 * 400**0.5


def test_every_clip_of_the_benchmark_is_reviewed_whatever_else_it_is_for():
    movies, stickers = clips_of("movie", 50), clips_of("sticker", 3)
    benchmark = {movies[0]["clip_id"], movies[7]["clip_id"], stickers[1]["clip_id"], "movie-gone-00000000-00000001"}
    rows = plan_tasks(movies + stickers, {stickers[1]["source_id"]: "awe"}, benchmark=benchmark)
    reviews = {row["clip_id"]: row["required_annotators"] for row in rows if row["purpose"] == "review"}
    assert reviews == dict.fromkeys(benchmark - {"movie-gone-00000000-00000001"}, 1)
    without = plan_tasks(movies + stickers, {stickers[1]["source_id"]: "awe"})
    assert [row for row in rows if row["purpose"] != "review"] == without


def test_a_review_stays_when_its_clip_leaves_the_benchmark_and_none_is_left_where_none_is_wanted():
    (clip,) = clips_of("movie", 1)
    planned = {(clip["clip_id"], "review")}
    assert keys(plan_tasks([clip], {}, already_planned=planned), "review") == planned
    none = SamplingSettings(review_annotators=0)
    kept = plan_tasks([clip], {}, settings=none, already_planned=planned, benchmark={clip["clip_id"]})
    assert not keys(kept, "review")


def test_the_numbers_of_people_are_those_of_the_settings():
    clips = clips_of("movie", 1) + clips_of("sticker", 1)
    sizes = SamplingSettings(
        human_fraction=1.0, label_annotators=5, verify_annotators=2, validation_annotators=4, review_annotators=3
    )
    rows = plan_tasks(
        clips, {clips[1]["source_id"]: "fear"}, settings=sizes, benchmark={clip["clip_id"] for clip in clips}
    )
    assert {(row["domain"], row["purpose"]): row["required_annotators"] for row in rows} == {
        ("movie", "label"): 5,
        ("movie", "validate"): 4,
        ("movie", "review"): 3,
        ("sticker", "verify"): 2,
        ("sticker", "validate"): 4,
        ("sticker", "review"): 3,
    }


@pytest.mark.parametrize(("adjudicate", "people"), [(False, 3), (True, 4)])
def test_a_disagreement_needs_one_more_person_where_the_settings_say_so(adjudicate, people):
    first, other = clips_of("movie", 2)
    rows = plan_tasks(
        [first, other],
        {},
        settings=SamplingSettings(human_fraction=1.0, adjudicate=adjudicate),
        disputed={first["clip_id"]},
    )
    needed = {(row["clip_id"], row["purpose"]): row["required_annotators"] for row in rows}
    assert needed[first["clip_id"], "label"] == people
    assert {count for key, count in needed.items() if key != (first["clip_id"], "label")} == {3}


def label_of(clip_id, outcome, people):
    return {"clip_id": clip_id, "outcome": outcome, "annotator_count": people}


def label_task(clip_id, people):
    return {"clip_id": clip_id, "purpose": "label", "required_annotators": people}


def test_a_clip_enters_the_adjudication_queue_without_a_majority_and_stays_when_it_is_decided():
    labels = [
        label_of("disputed", "no_majority", 3),
        label_of("still disputed", "no_majority", 4),
        label_of("decided", "agreed", 4),
        label_of("changed their mind", "agreed", 3),
        label_of("a volunteer answered too", "agreed", 4),
        label_of("agreed", "agreed", 3),
        label_of("no emotion", "no_specific_emotion", 3),
    ]
    tasks = [
        label_task("decided", 4),
        label_task("still disputed", 4),
        label_task("changed their mind", 4),
        label_task("a volunteer answered too", 3),
        {**label_task("agreed", 4), "purpose": "validate"},
    ]
    assert disputed_clips(labels, tasks) == {"disputed", "still disputed", "decided"}
    assert disputed_clips([], tasks) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"human_fraction": 20},
        {"validation_fraction": -0.1},
        {"validation_minimum": -1},
        {"label_annotators": 0},
        {"validation_annotators": 0},
        {"review_annotators": -1},
    ],
)
def test_impossible_sizes_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SamplingSettings(**wrong)
