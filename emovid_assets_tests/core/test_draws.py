"""The order of draws: no group comes twice before each has come once."""

import random
from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.draws import spread_over
from emovid_assets.core.identity import keyed_rank

libraries = st.lists(st.integers(0, 6), max_size=40)


def clips_of(groups):
    return [{"clip_id": f"clip-{number}", "source_id": group} for number, group in enumerate(groups)]


def by_source(clip):
    return clip["source_id"]


@given(libraries, st.text(max_size=3))
def test_clips_come_in_rounds_of_one_a_group_each_by_rank(groups, seed):
    left = defaultdict(list)
    for clip in clips_of(groups):
        left[clip["source_id"]].append(clip)
    expected = []
    while left:
        lowest = [min(members, key=lambda clip: keyed_rank(clip["clip_id"], seed)) for members in left.values()]
        expected += sorted(lowest, key=lambda clip: keyed_rank(clip["clip_id"], seed))
        for clip in lowest:
            left[clip["source_id"]].remove(clip)
        left = {group: members for group, members in left.items() if members}
    assert spread_over(clips_of(groups), by_source, seed) == expected


@given(libraries, st.randoms())
def test_the_order_of_the_clips_plays_no_part(groups, chance):
    shuffled = clips_of(groups)
    chance.shuffle(shuffled)
    assert spread_over(shuffled, by_source, "s") == spread_over(clips_of(groups), by_source, "s")


def test_no_group_gives_a_second_clip_before_each_has_given_one():
    clips = clips_of(random.Random(1).choices(range(9), k=200))
    first = spread_over(clips, by_source, "emovid")[:9]
    assert Counter(clip["source_id"] for clip in first) == dict.fromkeys(range(9), 1)
