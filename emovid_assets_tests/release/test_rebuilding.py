"""From a release and sources under any names, the clips of the release: each says what it proves."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from emovid_assets.core.identity import file_sha256
from emovid_assets.home.folders import Home
from emovid_assets.resources.release import source_files
from emovid_assets.resources.release.reading import find_release
from emovid_assets.resources.release.rebuilding import CannotRebuildError, Report, prove, rebuild
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets_tests.assets.homes import ROOT, Demo
from emovid_assets_tests.media.making import beeps, write_animation
from emovid_assets_tests.once import made_once
from emovid_assets_tests.release.planted_releases import table_of
from emovid_assets_tests.release.released_films import draw_film, re_encoded, release_of, rows_of_films, scenes
from emovid_assets_tests.release.released_homes import release_home

pytestmark = pytest.mark.integration

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`films/` with two films and a sticker, `release/` of their clips."""

    def make(folder: Path) -> None:
        films = folder / "films"
        one = draw_film(films / "one.mp4", 1, 2, 3, sound=beeps(15, 1, 7), sound_codec="aac")
        two = draw_film(films / "two.webm", 4, 5, codec="libvpx", options={"cpu-used": "8", "b": "500000"})
        sticker = write_animation(films / "sticker.gif", scenes(6, seconds=1), 40)
        rows = rows_of_films([one, two], folder / "clips")
        rows += rows_of_films([sticker], folder / "clips", domain="sticker")
        release_of(rows, folder / "release")

    return made_once(tmp_path_factory, "released-films", make)


@pytest.fixture
def sources(drawn: Path, tmp_path: Path) -> Path:
    """The films under names and in folders of somebody else."""
    folder = tmp_path / "sources"
    (folder / "deep").mkdir(parents=True)
    shutil.copy(drawn / "films" / "one.mp4", folder / "x[1].bin")
    shutil.copy(drawn / "films" / "two.webm", folder / "deep" / "Zwei – Ü.mkv")
    shutil.copy(drawn / "films" / "sticker.gif", folder / "deep" / "s.gif")
    (folder / "notes.txt").write_text("no film", encoding="utf-8")
    (folder / "page.mp4").write_text("<html>no film either</html>", encoding="utf-8")
    return folder


def rebuilt(release: Path, sources: Path, folder: Path) -> Report:
    return rebuild(find_release(None, str(release)), sources, folder, workers=1)


def results(report: Report) -> set[str]:
    return {clip.result for clip in report.clips}


def rows_of_release(release: Path) -> Rows:
    return [row for path in sorted(release.glob("*/metadata.parquet")) for row in pq.read_table(path).to_pylist()]


def said(folder: Path) -> Rows:
    with (folder / "rebuild.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_clips_of_the_same_sources_have_the_same_bytes_whatever_the_files_are_called(
    drawn: Path, sources: Path, tmp_path: Path
) -> None:
    report = rebuilt(drawn / "release", sources, tmp_path / "out")
    assert results(report) == {"same_bytes"}
    assert report.cut_count == len(report.clips) == 6
    wanted = {row["clip_id"]: row for row in rows_of_release(drawn / "release")}
    for row in rows_of_release(tmp_path / "out"):
        file = tmp_path / "out" / row["split"] / row["file_name"]
        assert file_sha256(file) == wanted[row["clip_id"]]["media_sha256"]
        assert {**row, "file_name": None} == wanted[row["clip_id"]]
    assert (tmp_path / "out" / "README.md").read_text("utf-8") == (drawn / "release" / "README.md").read_text("utf-8")
    assert {one["result"] for one in said(tmp_path / "out")} == {"same_bytes"}
    assert {one["source_file"] for one in said(tmp_path / "out")} == {"x[1].bin", "deep/Zwei – Ü.mkv", "deep/s.gif"}


