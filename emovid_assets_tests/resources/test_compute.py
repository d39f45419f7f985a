"""Items: computed once, kept through crashes, quarantined alone."""

import importlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from unittest import mock

import pytest

from emovid_assets.core.identity import file_sha256
from emovid_assets.home.folders import Home
from emovid_assets.resources import library as library_module
from emovid_assets.resources.compute import Item, Step, compute, count
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library import read_library
from emovid_assets.resources.workers import WorkersCannotStartError, kept_alive
from emovid_assets_tests.resources.steps import work

pytestmark = pytest.mark.integration

STEP = Step("square", "1", "config", work)


class Bench:
    """A home, its store, and the note of which items were worked on."""

    def __init__(self, home):
        self.home, self.log = home, home / "log.txt"
        self.store = ItemStore(home / "state.sqlite")

    def item(self, name, number=2, *, content=None, weight=0.0, **arguments):
        known = {"number": number, "name": name, "log": str(self.log), "home": str(self.home)}
        return Item(
            name,
            content=content or name,
            arguments=known | arguments,
            path=f"library/{name}",
            input_sha256="ab",
            weight=weight,
        )

    def run(self, items, *, step=STEP, domain="movie", workers=2, timeout_s=60.0, **options):
        return compute(self.store, step, domain, items, home=self.home, workers=workers, timeout_s=timeout_s, **options)

    def worked(self):
        names = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return sorted(names)


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.store.close()


def test_only_new_and_changed_items_are_computed_and_gone_ones_forgotten(bench):
    a, b = bench.item("a", 3), bench.item("b", 4)
    first = bench.run([a, b])
    assert first.payloads == {"a": {"answer": 9}, "b": {"answer": 16}}
    assert (first.computed_count, bench.worked()) == (2, ["a", "b"])
    again = bench.run([a, b])
    assert (again.payloads, again.computed_count, bench.worked()) == (first.payloads, 0, [])
    changed = bench.run([a, bench.item("b", 5, content="b2"), bench.item("c", 6)])
    assert changed.payloads == {"a": {"answer": 9}, "b": {"answer": 25}, "c": {"answer": 36}}
    assert bench.worked() == ["b", "c"]
    bench.run([a])
    assert set(dict(bench.store.finished("square", "movie"))) == {"a"}
    assert bench.run([a, b]).computed_count == 1


def test_a_new_version_or_configuration_computes_everything_again(bench):
    items = [bench.item("a")]
    bench.run(items)
    assert bench.run(items, step=Step("square", "2", "config", work)).computed_count == 1
    assert bench.run(items, step=Step("square", "2", "other", work)).computed_count == 1
    assert bench.run(items, step=Step("square", "2", "other", work)).computed_count == 0


def test_domains_and_steps_keep_their_items_apart(bench):
    bench.run([bench.item("movie-a")], domain="movie")
    bench.run([bench.item("sticker-a")], domain="sticker")
    bench.run([], domain="sticker", step=Step("cube", "1", "", work))
    assert set(dict(bench.store.finished("square", "movie"))) == {"movie-a"}
    assert set(dict(bench.store.finished("square", "sticker"))) == {"sticker-a"}


def test_every_way_to_fail_becomes_one_row_and_leaves_the_others_alone(bench):
    items = [
        bench.item("fine", 5),
        bench.item("refused", act="refuse"),
        bench.item("unknown", act="fail"),
        bench.item("exits", act="exit"),
        bench.item("killed", act="kill"),
        bench.item("also-fine", 6),
    ]
    outcome = bench.run(items)
    assert outcome.payloads == {"fine": {"answer": 25}, "also-fine": {"answer": 36}}
    rows = {failure.item_id: failure for failure in outcome.failures}
    assert {name: row.code for name, row in rows.items()} == {
        "refused": "truncated",
        "unknown": "unexpected_error",
        "exits": "decoder_crashed",
        "killed": "decoder_crashed",
    }
    assert rows["refused"].message == (
        "It ends too early. The file ends before its own index says it should. Fetch it again."
    )
    assert "nobody foresaw this" in rows["unknown"].message
    assert (rows["exits"].path, rows["exits"].input_sha256, rows["exits"].code_version) == (
        "library/exits",
        "ab",
        "square-1",
    )


