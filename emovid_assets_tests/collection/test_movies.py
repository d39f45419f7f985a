"""Films through yt-dlp's generic extractor, from a video host on this machine that has films and real faults."""

import csv
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from emovid_assets.core.identity import file_sha256
from emovid_assets.home.folders import Home
from emovid_assets.resources.collection.budget import Budget, Report
from emovid_assets.resources.collection.collect import collect, wanted_rows
from emovid_assets.resources.collection.shelf import BusyError, collecting
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library import read_library
from emovid_assets_tests.collection.homes import movie_home, settings
from emovid_assets_tests.collection.servers import Loopback, Request, serving
from emovid_assets_tests.media.films import film_to_serve
from emovid_assets_tests.once import made_once

DASHED, PLAIN, GONE, BLOCKED, HTML = "-aaaaaaaaaa", "bbbbbbbbbbb", "ccccccccccc", "ddddddddddd", "eeeeeeeeeee"


class VideoHost:
    """Serves films with ranges; `status` and `bad` say what goes wrong with which id. `starts`: the first byte of each
    request."""

    def __init__(self, film: Path) -> None:
        self.body = film.read_bytes()
        self.status: dict[str, int] = {}
        self.bad: dict[str, str] = {}
        self.breaks = 0
        self.slow_s = 0.0
        self.sent = 0
        self.starts: list[int] = []

    def __call__(self, request: Request) -> None:
        video_id = Path(request.route).stem
        # Different videos have different bytes: a trailing `free` box changes nothing else.
        body = self.body + len(b"12345678" + video_id.encode()).to_bytes(4, "big") + b"free" + video_id.encode()
        if video_id in self.status:
            return request.answer(self.status[video_id], b"no")
        if self.bad.get(video_id) == "html":
            return request.answer(200, b"<html><title>Oops</title></html>", {"Content-Type": "text/html"})
        if self.bad.get(video_id) == "endless":
            return request.answer_without_end(body[:1000], "video/mp4")
        start = int((request.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        self.starts.append(start)
        headers = {"Content-Type": "video/mp4", "Accept-Ranges": "bytes"}
        part = body[start:]
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        if self.breaks and request.headers.get("Accept-Encoding") == "identity":
            self.breaks -= 1
            half = part[: len(part) // 2]
            self.sent += len(half)
            request.answer(206 if start else 200, half, {**headers, "Content-Length": str(len(part))})
            request.close_connection = True
            return None
        request.answer(206 if start else 200, b"", {**headers, "Content-Length": str(len(part))})
        for offset in range(0, len(part), 1 << 16):
            request.wfile.write(part[offset : offset + (1 << 16)])
            self.sent += len(part[offset : offset + (1 << 16)])
            time.sleep(self.slow_s)
        return None


@pytest.fixture
def host(tmp_path_factory: pytest.TempPathFactory) -> VideoHost:
    return VideoHost(made_once(tmp_path_factory, "served-film", draw_served) / "film.mp4")


def draw_served(folder: Path) -> None:
    folder.mkdir()
    film_to_serve(folder / "film.mp4")


def run(home: Home, **options: object) -> Report:
    return collect(home, "movie", **options)  # type: ignore[arg-type]


def statuses(home: Home) -> dict[str, tuple[str, str | None]]:
    return {row["external_id"]: (row["status"], row["reason_code"]) for row in wanted_rows(home, "movie")}


def files(home: Home) -> list[str]:
    return sorted(path.name for path in home.collected("movie").iterdir() if not path.name.startswith("."))


def test_what_can_be_had_is_fetched_and_the_rest_is_told_apart(tmp_path: Path, host: VideoHost) -> None:
    host.status = {GONE: 404, BLOCKED: 403}
    host.bad = {HTML: "html"}
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [DASHED, PLAIN, GONE, BLOCKED, HTML], {DASHED: 12})
        report = run(home)
        first_count = len(server.asked)
        again = run(home)
        assert len(server.asked) == first_count
    assert statuses(home) == {
        DASHED: ("present", None),
        PLAIN: ("present", None),
        GONE: ("unavailable", "gone"),
        BLOCKED: ("failed", "forbidden"),
        HTML: ("failed", "download_failed"),
    }
    assert (report.fetched, report.tried, report.stopped) == (2, 5, None)
    assert (again.fetched, again.tried, again.due) == (0, 0, 0)
    assert files(home) == ["manifest.csv", f"youtube-{DASHED}.mp4", f"youtube-{PLAIN}.mp4"]
    row = next(row for row in wanted_rows(home, "movie") if row["external_id"] == HTML)
    assert row["attempt_count"] == 1
    assert row["next_try_at"] is not None


def test_film_position_trim_and_terms_go_on_to_the_library(tmp_path: Path, host: VideoHost) -> None:
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [DASHED], {DASHED: 12})
        run(home)
    (file,) = read_library(home, "movie", ItemStore(home.state))
    assert file.path == f"library/movie/collected/youtube-{DASHED}.mp4"
    assert {
        "external_id": DASHED,
        "film_id": "tt1707386",
        "film_position": "1",
        "trim_s": "12",
        "origin": "condensed_movies",
        "license": "no licence granted; non-commercial research",
    }.items() <= file.manifest.items()
    with (home.collected("movie") / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    # A corrected metadata file must reach the file that is already there.
    assert (row["film_id"], row["trim_s"], row["external_id"]) == ("", "", DASHED)


def test_a_file_that_somebody_put_there_is_present_and_one_that_is_taken_away_is_wanted_again(
    tmp_path: Path, host: VideoHost
) -> None:
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [DASHED, PLAIN])
        (home.library / "movie" / "2019").mkdir()
        (home.library / "movie" / "2019" / f"{DASHED}.mkv").write_bytes(b"mine")
        assert run(home).fetched == 1
        assert server.counts[f"/videos/{DASHED}.mp4"] == 0
        (home.collected("movie") / f"youtube-{PLAIN}.mp4").unlink()
        assert statuses(home) == {DASHED: ("present", None), PLAIN: ("wanted", None)}


def test_a_download_that_breaks_off_goes_on_from_there(tmp_path: Path, host: VideoHost) -> None:
    host.breaks = 3
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [PLAIN])
        assert run(home).fetched == 1
        ranges = [headers["Range"] for _, _, headers in server.asked if headers.get("Range")]
    assert ranges
    assert all(int(text.removeprefix("bytes=").partition("-")[0]) > 0 for text in ranges)
    assert (home.collected("movie") / f"youtube-{PLAIN}.mp4").read_bytes().startswith(host.body)


