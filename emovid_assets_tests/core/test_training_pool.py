"""No labeller learns from what it or others are judged by."""

import random
from collections import Counter

import pytest

from emovid_assets.core.clip_groups import ClipGroups, group_rows
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.splits import leaks, split_clips
from emovid_assets.core.training_pool import BenchmarkRules, planned_benchmark, training_pool

RULES = BenchmarkRules(per_cell=2, seed="emovid", review_annotators=1)


def clip(number, *, domain="movie", source=None, film=None, hashes=()):
    source_id = f"{domain}-{number if source is None else source:016x}"
    return {
        "clip_id": f"{source_id}-{number:08d}-{number + 1:08d}",
        "source_id": source_id,
        "domain": domain,
        "film_id": film,
        "source_sha256": f"bytes of {source_id}",
        "clip_sha256": None,
        "frame_hashes": list(hashes),
        "mean_colour": (0.5, 0.25, 0.25, 0.0),
    }


def label(one, emotion="fear", outcome="agreed"):
    return {
        "clip_id": one["clip_id"],
        "domain": one["domain"],
        "emotion": emotion if outcome == "agreed" else None,
        "outcome": outcome,
    }


def library(seed, *, clips=300, films=60, human_share=0.5, domain="movie"):
    """Clips of films, and human labels of some; a few of them without a majority."""
    chance = random.Random(seed)
    members = [clip(number, domain=domain, source=chance.randrange(films)) for number in range(clips)]
    human = [
        label(one, chance.choice(EMOTION_NAMES), "no_majority" if chance.random() < 0.1 else "agreed")
        for one in members
        if chance.random() < human_share
    ]
    return members, human


def groups_of(members):
    return ClipGroups.of(group_rows(members))


def pool_of(members, human, *, validation=(), published=(), annotations=(), rules=RULES):
    return training_pool(
        groups_of(members),
        human,
        list(annotations),
        validation=set(validation),
        published_benchmark=set(published),
        rules=rules,
    )


def final_split(members, human, *, seed=0, published=(), failed=(), rules=RULES):
    """What `benchmark_split` makes once a model has labelled the rest, whatever it says."""
    chance = random.Random(seed)
    groups = groups_of(members).group_of
    by_clip = {row["clip_id"]: row for row in human}
    rows = []
    for one in members:
        row = by_clip.get(one["clip_id"])
        if row is None and one["domain"] != "sticker":
            rows.append({**one, "emotion": chance.choice(EMOTION_NAMES), "label_source": "vlm"})
        elif row is not None and row["outcome"] == "agreed":
            rows.append({**one, "emotion": row["emotion"], "label_source": "human"})
    return split_clips(
        [{**row, "group_id": groups[row["clip_id"]], "caption": None} for row in rows],
        per_cell=rules.per_cell,
        seed=rules.seed,
        already_benchmark=set(published),
        failed_reviews=set(failed),
    )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("domain", ["movie", "sticker"])
def test_the_benchmark_that_is_drawn_later_is_the_one_that_was_kept_out(seed, domain):
    members, human = library(seed, domain=domain)
    split = final_split(members, human, seed=seed)
    benchmark = {row["clip_id"] for row in split if row["split"] == "benchmark"}
    assert len(benchmark) == 16
    assert (
        planned_benchmark(domain, groups_of(members), {row["clip_id"]: row for row in human}, [], set(), RULES)
        == benchmark
    )
    pool = pool_of(members, human)
    groups = groups_of(members).group_of
    closed = {groups[clip_id] for clip_id in benchmark}
    assert pool.emotions
    assert not {groups[clip_id] for clip_id in pool.emotions} & closed
    agreed = {row["clip_id"]: row["emotion"] for row in human if row["outcome"] == "agreed"}
    assert pool.emotions == {clip_id: emotion for clip_id, emotion in agreed.items() if groups[clip_id] not in closed}
    assert pool.groups == {clip_id: groups[clip_id] for clip_id in pool.emotions}
    assert pool.labelled_count == len(agreed)


def test_with_the_benchmark_there_is_all_but_the_validation_set():
    members, human = library(2)
    agreed = {row["clip_id"]: row["emotion"] for row in human if row["outcome"] == "agreed"}
    blind = sorted(agreed)[:5]
    strict = pool_of(members, human, validation=blind)
    whole = strict.with_benchmark()
    assert whole.emotions == {clip_id: emotion for clip_id, emotion in agreed.items() if clip_id not in blind}
    assert whole.groups.keys() == whole.emotions.keys()
    assert (whole.benchmark_count, whole.labelled_count) == (0, strict.labelled_count)
    assert strict.benchmark_count == len(whole.emotions) - len(strict.emotions) > 0


def test_what_was_published_as_benchmark_stays_out_even_where_it_would_not_be_drawn_now():
    members, human = library(3)
    free = sorted(pool_of(members, human).emotions)
    published = free[:1]
    pool = pool_of(members, human, published=published)
    groups = groups_of(members).group_of
    assert groups[published[0]] not in pool.groups.values()