def test_of_many_small_items_only_those_that_crash_hang_or_devour_memory_are_quarantined(bench):
    acts = {17: "kill", 40: "exit", 41: "exit", 90: "devour", 120: "spin", 199: "kill"}
    items = [bench.item(f"{n:03d}", n, **({"act": acts[n]} if n in acts else {})) for n in range(200)]
    outcome = bench.run(items, timeout_s=3.0, memory_mb=1024)
    codes = {int(failure.item_id): failure.code for failure in outcome.failures}
    assert codes == {17: "decoder_crashed", 40: "decoder_crashed", 41: "decoder_crashed", 199: "decoder_crashed"} | {
        90: "too_large",
        120: "timeout",
    }
    assert outcome.payloads == {f"{n:03d}": {"answer": n * n} for n in range(200) if n not in acts}
    # None of the others was begun twice, whatever batch it was in.
    assert bench.worked() == sorted(f"{n:03d}" for n in range(200))


@pytest.mark.parametrize("act", ["devour", "enomem"])
def test_an_item_that_needs_more_memory_than_allowed_names_the_setting_and_is_tried_when_that_changes(bench, act):
    big = bench.item("big", act=act)
    (failure,) = bench.run([big], memory_mb=512).failures
    assert failure.code == "too_large"
    assert "more memory than media.memory_mb = 512 allows" in failure.message
    bench.worked()
    bench.run([big], memory_mb=512)
    assert bench.worked() == []
    assert bench.run([bench.item("big", 3)], memory_mb=4096).payloads == {"big": {"answer": 9}}


