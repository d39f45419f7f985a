"""The store itself, without workers."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.resources.item_store import FinishedItem, ItemStore, QuarantinedItem, StateError


def quarantine(store, item_id, key="k", code="truncated", domain="movie", step="scan"):
    item = QuarantinedItem(item_id, key, path="p", code=code, message="m", input_sha256=None, code_version="scan-1")
    store.settle(step, domain, [], [item])


def record(store, item_id, key, payload, domain="movie", step="scan"):
    store.settle(step, domain, [FinishedItem(item_id, key, payload)])


def test_a_result_survives_closing_and_opening(tmp_path):
    store = ItemStore(tmp_path / "deep" / "state.sqlite")
    payload = {"text": "été 兎", "numbers": [1, 2.5, None, True], "nested": {"a": []}}
    record(store, "a", "key", payload)
    store.close()
    assert dict(ItemStore(tmp_path / "deep" / "state.sqlite").finished("scan", "movie")) == {"a": ("key", payload)}


def test_one_part_of_each_payload_can_be_read_alone(tmp_path):
    store = ItemStore(tmp_path / "state.sqlite")
    payloads = {"a": {"tracks": {"x": [1]}, "more": 1}, "b": {"tracks": {"x": [1]}}, "c": {"more": 2}}
    for item_id, payload in payloads.items():
        record(store, item_id, "key", payload)
    record(store, "d", "key", {"tracks": {}}, domain="sticker")
    found = store.finished_parts("scan", "movie", "tracks")
    assert found == {item_id: payload.get("tracks") for item_id, payload in payloads.items()}
    assert found["a"] is found["b"]
    assert store.finished_parts("scan", "movie", 'no "such" part') == dict.fromkeys(payloads)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63))
def test_numbers_come_back_bit_for_bit(tmp_path_factory, number, integer):
    store = ItemStore(tmp_path_factory.getbasetemp() / "numbers.sqlite")
    record(store, "a", "k", {"x": number, "n": integer})
    assert dict(store.finished("scan", "movie"))["a"][1] == {"x": number, "n": integer}
    store.close()


def test_a_result_ends_the_quarantine_and_a_failure_ends_the_result(tmp_path):
    store = ItemStore(tmp_path / "state.sqlite")
    quarantine(store, "a")
    assert store.failed_keys("scan", "movie") == {"a": ("k", "truncated")}
    record(store, "a", "k", {})
    assert store.failures("movie") == []
    quarantine(store, "a")
    assert dict(store.finished("scan", "movie")) == {}


def test_attempts_of_the_same_content_are_counted_and_start_anew_with_new_content(tmp_path):
    store = ItemStore(tmp_path / "state.sqlite")
    for _ in range(3):
        quarantine(store, "a")
    (row,) = store.failures("movie")
    assert row.attempt_count == 3
    assert row.first_seen_at < row.last_seen_at
    assert row.first_seen_at.tzinfo is not None
    quarantine(store, "a", key="k2", code="timeout")
    (row,) = store.failures("movie")
    assert (row.attempt_count, row.code) == (1, "timeout")


def test_failures_can_be_asked_for_one_step_or_for_all(tmp_path):
    store = ItemStore(tmp_path / "state.sqlite")
    quarantine(store, "a", step="probe")
    quarantine(store, "b", step="scan")
    quarantine(store, "c", step="scan", domain="sticker")
    assert [row.item_id for row in store.failures("movie")] == ["a", "b"]
    assert [row.item_id for row in store.failures("movie", "scan")] == ["b"]


def test_forgetting_spares_other_steps_and_domains(tmp_path):
    store = ItemStore(tmp_path / "state.sqlite")
    for step, domain in (("scan", "movie"), ("scan", "sticker"), ("probe", "movie")):
        record(store, f"{domain}-a", "k", {}, domain, step)
    store.forget_others("scan", "movie", [])
    assert dict(store.finished("scan", "movie")) == {}
    assert set(dict(store.finished("scan", "sticker"))) == {"sticker-a"}
    assert set(dict(store.finished("probe", "movie"))) == {"movie-a"}


def test_hashes_of_files_are_remembered_and_forgotten(tmp_path):
    store = ItemStore(tmp_path / "state.sqlite")
    store.remember_hashes([("a", 1, 2, "x")])
    store.remember_hashes([("a", 1, 3, "y"), ("b", 4, 5, "z")])
    assert store.known_hashes() == {"a": (1, 3, "y"), "b": (4, 5, "z")}
    assert store.known_hashes("b") == {"b": (4, 5, "z")}
    store.forget_hashes({"a"})
    assert set(store.known_hashes()) == {"b"}


def test_many_writers_at_once_lose_nothing(tmp_path):
    def write(worker):
        store = ItemStore(tmp_path / "state.sqlite")
        for number in range(50):
            record(store, f"{worker}-{number}", "k", {"n": number})
        store.close()

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(dict(ItemStore(tmp_path / "state.sqlite").finished("scan", "movie"))) == 200


def test_a_file_that_is_no_store_is_told_in_a_sentence_with_what_to_do(tmp_path):
    path = tmp_path / "state.sqlite"
    path.write_text("a garbage that is long enough to be looked at\n" * 40, encoding="utf-8")
    with pytest.raises(StateError, match=r"file is not a database\. Move it away and build: all is computed again"):
        ItemStore(path)
