"""Stickers by search: services on this machine, from the first page to the library."""

import csv
import itertools
import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from emovid_assets.core.collection.queries import searches, words_by_emotion
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.home.folders import Home
from emovid_assets.resources.collection.budget import Budget, Report
from emovid_assets.resources.collection.collect import collect, wanted_rows
from emovid_assets.resources.collection.store import CollectionStore
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library import read_library
from emovid_assets_tests.collection.homes import settings
from emovid_assets_tests.collection.servers import Loopback, Request, serving
from emovid_assets_tests.collection.sticker_services import GIPHY_KEY, KEY, Services, sticker
from emovid_assets_tests.collection.test_movies import killed_when


@pytest.fixture
def services() -> Services:
    """Three stickers: one of amusement, one of anger, one of both."""
    words = {"amusement": ["fun", "both"], "angry": ["cross", "both"]}
    return Services(words, {name: sticker(name) for name in ("fun", "cross", "both")})


@pytest.fixture
def server(services: Services) -> Iterator[Loopback]:
    with serving(services) as running:
        services.bind(running)
        yield running


@pytest.fixture
def home(tmp_path: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("KLIPY_API_KEY", KEY)
    monkeypatch.setenv("GIPHY_API_KEY", GIPHY_KEY)
    return configured(Home(tmp_path / "home"), server)


def configured(home: Home, server: Loopback, **values: object) -> Home:
    usual = {
        "klipy_url": f"{server.url}/v2",
        "giphy_url": f"{server.url}/v1",
        "pause_s": 0,
        "request_pause_s": 0,
        "allowed_hosts": (server.host,),
    }
    settings(home, **{**usual, **values})
    return home


def run(home: Home, **options: object) -> Report:
    return collect(home, "sticker", **options)  # type: ignore[arg-type]


def rows(home: Home) -> dict[str, dict[str, object]]:
    return {row["external_id"]: row for row in wanted_rows(home, "sticker")}


def statuses(home: Home) -> dict[str, object]:
    return {name: row["status"] for name, row in rows(home).items()}


def media(server: Loopback) -> list[str]:
    return [path for path, _, _ in server.asked if path.startswith("/media/")]


def manifest(home: Home) -> dict[str, dict[str, str]]:
    with (home.collected("sticker") / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        return {row["external_id"]: row for row in csv.DictReader(stream)}


def test_stickers_are_found_fetched_and_known_by_their_origin(home: Home, server: Loopback) -> None:
    report = run(home)
    assert (report.fetched, report.stopped, report.notes) == (3, None, [])
    assert statuses(home) == {"fun": "present", "cross": "present", "both": "present"}
    row = rows(home)["fun"]
    assert (row["origin"], row["title"], row["intended_emotion"]) == ("klipy", "Sticker fun", "amusement")
    assert row["attribution"] == "artist-fun. Powered by KLIPY"
    assert row["origin_url"] == "https://klipy.example/fun"
    files = {file.path: file.manifest for file in read_library(home, "sticker", ItemStore(home.state))}
    assert sorted(files) == [f"library/sticker/collected/klipy-{name}.gif" for name in ("both", "cross", "fun")]
    kept = files["library/sticker/collected/klipy-cross.gif"]
    assert (kept["intended_emotion"], kept["origin"], kept["external_id"]) == ("anger", "klipy", "cross")
    assert kept["attribution"].startswith("artist-cross")
    assert kept["terms_url"].startswith("https://")


def test_an_item_of_two_emotions_is_ambiguous_and_intends_neither(home: Home) -> None:
    run(home)
    row = rows(home)["both"]
    assert (row["is_ambiguous"], row["found_emotions"], row["intended_emotion"]) == (True, ["amusement", "anger"], None)
    assert manifest(home)["both"]["intended_emotion"] == ""
    assert not rows(home)["fun"]["is_ambiguous"]


def test_an_intention_ends_when_a_later_search_finds_the_item_elsewhere(home: Home, services: Services) -> None:
    services.search_headers = {"Cache-Control": "no-store"}
    run(home)
    assert manifest(home)["fun"]["intended_emotion"] == "amusement"
    services.words["gloomy"] = services.words["sad"] = ["fun"]
    run(home)
    assert rows(home)["fun"]["found_emotions"] == ["amusement", "sadness"]
    assert manifest(home)["fun"]["intended_emotion"] == ""


def test_every_word_is_asked_once_with_filter_and_pages(home: Home, server: Loopback) -> None:
    run(home)
    asked = [query for path, query, _ in server.asked if path == "/v2/search"]
    assert [query["q"] for query in asked] == [word for _, word in searches()]
    assert {(query["contentfilter"], query["searchfilter"], query["limit"]) for query in asked} == {
        ("high", "sticker", "50")
    }


def test_answers_are_kept_for_a_day_and_nothing_is_asked_or_fetched_twice(home: Home, server: Loopback) -> None:
    run(home)
    count = len(server.asked)
    report = run(home)
    assert (len(server.asked), report.fetched, report.due) == (count, 0, 0)
    with sqlite3.connect(home.state) as connection:
        connection.execute("UPDATE collection_answers SET expires_at = 0")
    run(home)
    assert len(server.asked) == count + len(list(searches()))
    assert len(media(server)) == 3


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 86400), ("max-age=60", 60), ("public, max-age=999999", 86400), ("no-store", 0), ("no-cache", 0)],
)
def test_answers_are_kept_no_longer_than_the_service_allows(header: str | None, seconds: float) -> None:
    from emovid_assets.resources.collection.search import keeping_s

    assert keeping_s({"cache-control": header} if header else {}) == seconds