def test_workers_that_cannot_work_at_all_end_the_run_with_a_sentence_and_blame_no_item(bench, tmp_path, monkeypatch):
    # As where a worker lacks a library: the step can be loaded here and not there.
    (tmp_path / "lame_step.py").write_text(
        "import multiprocessing\n"
        "if multiprocessing.parent_process():\n"
        "    raise ImportError('no such library here')\n"
        "def work(arguments):\n"
        "    return {}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    work_elsewhere = importlib.import_module("lame_step").work
    with pytest.raises(WorkersCannotStartError, match="ImportError: no such library here"):
        bench.run([bench.item("a")], step=Step("lame", "1", "", work_elsewhere))
    assert bench.store.failures("movie") == []


def test_steps_of_one_build_share_their_workers(bench):
    def processes(step):
        items = [bench.item(f"{step}{n}", n, tell=True, seconds=0.02) for n in range(20)]
        payloads = bench.run(items, step=Step(step, "1", "", work)).payloads
        return {payload["process"] for payload in payloads.values()}

    with kept_alive():
        first = processes("one")
        assert processes("two") <= first
        assert len(first) <= 2
    assert not any(alive(pid) for pid in first)
    assert not processes("three") & first


def test_after_an_error_in_the_build_shared_workers_do_not_go_on_with_its_items(bench):
    def fall(step, done, total):
        if done:
            raise KeyboardInterrupt

    with kept_alive():
        with pytest.raises(KeyboardInterrupt):
            bench.run([bench.item(f"a{n}", n, seconds=0.2) for n in range(8)], progress=fall)
        begun = bench.worked()
        outcome = bench.run([bench.item("z", 3)], step=Step("next", "1", "", work))
        assert (outcome.payloads, bench.worked()) == ({"z": {"answer": 9}}, ["z"])
    assert len(begun) < 8


def test_items_of_a_group_stand_together_where_the_heaviest_of_them_would(bench):
    items = [
        *(bench.item(f"film-{n}", weight=n) for n in (1, 9, 2)),
        bench.item("lone-5", weight=5),
        bench.item("lone-10", weight=10),
    ]
    grouped = [replace(item, group="film") if item.item_id.startswith("film") else item for item in items]
    bench.run(grouped, workers=1)
    assert bench.log.read_text().split() == ["lone-10", "film-1", "film-2", "film-9", "lone-5"]


def test_payloads_are_read_when_asked_for_and_say_so_when_another_run_has_replaced_them(bench):
    outcome = bench.run([bench.item("a", 3), bench.item("b", 4)])
    assert (len(outcome.payloads), list(outcome.payloads), outcome.payloads["b"]) == (2, ["a", "b"], {"answer": 16})
    assert (outcome.payloads.get("c"), "a" in outcome.payloads) == (None, True)
    bench.run([bench.item("a", 5, content="new")])
    with pytest.raises(LookupError, match="Another build has changed"):
        dict(outcome.payloads.items())
    with pytest.raises(LookupError, match="build again"):
        outcome.payloads["a"]


def test_a_worker_that_hangs_is_stopped_at_the_time_limit(bench):
    began = time.monotonic()
    outcome = bench.run([bench.item("hangs", act="hang"), bench.item("fine", 3)], timeout_s=2.0)
    assert time.monotonic() - began < 30
    assert {failure.item_id: failure.code for failure in outcome.failures} == {"hangs": "timeout"}
    assert outcome.payloads == {"fine": {"answer": 9}}


def test_waiting_for_a_worker_does_not_count_against_the_time_limit(bench):
    items = [bench.item(f"slow-{n}", n, seconds=1.0) for n in range(5)]
    outcome = bench.run(items, workers=1, timeout_s=3.0)
    assert (len(outcome.payloads), outcome.failures) == (5, [])


def test_a_quarantined_item_rests_until_it_is_asked_for_or_changes(bench):
    bad = bench.item("bad", act="refuse")
    assert bench.run([bad]).failures[0].attempt_count == 1
    resting = bench.run([bad])
    assert (resting.computed_count, resting.failures[0].code, bench.worked()) == (0, "truncated", ["bad"])
    retried = bench.run([bad], retry_quarantined=True)
    assert retried.failures[0].attempt_count == 2
    assert retried.failures[0].first_seen_at < retried.failures[0].last_seen_at
    changed = bench.run([bench.item("bad", act="refuse", content="new")])
    assert changed.failures[0].attempt_count == 1
    mended = bench.run([bench.item("bad", 4, content="mended")])
    assert (mended.failures, mended.payloads) == ([], {"bad": {"answer": 16}})


def test_one_changed_file_of_ten_thousand_costs_the_work_of_one(bench):
    library = bench.home / "library" / "sticker"
    library.mkdir(parents=True)
    for number in range(10_000):
        (library / f"{number:05d}.gif").write_bytes(f"GIF89a{number}".encode())

    def check():
        hashed.clear()
        files = read_library(Home(bench.home), "sticker", bench.store)
        items = [bench.item(file.path, content=file.sha256) for file in files]
        outcome = bench.run(items, domain="sticker")
        return len(hashed), outcome.computed_count, len(outcome.payloads)

    hashed = []
    with mock.patch.object(library_module, "file_sha256", lambda path: hashed.append(path) or file_sha256(path)):
        assert check() == (10_000, 10_000, 10_000)
        bench.worked()
        assert check() == (0, 0, 10_000)
        (library / "04711.gif").write_bytes(b"GIF89a, drawn anew")
        assert check() == (1, 1, 10_000)
    assert bench.worked() == ["library/sticker/04711.gif"]


@pytest.mark.parametrize("code", ["vanished", "unreadable", "write_failed"])
def test_a_failure_that_may_pass_by_itself_is_tried_again_in_the_next_run(bench, code):
    assert bench.run([bench.item("a", 3, act="refuse", code=code)]).failures[0].code == code
    assert bench.run([bench.item("a", 3, act="refuse", code=code)]).failures[0].attempt_count == 2
    assert bench.run([bench.item("a", 3)]).payloads == {"a": {"answer": 9}}
    assert bench.run([bench.item("a", 3)]).failures == []


def test_a_full_disk_is_no_fault_of_the_item_and_it_is_tried_again(bench):
    (failure,) = bench.run([bench.item("a", 3, act="full")]).failures
    assert failure.code == "write_failed"
    assert "The result could not be written. Check free space and permissions" in failure.message
    assert "No space left on device: 'a'" in failure.message
    assert bench.run([bench.item("a", 3)]).payloads == {"a": {"answer": 9}}


@pytest.mark.parametrize("code", ["corrupt_frames", "vanished"])
def test_who_leaves_failures_gets_the_results_and_tries_nothing_again(bench, code):
    bench.run([bench.item("a", 3), bench.item("bad", act="refuse", code=code)])
    bench.worked()
    items = [bench.item("a", 3), bench.item("bad", act="refuse", code=code)]
    left = bench.run(items, leave_failures=True, retry_quarantined=True)
    assert left.payloads == {"a": {"answer": 9}}
    assert (left.failures[0].attempt_count, bench.worked()) == (1, [])
    assert bench.run([*items, bench.item("new", 4)], leave_failures=True).payloads["new"] == {"answer": 16}


def test_a_failure_replaces_an_earlier_result_and_goes_when_the_item_goes(bench):
    bench.run([bench.item("a", 3)])
    outcome = bench.run([bench.item("a", act="refuse", content="worse")])
    assert (outcome.payloads, dict(bench.store.finished("square", "movie"))) == ({}, {})
    assert bench.run([]).failures == []


def test_a_result_whose_file_vanished_is_computed_again(bench):
    items = [bench.item("a", 3, file="out/a.txt"), bench.item("b", 4, file="out/b.txt")]
    bench.run(items)
    bench.worked()
    (bench.home / "out/a.txt").unlink()
    outcome = bench.run(items)
    assert (outcome.computed_count, bench.worked()) == (1, ["a"])
    assert (bench.home / "out/a.txt").read_text() == "9"


@pytest.mark.parametrize("found", ["", "14", "1444"])
def test_a_result_whose_file_is_empty_or_of_another_size_is_computed_again(bench, found):
    items = [bench.item("a", 12, file="out/a.txt"), bench.item("b", 4, file="out/b.txt")]
    bench.run(items)
    bench.worked()
    (bench.home / "out/a.txt").write_text(found)
    outcome = bench.run(items)
    assert (outcome.computed_count, bench.worked()) == (1, ["a"])
    assert (bench.home / "out/a.txt").read_text() == "144"


def test_a_store_without_sizes_keeps_what_is_not_empty_and_knows_its_sizes_from_then_on(bench):
    items = [bench.item(name, 12, file=f"out/{name}.txt") for name in "abc"]
    bench.run(items)
    bench.worked()
    with sqlite3.connect(bench.home / "state.sqlite") as former:
        former.execute("UPDATE items SET files = json_array('out/' || item_id || '.txt')")
    (bench.home / "out/a.txt").write_text("")
    (bench.home / "out/b.txt").unlink()
    assert (bench.run(items).computed_count, sorted(bench.worked())) == (2, ["a", "b"])
    assert bench.run(items).computed_count == 0
    (bench.home / "out/c.txt").write_text("1")
    assert (bench.run(items).computed_count, bench.worked()) == (1, ["c"])


def test_the_heaviest_item_starts_first_and_progress_is_told(bench):
    told = []
    items = [bench.item(name, weight=weight) for name, weight in (("light", 1), ("heavy", 9), ("middle", 5))]
    bench.run(items, workers=1, progress=lambda step, done, total: told.append((step, done, total)))
    assert bench.log.read_text().split() == ["heavy", "middle", "light"]
    assert [step for step, _, _ in told] == ["square [movie]"] * len(told)
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})
    assert (told[0][1:], told[-1][1:]) == ((0, 3), (3, 3))