def test_files_of_another_size_are_not_read_where_every_source_is_there(
    drawn: Path, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    monkeypatch.setattr(source_files, "_sha256", lambda file: read.append(file.name) or file_sha256(Path(file.path)))
    rebuilt(drawn / "release", sources, tmp_path / "out")
    assert sorted(read) == ["deep/Zwei – Ü.mkv", "deep/s.gif", "x[1].bin"]
    (sources / "x[1].bin").unlink()
    rebuilt(drawn / "release", sources, tmp_path / "other")
    assert "page.mp4" in read


def test_what_is_there_is_not_cut_again_and_what_was_damaged_is(drawn: Path, sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    rebuilt(drawn / "release", sources, out)
    first = said(out)
    assert rebuilt(drawn / "release", sources, out).cut_count == 0
    (broken, *_) = out.glob("train/movie/*.mp4")
    broken.write_bytes(broken.read_bytes()[:-1])
    report = rebuilt(drawn / "release", sources, out)
    assert (report.cut_count, results(report)) == (1, {"same_bytes"})
    assert said(out) == first


def test_another_writer_of_the_file_leaves_the_pictures_and_another_encoder_leaves_neither(
    drawn: Path, sources: Path, tmp_path: Path
) -> None:
    rows = rows_of_release(drawn / "release")
    for row in rows:
        row["media_sha256"] = "0" * 64
    film, sticker = (next(row for row in rows if row["domain"] == name) for name in ("movie", "sticker"))
    sticker["picture_sha256"] = "1" * 64
    # A release of a home that had not got so far.
    rows[-2].update(picture_sha256=None, hash_times_s=None, picture_hashes=None)
    report = rebuilt(release_of(rows, tmp_path / "release"), sources, tmp_path / "out")
    found = {clip.clip_id: clip for clip in report.clips}
    assert found[film["clip_id"]].result == "same_pictures"
    assert found[sticker["clip_id"]].result == "differs"
    assert found[sticker["clip_id"]].distance_bits == 0.0
    assert found[sticker["clip_id"]].offset_s is None
    assert "of the same source" in found[sticker["clip_id"]].note
    assert (found[rows[-2]["clip_id"]].result, found[rows[-2]["clip_id"]].distance_bits) == ("differs", None)
    assert not report.is_same


@pytest.mark.parametrize(
    ("how", "offset_s"),
    [
        ({"crf": 32}, 0.0),
        ({"scale": 0.5}, 0.0),
        ({"rate": 30}, 0.0),
        ({"rate": 15}, 0.0),
        ({"skip": 37}, -1.48),
    ],
)
def test_a_source_that_was_encoded_anew_is_found_by_its_pictures_with_its_offset(
    drawn: Path, tmp_path: Path, how: dict[str, Any], offset_s: float
) -> None:
    re_encoded(drawn / "films" / "one.mp4", tmp_path / "sources" / "upload.mp4", **how)
    report = rebuilt(drawn / "release", tmp_path / "sources", tmp_path / "out")
    clips = [clip for clip in report.clips if clip.source_file]
    # The first of three scenes is cut off with the beginning.
    assert len(clips) == (2 if offset_s else 3)
    assert {clip.result for clip in clips} == {"differs"}
    picture_s = 1 / min(25, how.get("rate", 25))
    for clip in clips:
        assert clip.offset_s == pytest.approx(offset_s, abs=picture_s)
        assert clip.distance_bits is not None
        assert clip.distance_bits < 9
        file = tmp_path / "out" / clip.split / str(clip.file_name)
        assert file.is_file()
    (film,) = report.recognised()
    assert (film.name, film.clip_count) == ("upload.mp4", len(clips))
    missing = [clip for clip in report.clips if clip.result == "missing"]
    assert len(missing) == 6 - len(clips)
    assert all("no file is its source" in clip.note or "but not this clip" in clip.note for clip in missing)


def test_a_film_that_is_slower_is_found_and_said_to_be(drawn: Path, tmp_path: Path) -> None:
    re_encoded(drawn / "films" / "one.mp4", tmp_path / "sources" / "slow.mp4", shown_at=24, skip=50)
    report = rebuilt(drawn / "release", tmp_path / "sources", tmp_path / "out")
    clips = [clip for clip in report.clips if clip.source_file]
    assert [clip.offset_s for clip in clips] == pytest.approx([-2.0] * 2, abs=0.04)
    assert all("0.9600 times as fast" in clip.note for clip in clips)
    assert all(clip.distance_bits is not None and clip.distance_bits < 9 for clip in clips)


def test_the_sound_of_a_film_that_was_found_is_that_of_the_clip(drawn: Path, tmp_path: Path) -> None:
    import av

    sources = tmp_path / "sources"
    draw_film(sources / "with_intro.mkv", 9, 1, 2, 3, sound=beeps(20, 6, 12), sound_codec="aac")
    report = rebuilt(drawn / "release", sources, tmp_path / "out")
    clips = [clip for clip in report.clips if clip.source_file]
    assert [clip.offset_s for clip in clips] == pytest.approx([5.0] * 3)
    first = tmp_path / "out" / clips[0].split / str(clips[0].file_name)
    with av.open(str(first)) as container:
        loud = [f.pts * f.time_base for f in container.decode(audio=0) if abs(f.to_ndarray()).max() > 0.2]
    assert float(min(loud)) == pytest.approx(1.0, abs=0.03)


def test_a_wholly_different_film_and_one_that_shares_a_title_card_are_no_sources(tmp_path: Path) -> None:
    one = draw_film(tmp_path / "films" / "one.mp4", 20, 1, 2, 3)
    rows = rows_of_films([one], tmp_path / "clips")
    release = release_of(rows, tmp_path / "release")
    sources = tmp_path / "sources"
    draw_film(sources / "same_card.mp4", 20, 7, 8, 9, options={"crf": "26"})
    draw_film(sources / "other.mp4", 10, 11, 12)
    report = rebuilt(release, sources, tmp_path / "out")
    assert results(report) == {"missing"}
    assert report.recognised() == []


def test_who_has_several_disks_goes_from_one_to_the_next(drawn: Path, sources: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    shutil.move(sources / "x[1].bin", first / "x.mp4")
    out = tmp_path / "out"
    assert rebuilt(drawn / "release", first, out).counts() == {
        ("movie", "same_bytes"): 3,
        ("movie", "missing"): 2,
        ("sticker", "missing"): 1,
    }
    re_encoded(drawn / "films" / "one.mp4", second / "worse.mp4")
    report = rebuilt(drawn / "release", second, out)
    assert report.counts()["movie", "same_bytes"] == 3, "a worse source takes nothing away"
    assert rebuilt(drawn / "release", sources, out).is_same


def test_a_clip_that_the_release_holds_is_taken_from_there_where_no_source_is(drawn: Path, tmp_path: Path) -> None:
    rows = rows_of_release(drawn / "release")
    film = next(row for row in rows if row["domain"] == "movie")
    (file,) = (drawn / "clips").glob(f"{film['clip_id']}.*")
    film["file_name"] = f"movie/{film['clip_id']}{file.suffix}"
    release = release_of(rows, tmp_path / "release")
    (release / film["split"] / "movie").mkdir()
    shutil.copy(file, release / film["split"] / film["file_name"])
    draw_film(tmp_path / "sources" / "other.mp4", 30, 31)
    report = rebuilt(release, tmp_path / "sources", tmp_path / "out")
    assert {clip.clip_id: clip.note for clip in report.clips if clip.result == "same_bytes"} == {
        film["clip_id"]: "the file of the release itself"
    }
    assert file_sha256(tmp_path / "out" / film["split"] / film["file_name"]) == film["media_sha256"]


def test_a_home_proves_its_clips_against_a_release_without_cutting(demo: Demo, tmp_path: Path) -> None:
    home = Home(demo.home)
    release = find_release(None, str(release_home(home, tmp_path / "release")))
    warehouse = Warehouse(home.warehouse)
    media, prints = warehouse.read("clip_media"), warehouse.read("clip_fingerprints")
    rows = rows_of_release(release.folder)
    assert set(prove(table_of(rows), media, prints).values()) == {"same_bytes"}
    rows[0]["media_sha256"] = rows[1]["media_sha256"] = "0" * 64
    rows[2]["clip_id"] += "0"
    rows[1]["picture_sha256"] = None
    found = prove(table_of(rows), media, prints)
    assert [found[row["clip_id"]] for row in rows[:4]] == ["same_pictures", "differs", "missing", "same_bytes"]


def test_every_clip_of_the_demo_is_the_same_from_its_library_alone(demo: Demo, tmp_path: Path) -> None:
    release = release_home(Home(demo.home), tmp_path / "release")
    sources = tmp_path / "sources"
    sources.mkdir()
    for number, path in enumerate(sorted((demo.home / "library").rglob("*.*"))):
        shutil.copy(path, sources / f"{number}{path.suffix}")
    report = rebuilt(release, sources, tmp_path / "out")
    assert results(report) == {"same_bytes"}
    assert len(report.clips) > 30


@pytest.mark.corpus
def test_copied_joined_and_encoded_clips_of_real_films_and_stickers_prove_themselves(
    corpus: Path, tmp_path: Path
) -> None:
    bunny, chaplin = "animation/big_buck_bunny_054-270s_448x252.mp4", "movie/chaplin_silent_640x360.mp4"
    films = [corpus / name for name in (bunny, chaplin, "movie/tears_of_steel_battle_clip_800x332.webm")]
    names = "awe__rainbow.gif", "awe__star-struck.webp", "amusement__joy.png"
    stickers = [corpus / "sticker" / name for name in names]
    rows = rows_of_films(films, tmp_path / "clips") + rows_of_films(stickers, tmp_path / "clips", domain="sticker")
    assert {row["how"] for row in rows} == {"copied", "joined", "encoded"}
    release = release_of(rows, tmp_path / "release")
    sources = tmp_path / "sources"
    sources.mkdir()
    for number, path in enumerate((*films, *stickers)):
        shutil.copy(path, sources / f"{number}")
    assert results(rebuilt(release, sources, tmp_path / "out")) == {"same_bytes"}


@pytest.mark.corpus
def test_a_real_film_that_was_trimmed_and_made_smaller_is_found_among_others(corpus: Path, tmp_path: Path) -> None:
    film = corpus / "movie" / "sintel_film_excerpt_848x480_25fps.mp4"
    release = release_of(rows_of_films([film], tmp_path / "clips"), tmp_path / "release")
    sources = tmp_path / "sources"
    re_encoded(film, sources / "upload.mkv", crf=34, scale=0.5, skip=37)
    shutil.copy(corpus / "movie" / "sintel_trailer_480x204.mp4", sources)
    report = rebuilt(release, sources, tmp_path / "out")
    assert results(report) == {"differs"}
    assert {clip.source_file for clip in report.clips} == {"upload.mkv"}
    for clip in report.clips:
        assert clip.offset_s == pytest.approx(-1.48, abs=0.04)
        assert clip.distance_bits is not None
        assert clip.distance_bits < 4


KILLED = "import sys, typer; from emovid_assets.cli.release_rebuild import rebuild; typer.run(rebuild)"


def start(release: Path, sources: Path, out: Path, *more: str) -> "subprocess.Popen[str]":
    arguments = (str(release), "--sources", str(sources), "-o", str(out), "--workers", "1", *more)
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "EMOVID_HOME": str(out / "no such home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_one_that_is_killed_goes_on_and_ends_as_an_undisturbed_one(drawn: Path, sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(drawn / "release", sources, out)
    deadline = time.monotonic() + 60
    while not list(out.glob("*/*/*.mp4")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/*/*-*.*")}
    assert before
    second = start(drawn / "release", sources, out)
    said_there, errors = second.communicate(timeout=60)
    assert second.returncode == 0, errors
    assert "same bytes" in said_there
    assert max(map(len, said_there.splitlines())) <= max(80, len(f"each clip: {out}/rebuild.csv"))
    rebuilt(drawn / "release", sources, tmp_path / "undisturbed")
    assert said(out) == said(tmp_path / "undisturbed")
    again = [path for path, moment in before.items() if path.stat().st_mtime_ns != moment]
    assert len(again) <= 1, "the one that nobody had noted yet"


def test_the_command_says_in_one_line_what_cannot_be(drawn: Path, tmp_path: Path) -> None:
    from typer import Typer
    from typer.testing import CliRunner

    from emovid_assets.cli.release_rebuild import rebuild as command

    app = Typer()
    app.command()(command)

    def call(*arguments: object) -> tuple[int, str]:
        done = CliRunner(env={"EMOVID_HOME": str(tmp_path / "home")}).invoke(app, [str(one) for one in arguments])
        return done.exit_code, done.output

    release, out = drawn / "release", tmp_path / "out"
    empty, strangers, films = tmp_path / "empty", tmp_path / "strangers", drawn / "films"
    empty.mkdir()
    strangers.mkdir()
    (strangers / "thesis.tex").touch()
    for arguments, words in (
        ((tmp_path / "nowhere", "-s", films), "there is no release"),
        ((films, "-s", films), "is no release: it has no release.json"),
        ((release, "-s", tmp_path / "nowhere"), "is no folder"),
        ((release, "-s", empty), "holds no media"),
        ((release, "-s", films, "-o", strangers), "no rebuilding made it"),
        ((release, "-s", films, "-o", films / "one.mp4"), "is a file"),
        ((release, "-s", films, "-o", release), "is in the release itself"),
        ((release, "-s", films, "-o", release / "train" / ".." / "out"), "is in the release itself"),
    ):
        code, text = call(*arguments)
        assert (code, text.count("error")) == (1, 1), text
        assert words in text.replace("\n", " ")
    draw_film(tmp_path / "other" / "film.mp4", 40, 41)
    assert call(release, "-s", tmp_path / "other", "-o", out)[0] == 0
    assert call(release, "-s", tmp_path / "other", "-o", out, "--strict")[0] == 1
    other_release = release_of(rows_of_release(release), tmp_path / "release", digest="cd" * 32)
    assert "another release" in call(other_release, "-s", films, "-o", out)[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.update(clip_id="../../../etc/x-00000000-00001000"),
        lambda row: row.update(clip_id="hello"),
        lambda row: row.update(domain="..", clip_id=row["clip_id"]),
        lambda row: row.update(source_id="movie-" + "0" * 16),
    ],
)
def test_names_of_a_release_that_lead_elsewhere_are_refused(
    drawn: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    rows = rows_of_release(drawn / "release")
    change(rows[0])
    folder = tmp_path / "release"
    release_of(rows, folder)
    with pytest.raises(CannotRebuildError, match="a clip that cannot be one"):
        rebuilt(folder, drawn / "films", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_said_and_what_is_cut_is_kept(
    drawn: Path, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    rebuilt(drawn / "release", sources, out)
    shutil.rmtree(out / "train")
    # A file in the place of the folder: as little can be written there as on a full disk.
    (out / "train").touch()
    with pytest.raises(CannotRebuildError, match="check free space and permissions"):
        rebuilt(drawn / "release", sources, out)
    (out / "train").unlink()
    assert results(rebuilt(drawn / "release", sources, out)) == {"same_bytes"}
