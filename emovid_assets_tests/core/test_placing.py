"""What is under its name is whole and on the disk, whoever was killed."""

import ast
import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core import placing
from emovid_assets.core.placing import (
    disk_time_s,
    is_leftover,
    leftovers_below,
    move_into_place,
    put_all,
    put_bytes,
    put_folder_into_place,
    put_into_place,
    put_text,
    remove,
    temporary_beside,
)
from emovid_assets_tests.rooms import PACKAGE


@pytest.fixture(params=[0o022, 0o027, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is asked of the operating system, in order."""
    asked: list[tuple[str, str]] = []

    def spied(name: str) -> Callable[..., None]:
        real = getattr(os, name)

        def spy(first: object, *rest: object) -> None:
            of = os.readlink(f"/proc/self/fd/{first}") if isinstance(first, int) else os.fspath(first)
            asked.append((name, ".tmp" if is_leftover(Path(of).name) else Path(of).name))
            real(first, *rest)

        return spy

    for name in ("fsync", "replace", "link"):
        monkeypatch.setattr(placing.os, name, spied(name))
    return asked


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@given(data=st.binary(max_size=200))
def test_what_is_put_is_what_is_there_and_nothing_beside_it(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("place")
    target = folder / "below" / "a.bin"
    put_bytes(target, b"before")
    put_bytes(target, data)
    assert target.read_bytes() == data
    assert os.listdir(target.parent) == ["a.bin"]


def test_content_is_on_the_disk_before_the_name_and_the_name_before_anyone_is_told(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    put_text(tmp_path / "a.txt", "ä")
    assert calls == [("fsync", ".tmp"), ("replace", ".tmp"), ("fsync", tmp_path.name)]
    assert (tmp_path / "a.txt").read_bytes() == "ä".encode()


def test_new_folders_outlast_a_power_cut_too(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    put_bytes(tmp_path / "b" / "c" / "a.txt", b"")
    assert calls == [
        *(("fsync", tmp_path.name), ("fsync", "b")),
        *(("fsync", ".tmp"), ("replace", ".tmp"), ("fsync", "c")),
    ]


def test_many_files_are_written_then_waited_for_then_named_and_each_folder_is_waited_for_once(
    tmp_path: Path, calls: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    write = Path.write_bytes

    def spied(path: Path, data: bytes) -> int:
        calls.append(("write", ".tmp" if is_leftover(path.name) else path.name))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", spied)
    put_all((tmp_path / name, name.encode()) for name in ("a/1", "b/2", "a/3"))
    assert calls == [
        *[("write", ".tmp")] * 3,
        *[("fsync", ".tmp")] * 3,
        *[("replace", ".tmp")] * 3,
        *(("fsync", "a"), ("fsync", "b")),
    ]
    assert {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*/*")} == {
        name: name.encode() for name in ("a/1", "b/2", "a/3")
    }


def test_an_error_among_many_files_leaves_every_old_one_and_nothing_else(tmp_path: Path) -> None:
    def files() -> Iterator[tuple[Path, bytes]]:
        yield tmp_path / "a", b"new"
        raise OSError(errno.ENOSPC, "full")

    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(OSError, match="full"):
        put_all(files())
    assert (os.listdir(tmp_path), (tmp_path / "a").read_bytes()) == (["a"], b"old")


def test_a_folder_is_on_the_disk_with_all_that_is_in_it_before_it_has_its_name(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    with put_folder_into_place(tmp_path / "model") as unfinished:
        (unfinished / "weights").mkdir()
        (unfinished / "weights" / "w.bin").write_bytes(b"1")
        (unfinished / "config.json").write_bytes(b"{}")
    assert calls == [
        *(("fsync", "w.bin"), ("fsync", "weights"), ("fsync", "config.json"), ("fsync", ".tmp")),
        *(("replace", ".tmp"), ("fsync", tmp_path.name)),
    ]
    assert sorted(path.name for path in (tmp_path / "model").rglob("*")) == ["config.json", "w.bin", "weights"]


def test_the_folders_above_a_folder_are_made_as_those_above_a_file(tmp_path: Path) -> None:
    with put_folder_into_place(tmp_path / "models" / "a" / "model") as unfinished:
        (unfinished / "config.json").write_bytes(b"{}")
    assert os.listdir(tmp_path / "models" / "a") == ["model"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", encoding="utf-8")

    def stop(path: Path) -> None:
        path.write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), put_into_place(target) as temporary:
        stop(temporary)
    with pytest.raises(KeyboardInterrupt), put_folder_into_place(tmp_path / "model") as unfinished:
        stop(unfinished / "w.bin")
    assert (os.listdir(tmp_path), target.read_text(encoding="utf-8")) == (["a.txt"], "old")


def test_a_disk_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", encoding="utf-8")

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(placing.os, "fsync", fail)
    with pytest.raises(OSError, match="broken disk"):
        put_text(target, "new")
    assert (os.listdir(tmp_path), target.read_text(encoding="utf-8")) == (["a.txt"], "old")


def test_a_file_system_that_cannot_wait_for_folders_is_used_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def only_files(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not for folders")
        real(descriptor)

    monkeypatch.setattr(placing.os, "fsync", only_files)
    put_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("written", ["put_into_place", "put_folder_into_place"])
def test_a_writer_that_is_killed_leaves_no_half_target_but_what_can_be_found(tmp_path: Path, written: str) -> None:
    code = (
        "import os, signal, sys, pathlib\n"
        f"from emovid_assets.core.placing import {written} as put\n"
        "with put(pathlib.Path(sys.argv[1])) as temporary:\n"
        "    (temporary / 'half' if temporary.is_dir() else temporary).write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.txt"], cwd=PACKAGE.parent, timeout=60)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert list(leftovers_below(tmp_path)) == [left]
    remove(left)
    assert os.listdir(tmp_path) == []


def test_of_many_writers_at_once_one_whole_file_is_left(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    contents = [bytes([number]) * 100_000 for number in range(8)]
    seen = set()
    threads = [threading.Thread(target=put_bytes, args=(target, content)) for content in contents]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if target.exists():
            seen.add(target.read_bytes())
    for thread in threads:
        thread.join()
    assert os.listdir(tmp_path) == ["a.bin"]
    assert target.read_bytes() in contents
    assert seen <= set(contents)


def test_of_two_folders_the_first_stays(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with put_folder_into_place(target) as slower:
        (slower / "w.bin").write_bytes(b"second")
        with put_folder_into_place(target) as faster:
            (faster / "w.bin").write_bytes(b"first")
    assert (os.listdir(tmp_path), (target / "w.bin").read_bytes()) == (["model"], b"first")


def test_a_folder_that_cannot_have_its_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"a file")
    with pytest.raises(NotADirectoryError), put_folder_into_place(tmp_path / "model"):
        pass
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("has_links", [True, False])
def test_what_must_not_be_replaced_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool) -> None:
    def without_links(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    if not has_links:
        monkeypatch.setattr(placing.os, "link", without_links)
    target = tmp_path / "a.txt"
    put_bytes(target, b"first", is_replacing=False)
    with pytest.raises(FileExistsError):
        put_bytes(target, b"second", is_replacing=False)
    assert (os.listdir(tmp_path), target.read_bytes()) == (["a.txt"], b"first")


def test_files_and_folders_are_for_those_whom_the_umask_lets_in(tmp_path: Path, umask: int) -> None:
    put_text(tmp_path / "b" / "a.txt", "for all")
    with put_folder_into_place(tmp_path / "model") as unfinished:
        (unfinished / "w.bin").write_bytes(b"1")
    assert [mode(tmp_path / name) for name in ("b/a.txt", "model/w.bin")] == [0o666 & ~umask] * 2
    assert [mode(tmp_path / name) for name in ("b", "model")] == [0o777 & ~umask] * 2


@pytest.mark.parametrize(("refuses_folders", "code"), [(True, errno.EIO), (False, errno.EINVAL)])
def test_only_what_a_file_system_cannot_do_for_folders_is_forgiven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refuses_folders: bool, code: int
) -> None:
    def refuse(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode) == refuses_folders:
            raise OSError(code, "refused")

    monkeypatch.setattr(placing.os, "fsync", refuse)
    with pytest.raises(OSError, match="refused"):
        put_text(tmp_path / "a.txt", "new")


def test_a_secret_is_its_owners_alone_from_the_first_byte_on(tmp_path: Path, umask: int) -> None:
    with put_into_place(tmp_path / "key", is_private=True) as temporary:
        assert mode(temporary) == 0o600
        temporary.write_text("secret", encoding="utf-8")
    put_text(tmp_path / "other", "secret", is_private=True)
    assert [mode(tmp_path / name) for name in ("key", "other")] == [0o600, 0o600]


def test_a_link_is_replaced_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "origin").write_text("mine", encoding="utf-8")
    (tmp_path / "a.txt").symlink_to("origin")
    put_text(tmp_path / "a.txt", "new")
    assert not (tmp_path / "a.txt").is_symlink()
    assert (tmp_path / "origin").read_text(encoding="utf-8") == "mine"


def test_a_link_can_be_put_into_place_itself(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name, encoding="utf-8")
        with put_into_place(tmp_path / "present") as link:
            link.symlink_to(name)
        assert (tmp_path / "present").read_text(encoding="utf-8") == name
    assert sorted(os.listdir(tmp_path)) == ["one", "present", "two"]


def test_what_is_complete_elsewhere_is_moved(tmp_path: Path) -> None:
    complete = tmp_path / "download"
    complete.write_bytes(b"all")
    move_into_place(complete, tmp_path / "library" / "a.gif")
    assert [path.name for path in tmp_path.rglob("*")] == ["library", "a.gif"]


@given(name=st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=60))
def test_every_temporary_name_is_hidden_short_enough_and_known_as_a_leftover(name: str) -> None:
    target = Path("/folder") / f"{name}.mp4"
    with temporary_beside(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.name.startswith(".")
        assert len(os.fsencode(temporary.name)) <= 255
        assert is_leftover(temporary.name)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        (".half.17.tmp.mp4", True),
        (".part-0.4711.tmp", True),
        (".part-0123456789abcdef.version", False),
        (".collection.lock", False),
        (".catalogue-0011aabb", False),
        ("notes.17.tmp", False),
        (".notes.tmp", False),
        ("clip.mp4.part", False),
    ],
)
def test_leftovers_are_what_is_named_as_here_or_as_former_versions_named_it(name: str, is_one: bool) -> None:
    assert is_leftover(name) is is_one


def test_the_time_of_a_disk_is_that_of_what_is_written_to_it_now_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing.time, "time", lambda: 17.0)
    (tmp_path / "before").touch()
    found = disk_time_s(tmp_path)
    (tmp_path / "after").touch()
    moments = [(tmp_path / name).stat().st_mtime for name in ("before", "after")]
    assert moments[0] <= found <= moments[1]
    assert sorted(os.listdir(tmp_path)) == ["after", "before"]
    assert disk_time_s(tmp_path / "nowhere") == 17.0


def test_leftovers_are_found_in_every_folder_and_not_behind_links(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home / "b", elsewhere):
        folder.mkdir(parents=True)
        (folder / ".a.1f.tmp").write_bytes(b"half")
    (home / ".model.2e.tmp").mkdir()
    (home / ".model.2e.tmp" / ".w.3d.tmp").write_bytes(b"half")
    (home / "link").symlink_to(elsewhere)
    assert {path.relative_to(home).as_posix() for path in leftovers_below(home)} == {".model.2e.tmp", "b/.a.1f.tmp"}


FUNCTIONS = {("os", "replace"), ("os", "rename"), ("os", "renames"), ("shutil", "move")}


def renamings(source: str) -> list[int]:
    """Lines that give a file another name. `str.replace` has two arguments, `datetime.replace` and dataclasses' have
    keywords."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        of = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        is_method = node.func.attr in ("replace", "rename") and len(node.args) == 1 and not node.keywords
        is_function = (of, node.func.attr) in {
            ("os", "replace"),
            ("os", "rename"),
            ("os", "renames"),
            ("shutil", "move"),
        }
        if is_method or is_function:
            found.append(node.lineno)
    return found


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("os.replace(a, b)", [1]),
        ("os.rename(a, b)", [1]),
        ("shutil.move(a, b)", [1]),
        ("x = 1\npath.with_name('b').replace(path)", [2]),
        ("path.rename(other)", [1]),
        ("text.replace('a', 'b')", []),
        ("moment.replace(tzinfo=UTC)", []),
        ("replace(row, name='b')", []),
        ("dataclasses.replace(row, name='b')", []),
    ],
)
def test_a_renaming_is_seen(source: str, lines: list[int]) -> None:
    assert renamings(source) == lines


def test_nobody_else_in_the_package_renames_files() -> None:
    files = [*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "scripts").glob("*.py")]
    found = {path.name: renamings(path.read_text(encoding="utf-8")) for path in files}
    assert [name for name, lines in found.items() if lines] == ["placing.py"]
