"""Ids come from content, ranks from ids and a seed."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.identity import RANK_COUNT, clip_id, domain_of, file_sha256, keyed_rank, source_id, source_of

DIGEST = hashlib.sha256(b"a film").hexdigest()


def test_the_hash_of_a_file_is_the_hash_of_its_bytes(tmp_path):
    content = b"frame" * 500_000
    (tmp_path / "a film.mp4").write_bytes(content)
    assert file_sha256(tmp_path / "a film.mp4") == hashlib.sha256(content).hexdigest()


def test_a_source_id_is_the_domain_and_sixteen_digits():
    assert source_id("movie", DIGEST) == f"movie-{DIGEST[:16]}"
    assert source_id("movie", DIGEST.upper()) == f"movie-{DIGEST[:16]}"


@pytest.mark.parametrize(("domain", "digest"), [("opera", DIGEST), ("movie", DIGEST[:16]), ("movie", "z" * 64)])
def test_a_source_id_needs_a_domain_and_a_whole_digest(domain, digest):
    with pytest.raises(ValueError, match=r"use one of|64 hex digits"):
        source_id(domain, digest)


def test_a_clip_id_holds_padded_milliseconds():
    assert clip_id("movie-0123456789abcdef", 0, 4.2) == "movie-0123456789abcdef-00000000-00004200"


@pytest.mark.parametrize(
    ("seconds", "milliseconds"),
    [(1.0005, "00001001"), (1.00049, "00001000"), (2.0015, "00002002"), (1 / 3, "00000333")],
)
def test_milliseconds_are_rounded_half_up_in_decimal(seconds, milliseconds):
    assert clip_id("movie-a", 0, seconds) == f"movie-a-00000000-{milliseconds}"


@pytest.mark.parametrize(("start_s", "end_s"), [(-1, 2), (2, 2), (3, 2), (0, float("nan")), (0, float("inf"))])
def test_impossible_times_have_no_clip_id(start_s, end_s):
    with pytest.raises(ValueError, match="start < end"):
        clip_id("movie-a", start_s, end_s)


@settings(deadline=None)
@given(st.sampled_from(DOMAINS), st.binary(max_size=8), st.floats(0, 1e5), st.floats(0.001, 1e5))
def test_source_and_domain_are_read_back_from_a_clip_id(domain, content, start_s, duration_s):
    source = source_id(domain, hashlib.sha256(content).hexdigest())
    clip = clip_id(source, start_s, start_s + duration_s)
    assert source_of(clip) == source
    assert domain_of(clip) == domain_of(source) == domain


def test_text_that_is_no_clip_id_has_no_source():
    with pytest.raises(ValueError, match="no clip id"):
        source_of("movie-0123456789abcdef")


@pytest.mark.parametrize("identifier", ["", "movie", "movie-", "movies-1", "-movie-1", "Movie-1", "clip_1"])
def test_text_that_begins_with_no_domain_has_none(identifier):
    assert domain_of(identifier) is None


@settings(deadline=None)
@given(st.text(), st.text())
def test_ranks_are_sixty_four_bit_and_repeatable(identifier, seed):
    assert 0 <= keyed_rank(identifier, seed) < RANK_COUNT
    assert keyed_rank(identifier, seed) == keyed_rank(identifier, seed)


def test_ranks_do_not_change_between_releases():
    expected = hashlib.blake2b(b"movie-a-00000000-00004000", key=b"emovid", digest_size=8).digest()
    assert keyed_rank("movie-a-00000000-00004000", "emovid") == int.from_bytes(expected, "big")


@pytest.mark.parametrize("length", [63, 64, 65, 200])
def test_a_seed_is_the_key_itself_as_long_as_it_may_be_one(length):
    seed = ("emovid" * 40)[:length].encode()
    key = seed if length <= 64 else hashlib.blake2b(seed).digest()
    expected = hashlib.blake2b(b"movie-a", key=key, digest_size=8).digest()
    assert keyed_rank("movie-a", seed.decode()) == int.from_bytes(expected, "big")


def test_ranks_of_two_seeds_are_unrelated_and_uniform():
    first = [keyed_rank(str(n), "one") / RANK_COUNT for n in range(4000)]
    second = [keyed_rank(str(n), "two" * 40) / RANK_COUNT for n in range(4000)]
    assert abs(sum(first) / 4000 - 0.5) < 0.02
    assert abs(sum(a < 0.5 and b < 0.5 for a, b in zip(first, second, strict=True)) / 4000 - 0.25) < 0.03