def test_the_bytes_of_a_run_are_limited_and_the_next_run_goes_on(tmp_path: Path, host: VideoHost) -> None:
    # The host sends faster than yt-dlp looks; a limited rate makes it look often.
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [PLAIN])
        size = len(host.body)
        report = run(home, budget=Budget(5, size // 2))
        assert (report.fetched, report.tried) == (0, 0)
        assert report.stopped is not None
        assert statuses(home) == {PLAIN: ("wanted", None)}
        assert files(home) == []
        (part,) = (home.collected("movie") / ".partial").iterdir()
        had = part.stat().st_size
        assert 0 < had < size
        second = run(home)
        assert second.fetched == 1
        # Only what was missing was sent the second time.
        assert second.bytes <= size + 100 - had


def test_the_number_of_files_of_a_run_is_limited_and_all_runs_together_fetch_all(
    tmp_path: Path, host: VideoHost
) -> None:
    ids = [f"video-{number:05d}" for number in range(5)]
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, ids)
        reports = [run(home, budget=Budget(2, 10**9)) for _ in range(3)]
    assert [report.fetched for report in reports] == [2, 2, 1]
    assert reports[0].stopped == "the budget of this run is spent"
    assert set(statuses(home).values()) == {("present", None)}


def test_a_file_without_end_is_stopped_at_the_limit(tmp_path: Path, host: VideoHost) -> None:
    host.bad = {PLAIN: "endless"}
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [PLAIN], max_file_mb=1)
        run(home)
    assert statuses(home) == {PLAIN: ("failed", "too_large")}
    assert files(home) == []
    assert list((home.collected("movie") / ".partial").iterdir()) == []


def test_a_refusal_of_everything_ends_the_run_and_counts_against_no_video(tmp_path: Path, host: VideoHost) -> None:
    host.status = {DASHED: 429, PLAIN: 429}
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [DASHED, PLAIN])
        report = run(home)
    assert report.tried == 1
    assert "refuses everything" in (report.stopped or "")
    assert [row["attempt_count"] for row in wanted_rows(home, "movie")] == [0, 0]


def test_attempts_are_counted_over_runs_and_end(tmp_path: Path, host: VideoHost) -> None:
    host.status = {PLAIN: 500}
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [PLAIN], max_attempts=3)
        for count in (1, 2, 3):
            run(home, retries_all=True)
            (row,) = wanted_rows(home, "movie")
            assert (row["status"], row["attempt_count"]) == ("failed", count)
            assert (row["next_try_at"] is None) == (count == 3)
        host.status = {}
        assert run(home).due == 0
        assert run(home, retries_all=True).fetched == 1