def test_a_clip_that_failed_its_review_makes_room_for_another_in_the_benchmark():
    members, human = library(4)
    by_clip = {row["clip_id"]: row for row in human}
    before = planned_benchmark("movie", groups_of(members), by_clip, [], set(), RULES)
    failed = sorted(before)[0]
    emotion = next(row["emotion"] for row in human if row["clip_id"] == failed)
    other = next(name for name in EMOTION_NAMES if name != emotion)
    review = {"clip_id": failed, "purpose": "review", "label": other}
    after = planned_benchmark(
        "movie", groups_of(members), {row["clip_id"]: row for row in human}, [review], set(), RULES
    )
    assert failed not in after
    split = final_split(members, human, failed={failed})
    assert after == {row["clip_id"] for row in split if row["split"] == "benchmark"}


def test_validation_clips_and_their_near_duplicates_stay_out_but_not_their_films():
    hashes = ["0f1e2d3c4b5a6978", "123456789abcdef0", "fedcba9876543210"]
    blind = clip(1, source=1, hashes=hashes)
    twin = clip(2, source=2, hashes=hashes)
    same_film = clip(3, source=1)
    human = [label(one) for one in (blind, twin, same_film)]
    rules = BenchmarkRules(per_cell=0, seed="emovid", review_annotators=1)
    pool = pool_of([blind, twin, same_film], human, validation=[blind["clip_id"]], rules=rules)
    assert set(pool.emotions) == {same_film["clip_id"]}
    assert (pool.validation_count, pool.benchmark_count, pool.labelled_count) == (2, 0, 3)
    assert pool.sentence.startswith("people agreed on 3 clips, of which 2 are kept for validation (annotation.")
    assert "benchmark" not in pool.sentence


def test_a_near_duplicate_of_a_benchmark_clip_stays_out_in_another_domain_too():
    hashes = ["0f1e2d3c4b5a6978", "123456789abcdef0", "fedcba9876543210"]
    film = clip(1, hashes=hashes)
    sticker = clip(2, domain="sticker", hashes=hashes)
    human = [label(film), label(sticker)]
    assert pool_of([film, sticker], human, published=[film["clip_id"]]).emotions == {}


def test_clips_without_features_or_without_agreement_are_not_learnt_from():
    known, gone, open_case = clip(1), clip(2), clip(3)
    rules = BenchmarkRules(per_cell=0, seed="emovid", review_annotators=1)
    human = [label(known), label(gone), label(open_case, outcome="no_majority")]
    pool = pool_of([known, open_case], human, rules=rules)
    assert pool.emotions == {known["clip_id"]: "fear"}
    assert Counter(pool.groups.values()).total() == 1


def test_an_empty_library_has_an_empty_pool():
    assert pool_of([], []).labelled_count == 0


def domains_of_random_links(seed):
    """Clips of three domains of which some share a film, their bytes or their looks, and labels of most."""
    chance = random.Random(seed)
    pictures = [[f"{chance.getrandbits(64):016x}" for _ in range(3)] for _ in range(60)]
    members = []
    for number in range(360):
        one = clip(number, domain=chance.choice(DOMAINS), source=number // 2, film=chance.choice([None] * 9 + ["heat"]))
        if chance.random() < 0.3:
            one["frame_hashes"] = chance.choice(pictures)
        if chance.random() < 0.1:
            one["clip_sha256"] = f"file {chance.randrange(10)}"
        members.append(one)
    return members, [label(one, chance.choice(EMOTION_NAMES)) for one in members if chance.random() < 0.8]


@pytest.mark.parametrize("seed", range(6))
def test_no_group_is_torn_between_benchmark_and_training_or_what_a_labeller_learns_from_in_any_domain(seed):
    """Each domain is split by itself, as `benchmark_split` does, from the one table of groups."""
    members, human = domains_of_random_links(seed)
    groups = groups_of(members)
    assert groups.home_of
    emotions = {row["clip_id"]: row["emotion"] for row in human}
    splits = {}
    for domain in DOMAINS:
        rows = [
            {**one, "group_id": groups.group_of[one["clip_id"]], "emotion": emotions.get(one["clip_id"], "awe")}
            | {"label_source": "human" if one["clip_id"] in emotions else "vlm", "caption": None}
            for one in members
            if one["domain"] == domain and (one["clip_id"] in emotions or domain != "sticker")
        ]
        splits[domain] = split_clips(rows, per_cell=RULES.per_cell, seed=RULES.seed, home_of=groups.home_of)
    everything = [row for rows in splits.values() for row in rows]
    assert all({"benchmark", "train"} <= {row["split"] for row in rows} for rows in splits.values())
    assert leaks(everything) == []
    benchmark = groups.groups_of(row["clip_id"] for row in everything if row["split"] == "benchmark")
    pool = pool_of(members, human)
    assert pool.emotions
    assert not set(pool.groups.values()) & benchmark
    assert set(pool.closed_groups.values()) == benchmark & groups.groups_of(emotions)
