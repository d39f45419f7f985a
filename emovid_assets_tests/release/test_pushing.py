"""What is pushed, in which order, and what is refused; whatever the place."""

import hashlib
from pathlib import Path

import pytest

from emovid_assets.resources.release import pushing
from emovid_assets.resources.release.pushing import LAST, PushError, ReleaseFile, batches, compare, files_of, push
from emovid_assets.resources.release.store import Store
from emovid_assets.resources.retrying import Patience
from emovid_assets_tests.release.pushed_releases import FILES, bytes_in, release

IMPATIENT = Patience(attempts=2, first_pause_s=0.0)


def test_files_are_those_of_the_sums_and_the_last_say_that_it_is_whole(tmp_path: Path) -> None:
    folder = release(tmp_path / "1.0.0")
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "token").write_bytes(b"hf_x")
    files = files_of(folder)
    assert [file.path for file in files[-3:]] == list(LAST)
    assert {file.path for file in files} == {*FILES, "SHA256SUMS"}
    film = next(file for file in files if file.path.endswith("c.mp4"))
    data = FILES["train/movie/c.mp4"]
    assert (film.sha256, film.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert film.git_oid == hashlib.sha1(b"blob 15000\0" + data).hexdigest()


@pytest.mark.parametrize("fault", ["damaged", "missing", "more", "link", "link to a folder", "no sums"])
def test_a_release_that_does_not_hold_is_refused_before_anything_is_sent(fault: str, tmp_path: Path) -> None:
    folder = release(tmp_path / "1.0.0")
    if fault == "damaged":
        (folder / "clips.csv").write_bytes(b"clip_id\n2\n")
    elif fault == "missing":
        (folder / "clips.csv").unlink()
    elif fault == "more":
        (folder / "notes.txt").write_bytes(b"x")
    elif fault == "link":
        (folder / "clips.csv").rename(tmp_path / "clips.csv")
        (folder / "clips.csv").symlink_to(tmp_path / "clips.csv")
    elif fault == "link to a folder":
        (tmp_path / "private").mkdir()
        (folder / "private").symlink_to(tmp_path / "private")
    else:
        (folder / "SHA256SUMS").unlink()
    with pytest.raises(PushError, match=r"is not pushed|is no release"):
        push(folder, Store(f"file://{tmp_path}/far", "1.0.0", IMPATIENT))
    assert not (tmp_path / "far").exists()


def test_whoever_verifies_may_refuse(tmp_path: Path) -> None:
    with pytest.raises(PushError, match="it does not hold: a label is another one"):
        push(
            release(tmp_path / "1.0.0"),
            Store(f"file://{tmp_path}/far", "1.0.0"),
            verify=lambda folder: ["a label is another one"],
        )
    assert not (tmp_path / "far").exists()


def test_batches_keep_the_order_and_the_limits_and_leave_the_last_files_for_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pushing, "BATCH_FILES", 3)
    monkeypatch.setattr(pushing, "BATCH_BYTES", 100)
    sizes = (10, 10, 10, 10, 95, 10, 300, 10)
    files = [ReleaseFile(f"{at}.mp4", Path(), size, "", "") for at, size in enumerate(sizes)]
    files += [ReleaseFile(name, Path(), 1, "", "") for name in LAST]
    found = [[file.path.removesuffix(".mp4") for file in batch] for batch in batches(files)]
    assert found == [["0", "1", "2"], ["3"], ["4"], ["5"], ["6"], ["7"], list(LAST)]


def test_a_folder_elsewhere_receives_it_once_and_then_only_what_differs(tmp_path: Path) -> None:
    folder = release(tmp_path / "1.0.0")
    url, far = f"file://{tmp_path}/far", tmp_path / "far" / "1.0.0"
    done: list[tuple[str, int, int]] = []
    first = push(folder, Store(url, "1.0.0"), tell=lambda *told: done.append(told))
    assert bytes_in(far) == bytes_in(folder)
    assert (first.sent_count, first.kept_count, first.sent_bytes) == (9, 0, sum(map(len, bytes_in(folder).values())))
    assert ("push", 9, 9) in done
    assert push(folder, Store(url, "1.0.0")).sent_count == 0
    (far / "clips.csv").write_bytes(b"clip_id\n2\n")
    (far / "train" / "movie" / "c.mp4").unlink()
    (far / "notes.txt").write_bytes(b"x")
    compared = compare(folder, Store(url, "1.0.0"))
    assert (compared.different, compared.missing, compared.others) == (
        ("clips.csv",),
        ("train/movie/c.mp4",),
        ("notes.txt",),
    )
    again = push(folder, Store(url, "1.0.0"))
    assert (again.sent_count, again.kept_count, again.others) == (2, 7, ("notes.txt",))
    assert bytes_in(far) == bytes_in(folder) | {"notes.txt": b"x"}


def test_a_version_is_never_written_over_by_another_one_of_its_name(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/far"
    push(release(tmp_path / "a" / "1.0.0"), Store(url, "1.0.0"))
    other = release(tmp_path / "b" / "1.0.0", {"release.json": b'{"version": "1.0.0", "digest": "other"}\n'})
    with pytest.raises(PushError, match="another release of this name"):
        push(other, Store(url, "1.0.0"))
    assert bytes_in(tmp_path / "far" / "1.0.0") == bytes_in(tmp_path / "a" / "1.0.0")


class ForgetfulStore(Store):
    """Loses a byte of a film on its way."""

    def _put(self, file: ReleaseFile) -> None:
        if file.path.endswith("c.mp4"):
            file.local.with_name("c.half").write_bytes(file.local.read_bytes()[:-1] + b"!")
            file = file._replace(local=file.local.with_name("c.half"))
        super()._put(file)


def test_what_arrived_otherwise_is_found_afterwards(tmp_path: Path) -> None:
    with pytest.raises(PushError, match=r"1 files are others \(train/movie/c.mp4\); push it again"):
        push(release(tmp_path / "1.0.0"), ForgetfulStore("memory://forgetful", "1.0.0"))


@pytest.mark.parametrize("url", ["nonsense://x", "C:relative"])
def test_an_address_that_nothing_speaks_is_refused(url: str, tmp_path: Path) -> None:
    folder = release(tmp_path / "1.0.0")
    with pytest.raises(PushError):
        push(folder, Store(url, "1.0.0", IMPATIENT)) if url.startswith("nonsense") else _raise_as_the_command(url)


def _raise_as_the_command(url: str) -> None:
    from emovid_assets.cli.release_push import _place

    _place(url, "1.0.0", is_public=False)