def test_an_empty_answer_deletes_nothing(home: Home, services: Services, server: Loopback) -> None:
    services.search_headers = {"Cache-Control": "no-store"}
    run(home)
    before, files = rows(home), sorted(home.collected("sticker").iterdir())
    services.words = {}
    report = run(home)
    assert rows(home) == before
    assert sorted(home.collected("sticker").iterdir()) == files
    assert report.notes == ["klipy found nothing for any word; what was found before stays"]


def test_ten_thousand_results_are_paged_through_and_all_are_known(
    home: Home, services: Services, server: Loopback
) -> None:
    services.everything = [f"item-{number:05d}" for number in range(10_000)]
    configured(home, server, results_per_query=10_000, max_items=0)
    # One word is enough: the others give the same, out of pages that take a second each to read.
    only = [("fear", "afraid")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("emovid_assets.resources.collection.stickers.searches", lambda: iter(only))
        report = run(home)
    assert len([path for path, _, _ in server.asked if path == "/v2/search"]) == 200
    assert report.statuses == {"wanted": 10_000}
    assert report.due == 10_000
    assert {row["intended_emotion"] for row in rows(home).values()} == {"fear"}


def test_of_many_results_only_as_many_are_looked_at_as_the_settings_say(
    home: Home, services: Services, server: Loopback
) -> None:
    services.everything = [f"item-{number:05d}" for number in range(10_000)]
    configured(home, server, results_per_query=120, max_items=0)
    run(home)
    assert len(rows(home)) == 120
    assert server.counts["/v2/search"] == 3 * len(list(searches()))


def test_a_cursor_that_goes_round_is_left(home: Home, services: Services, server: Loopback) -> None:
    def round_and_round(request: Request) -> None:
        if request.route == "/v2/search":
            request.answer_json({"results": [services.tenor_item("fun")], "next": "same"})
        else:
            services.file(request)

    server.reply = round_and_round
    configured(home, server, results_per_query=10_000)
    run(home)
    assert server.counts["/v2/search"] == 2 * len(list(searches()))


def test_exact_and_near_duplicates_collapse_and_their_emotions_meet(home: Home, services: Services) -> None:
    services.words = {"amusement": ["one"], "angry": ["same"], "sad": ["smaller"], "awe": ["other"]}
    services.files = {
        "one": sticker("x"),
        "same": sticker("x"),
        "smaller": sticker("x", side=64, quality=64),
        "other": sticker("y"),
    }
    report = run(home)
    found = rows(home)
    assert report.fetched == 2
    present = [name for name, row in found.items() if row["status"] == "present"]
    assert len(present) == 2
    assert "other" in present
    (original,) = set(present) - {"other"}
    for name in {"one", "same", "smaller"} - {original}:
        assert (found[name]["status"], found[name]["duplicate_of"]) == ("duplicate", f"klipy/{original}")
    assert found[original]["found_emotions"] == ["amusement", "anger", "sadness"]
    assert manifest(home)[original]["intended_emotion"] == ""
    assert len(list(home.collected("sticker").glob("*.gif"))) == 2
    assert run(home).due == 0


def test_a_budget_is_shared_fairly_between_the_emotions(home: Home, services: Services) -> None:
    services.words = {emotion: [f"{emotion}-{n}" for n in range(3)] for emotion in EMOTION_NAMES}
    services.files = {name: sticker(name) for names in services.words.values() for name in names}
    report = run(home, budget=Budget(8, 10**9))
    assert report.stopped == "the budget of this run is spent"
    intended = [row["intended_emotion"] for row in rows(home).values() if row["status"] == "present"]
    assert sorted(map(str, intended)) == sorted(EMOTION_NAMES)


def test_what_cannot_be_had_is_told_apart(home: Home, services: Services) -> None:
    services.words = {"amusement": ["gone", "page", "still", "../../evil", "fun"]}
    services.files["page"] = b"<html>" + bytes(100)
    services.files["still"] = sticker("still")[:200]
    services.files["../../evil"] = sticker("evil")
    run(home)
    found = {name: (row["status"], row["reason_code"]) for name, row in rows(home).items()}
    assert found == {
        "gone": ("unavailable", "gone"),
        "page": ("failed", "wrong_type"),
        "still": ("failed", found["still"][1]),
        "../../evil": ("failed", "bad_id"),
        "fun": ("present", None),
    }
    assert sorted(path.name for path in home.collected("sticker").iterdir()) == [
        ".partial",
        "klipy-fun.gif",
        "manifest.csv",
    ]
    assert list((home.collected("sticker") / ".partial").iterdir()) == []
    assert list(home.root.rglob("*evil*")) == []


def test_a_service_that_wants_an_hour_gets_it_over_runs(home: Home, server: Loopback) -> None:
    server.reply = lambda request: request.answer(429, b"", {"Retry-After": "3000"})
    first = run(home)
    assert len(server.asked) == 1
    second = run(home)
    assert len(server.asked) == 1
    assert "status 429" in first.notes[0]
    assert "left alone for 50 more minutes" in second.notes[0]


def test_a_word_that_is_always_refused_ends_no_run_before_all_others_were_asked(
    home: Home, services: Services, server: Loopback
) -> None:
    services.search_headers = {"Cache-Control": "no-store"}
    words = [word for _, word in searches()]
    refused = words[9]

    def reply(request: Request) -> None:
        if request.query.get("q") == refused:
            request.answer(429, b"", {"Retry-After": "3000"})
        else:
            services(request)

    server.reply = reply
    asked = []
    for _ in range(3):
        server.asked.clear()
        run(home)
        asked.append([query["q"] for path, query, _ in server.asked if path == "/v2/search"])
        with CollectionStore(home) as store:
            store.pause("klipy", 0)
    assert asked[0] == words[:10]
    assert asked[1] == words[10:] + words[:10]
    assert asked[2] == asked[1]


def test_a_service_with_a_limit_per_hour_is_asked_no_more_than_that(home: Home, server: Loopback) -> None:
    configured(home, server, sticker_services=("giphy",))
    with CollectionStore(home) as store:
        for _ in range(95):
            store.count_request("giphy", 100)
    report = run(home)
    assert server.counts["/v1/stickers/search"] == 5
    assert "100 requests an hour are used up" in report.notes[0]


def test_giphy_is_asked_and_read_in_its_own_way(home: Home, services: Services, server: Loopback) -> None:
    configured(home, server, sticker_services=("giphy",), results_per_query=60)
    services.words = {"amusement": [f"g{number}" for number in range(70)]}
    services.files = {"g0": sticker("g0")}
    run(home, budget=Budget(1, 10**9))
    asked = [query for path, query, _ in server.asked if path == "/v1/stickers/search" and query["q"] == "amusement"]
    assert [(query["offset"], query["rating"], query["lang"]) for query in asked] == [
        ("0", "g", "en"),
        ("50", "g", "en"),
    ]
    assert len(rows(home)) == 60
    assert {row["attribution"] for row in rows(home).values()} == {"Powered By GIPHY"}


def test_without_a_key_nobody_is_asked_and_a_person_is_told(
    home: Home, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KLIPY_API_KEY")
    configured(home, server, sticker_services=("klipy", "tenor"))
    monkeypatch.setenv("TENOR_API_KEY", "x" * 20)
    assert run(home).notes == [
        "klipy is not asked: put its key into KLIPY_API_KEY",
        "tenor is not asked: name its address in collection.tenor_url",
    ]
    assert run(home, is_dry=True).notes[0] == "klipy is not asked: put its key into KLIPY_API_KEY"
    assert server.asked == []


def everything_kept(home: Home) -> str:
    """All bytes of all files below the home folder, the database among them."""
    return "".join(path.read_bytes().decode("latin-1") for path in sorted(home.root.rglob("*")) if path.is_file())


def test_a_refused_key_is_in_no_log_no_note_no_table_and_no_file(
    home: Home, server: Loopback, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "wrong-key-5f4dcc3b5aa765d6"
    monkeypatch.setenv("KLIPY_API_KEY", wrong)
    report = run(home)
    assert "refuses the key in KLIPY_API_KEY" in report.notes[0]
    assert server.asked[0][1]["key"] == wrong
    told = str(report) + caplog.text + everything_kept(home)
    assert wrong[:12] not in told
    assert "5f4dcc3b5aa765d6" not in told


def test_a_key_that_answers_echo_is_in_no_log_no_table_and_no_file(
    home: Home, services: Services, server: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    def echo(request: Request) -> None:
        if request.route != "/v2/search":
            return services.file(request)
        key, item = request.query["key"], services.tenor_item("fun")
        item["content_description"] = f"brought to you by {key}"
        item["itemurl"] += f"?key={key}"
        item["user"]["username"] = key
        leaking = services.tenor_item("leak")
        leaking["media_formats"] = {"gif": {"url": f"{server.url}/media/fun.gif?key={key}", "size": 1}}
        return request.answer_json({"results": [item, leaking], "next": f"page-{key}"})

    caplog.set_level(logging.DEBUG)
    server.reply = echo
    report = run(home)
    assert statuses(home)["fun"] == "present"
    told = str(report) + json.dumps(rows(home), default=str) + caplog.text + everything_kept(home)
    assert KEY not in told
    assert "0123456789abcdef" not in told


def test_answers_of_another_shape_are_no_crash(home: Home, server: Loopback) -> None:
    odd: list[object] = [
        {"results": [None, 3, {}, {"id": None}, {"id": "a"}, {"id": "b", "media_formats": []}]},
        {"results": [{"id": "c", "media_formats": {"gif": {"url": "javascript:alert(1)"}}}]},
        {"results": [{"id": ["x"], "media_formats": {"gif": {"url": 3}}}], "next": {"a": 1}},
        {"results": []},
    ]
    turn = itertools.cycle(odd)
    server.reply = lambda request: request.answer_json(next(turn))
    report = run(home)
    assert rows(home) == {}
    assert "found nothing" in report.notes[0]
    server.reply = lambda request: request.answer_json(["no", "object"])
    with sqlite3.connect(home.state) as connection:
        connection.execute("DELETE FROM collection_answers")
    assert "no list of results" in run(home).notes[0]


def test_what_a_killed_run_left_half_is_removed(home: Home) -> None:
    run(home)
    folder = home.collected("sticker")
    left = [folder / ".partial" / ".klipy-fun.gif.123.tmp", folder / ".manifest.csv.0123456789abcdef.tmp"]
    for path in left:
        path.write_bytes(b"half")
    run(home)
    assert [path.exists() for path in left] == [False, False]


def test_a_lost_state_is_taken_up_again_from_the_manifest(home: Home, server: Loopback) -> None:
    run(home)
    count = len(media(server))
    home.state.unlink()
    for suffix in ("-wal", "-shm"):
        Path(f"{home.state}{suffix}").unlink(missing_ok=True)
    run(home)
    assert len(media(server)) == count
    assert statuses(home) == {"fun": "present", "cross": "present", "both": "present"}


def test_a_file_whose_state_was_not_written_before_a_kill_is_not_fetched_again(home: Home, server: Loopback) -> None:
    run(home)
    with sqlite3.connect(home.state) as connection:
        connection.execute("UPDATE collection_items SET status = 'wanted', path = NULL, fingerprint = NULL")
    count = len(media(server))
    assert run(home).fetched == 0
    assert len(media(server)) == count
    assert set(statuses(home).values()) == {"present"}


@pytest.mark.integration
def test_a_killed_collection_goes_on_and_fetches_no_sticker_twice(
    home: Home, services: Services, server: Loopback
) -> None:
    services.words = {emotion: [f"{emotion}-{n}" for n in range(2)] for emotion in EMOTION_NAMES}
    services.files = {name: sticker(name) for names in services.words.values() for name in names}
    had = []
    moments = (
        lambda: server.counts["/v2/search"] >= 30,
        lambda: len(media(server)) >= 4,
        lambda: len(media(server)) >= 11,
    )
    for is_time in moments:
        assert killed_when(home, "sticker", is_time)
        had.append((len(server.asked), {path.name for path in home.collected("sticker").glob("*.gif")}))
    assert not killed_when(home, "sticker", lambda: False)
    assert set(statuses(home).values()) == {"present"}
    for asked_count, before in had:
        later = {f"klipy-{Path(path).name}" for path, _, _ in server.asked[asked_count:]}
        assert later.isdisjoint(before)
    assert len(had[-1][1]) >= 9
    # An answer that was on its way when the process was killed is asked for again, no other.
    words = [query["q"] for path, query, _ in server.asked if path == "/v2/search"]
    assert len(words) <= len(set(words)) + 1


def test_the_words_are_those_of_the_eight_emotions_and_each_stands_once() -> None:
    words = words_by_emotion()
    assert list(words) == list(EMOTION_NAMES)
    assert all(emotion in words[emotion] for emotion in EMOTION_NAMES)
    together = [word for group in words.values() for word in group]
    assert len(together) == len(set(together)) == len(list(searches())) == 80
    assert [emotion for emotion, _ in itertools.islice(searches(), 8)] == list(EMOTION_NAMES)