COUNT = 24


def command(home, log, seconds):
    module = "emovid_assets_tests.resources.run_compute"
    return [sys.executable, "-m", module, str(home), str(COUNT), str(seconds), str(log)]


def payloads_of(text):
    return json.loads(text.splitlines()[-1])


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"


def finished_count(home):
    return len(dict(ItemStore(home / "state.sqlite").finished("square", "movie")))


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def test_a_run_that_is_killed_midway_goes_on_where_it_stopped(tmp_path):
    home, log = tmp_path / "home", tmp_path / "log.txt"
    home.mkdir()
    process = subprocess.Popen(command(home, log, 0.2), stdout=subprocess.PIPE)
    while not (home / "state.sqlite").exists() or finished_count(home) < 6:
        assert process.poll() is None
        time.sleep(0.05)
    workers = children_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(pid) for pid in workers), "workers outlive the run that started them"
    finished = dict(ItemStore(home / "state.sqlite").finished("square", "movie"))
    assert 6 <= len(finished) < COUNT
    again = subprocess.run(command(home, log, 0.0), capture_output=True, text=True, check=True, timeout=120)
    result = payloads_of(again.stdout)
    assert result["computed"] == COUNT - len(finished)
    runs = Counter(log.read_text().split())
    assert len(runs) == COUNT
    assert all(runs[name] == 1 for name in finished)
    # At most the two items in flight and the two handed out ahead were started twice.
    assert sum(runs.values()) <= COUNT + 4
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    plain = subprocess.run(
        command(undisturbed, tmp_path / "plain.txt", 0.0), capture_output=True, text=True, check=True, timeout=120
    )
    assert result["payloads"] == payloads_of(plain.stdout)["payloads"]