def test_a_film_that_is_refused_for_a_while_comes_and_one_that_always_is_ends_as_blocked(
    tmp_path: Path, host: VideoHost
) -> None:
    host.status = {PLAIN: 403, BLOCKED: 403}
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [PLAIN, BLOCKED], max_attempts=2)
        run(home)
        assert statuses(home) == dict.fromkeys((PLAIN, BLOCKED), ("failed", "forbidden"))
        assert run(home).due == 0
        del host.status[PLAIN]
        run(home, retries_all=True)
    assert statuses(home) == {PLAIN: ("present", None), BLOCKED: ("blocked", "forbidden")}


def test_half_of_a_film_is_a_failure_and_the_rest_comes_the_next_time(tmp_path: Path, host: VideoHost) -> None:
    host.breaks = 10**6
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [PLAIN])
        run(home)
        assert statuses(home) == {PLAIN: ("failed", "download_failed")}
        (part,) = home.collected("movie").rglob("*.part")
        there, host.breaks = part.stat().st_size, 0
        assert there > len(host.body) / 2
        host.starts.clear()
        run(home, retries_all=True)
    assert statuses(home) == {PLAIN: ("present", None)}
    # yt-dlp looks at the beginning first, then goes on where it was.
    assert host.starts == [0, there]


def test_a_dry_run_asks_nobody(tmp_path: Path, host: VideoHost) -> None:
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [DASHED, PLAIN])
        report = run(home, is_dry=True)
        assert (report.due, report.fetched, server.asked) == (2, 0, [])


def test_an_address_that_leads_elsewhere_is_not_taken(tmp_path: Path, host: VideoHost) -> None:
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [PLAIN], movie_extractors=("youtube",))
        run(home)
        assert server.asked == []
    ((status, _),) = statuses(home).values()
    assert status != "present"


def test_two_runs_do_not_collect_at_once(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with collecting(home), pytest.raises(BusyError, match="another run is collecting"):
        collect(home, "sticker")


def test_without_metadata_a_person_is_told_what_is_missing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    settings(home)
    report = run(home)
    assert "CSV files of Condensed Movies" in report.notes[0]
    assert wanted_rows(home, "movie") == []


COLLECT = """\
import sys
from pathlib import Path
from emovid_assets.home.folders import Home
from emovid_assets.resources.collection.collect import collect
collect(Home(Path(sys.argv[1])), sys.argv[2])
"""


def killed_when(home: Home, domain: str, is_time: Callable[[], bool]) -> bool:
    """Runs a collection in a process of its own and kills it at the moment; whether it was still at it."""
    process = subprocess.Popen(
        [sys.executable, "-c", COLLECT, str(home.root), domain], stdout=subprocess.DEVNULL, start_new_session=True
    )
    while process.poll() is None:
        if is_time():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.002)
    assert process.returncode == 0
    return False


@pytest.mark.integration
def test_a_killed_collection_goes_on_without_fetching_a_finished_file_twice(tmp_path: Path, host: VideoHost) -> None:
    ids = [f"video-{number:05d}" for number in range(6)]
    host.slow_s = 0.01
    seen_partial = []
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, ids)
        stop = threading.Event()
        watcher = threading.Thread(target=watch_library, args=(home, len(host.body), stop, seen_partial))
        watcher.start()
        had = []
        size = len(host.body)
        for moment in (size // 2, 2 * size + 1000, 4 * size + size // 3):
            assert killed_when(home, "movie", lambda moment=moment: host.sent > moment)
            finished = {name: file_sha256(home.collected("movie") / name) for name in files(home) if "mp4" in name}
            had.append((len(server.asked), finished))
        assert not killed_when(home, "movie", lambda: False)
        stop.set()
        watcher.join()
    assert len(files(home)) == len(ids) + 1
    assert set(statuses(home).values()) == {("present", None)}
    for asked_count, before in had:
        later = {f"youtube-{Path(path).name}" for path, _, _ in server.asked[asked_count:]}
        assert later.isdisjoint(before)
        assert {name: file_sha256(home.collected("movie") / name) for name in before} == before
    assert any(before for _, before in had)
    assert seen_partial == []


def watch_library(home: Home, size: int, stop: threading.Event, seen: list[str]) -> None:
    """Notes every visible film that is not whole."""
    folder = home.collected("movie")
    while not stop.is_set():
        for path in folder.glob("[!.]*.mp4") if folder.exists() else ():
            if path.stat().st_size < size:
                seen.append(path.name)
        time.sleep(0.005)


def test_the_state_is_read_while_another_process_collects(tmp_path: Path, host: VideoHost) -> None:
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [PLAIN])
        with collecting(home):
            assert statuses(home) == {PLAIN: ("wanted", None)}
    assert isinstance(server, Loopback)