def test_two_runs_on_one_store_at_once_lose_nothing(tmp_path):
    runs = [
        subprocess.Popen(command(tmp_path, tmp_path / "log.txt", 0.05), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [payloads_of(run.communicate(timeout=120)[0]) for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    expected = {f"item-{n:03d}": {"answer": n * n, "files": [f"out/{n}.txt"]} for n in range(COUNT)}
    assert outputs[0]["payloads"] == outputs[1]["payloads"] == expected
    stored = dict(ItemStore(tmp_path / "state.sqlite").finished("square", "movie"))
    assert {name: payload for name, (_, payload) in stored.items()} == expected


def test_counting_says_what_would_be_computed_and_changes_nothing(bench):
    a, b = bench.item("a", 3, weight=2.0), bench.item("b", 4, weight=5.0)
    bench.run([a])
    assert bench.worked() == ["a"]

    def counted(items):
        return count(bench.store, STEP, "movie", items, home=bench.home, timeout_s=60.0)

    found = counted([a, b])
    assert (found.payloads, found.todo_ids, found.todo_weight) == ({"a": {"answer": 9}}, {"b"}, 5.0)
    # An item that is not named is not forgotten, as a run would.
    assert counted([b]).todo_ids == {"b"}
    assert counted([a]).todo_ids == frozenset()
    assert bench.worked() == []
    assert bench.run([a, b]).computed_count == 1


def test_how_long_items_took_is_remembered_by_their_weight(bench):
    bench.run([bench.item("a", weight=3.0), bench.item("b", weight=1.0)])
    rate = bench.store.rates()["square", "movie"]
    assert (rate.item_count, rate.weight) == (2, 4.0)
    assert rate.seconds > 0
    assert rate.seconds_for(1, 8.0) == pytest.approx(2 * rate.seconds)
    assert rate.seconds_for(1, 0.0) == pytest.approx(rate.seconds / 2)
    # A run with nothing to do says nothing of how long it takes.
    bench.run([bench.item("a", weight=3.0), bench.item("b", weight=1.0)])
    assert bench.store.rates()["square", "movie"] == rate
