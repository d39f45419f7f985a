"""Every writer on a disk without room: what was there stays as it was, nothing half stays beside it, and the error is
one that the commands put into a sentence."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from emovid_assets.cli.app import disk_fault
from emovid_assets.core.placing import is_leftover, put_all, put_bytes, put_folder_into_place
from emovid_assets.core.video.changes import Change, write_changes
from emovid_assets.home.folders import Home
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.orchestration.instance import prepare_instance_folder
from emovid_assets.people.annotators import pseudonyms
from emovid_assets.people.taking_in import import_files
from emovid_assets.report.build import build_report
from emovid_assets.resources.catalogue import build_catalogue
from emovid_assets.resources.collection.shelf import Shelf
from emovid_assets.resources.collection.store import CollectionStore, ItemState
from emovid_assets.resources.item_store import FinishedItem, ItemStore
from emovid_assets_tests.integration.disks import fill, mounted, needs_root
from emovid_assets_tests.planted_tables import plant, valid_row

pytestmark = [pytest.mark.integration, needs_root]

LONG = 200_000


def settle_an_item(home: Home, turn: int) -> None:
    with closing(ItemStore(home.state)) as store:
        store.settle("scan", "movie", [FinishedItem("a", f"key {turn}", {"text": "x" * LONG})])


def note_what_is_collected(home: Home, turn: int) -> None:
    with CollectionStore(home) as store:
        store.put("movie", ItemState("youtube", "a", reason=f"{turn}" * LONG))


def admit_a_collected_file(home: Home, turn: int) -> None:
    shelf = Shelf(home, "sticker")
    shelf.prepare()
    complete = shelf.partial / "a.gif"
    complete.write_bytes(b"GIF89a")
    shelf.admit(complete, "a.gif", {"external_id": "a", "title": f"{turn} " * LONG})


def write_a_table(home: Home, turn: int) -> None:
    plant(home.root, "clips", [valid_row("clips", turn)])


def write_the_catalogue(home: Home, _: int) -> None:
    build_catalogue(home.root, shipped_file("sql"))


def write_thumbnails(home: Home, turn: int) -> None:
    put_all((home.thumbnails / f"{name}.jpg", bytes(9000 * turn)) for name in "ab")


def keep_changes(home: Home, turn: int) -> None:
    write_changes(home.frame_changes / "a.npy", range(999), [Change(turn, 0, 0)] * 999)


def save_a_model(home: Home, turn: int) -> None:
    with put_folder_into_place(home.models / f"labeller-{turn}") as unfinished:
        put_bytes(unfinished / "weights", bytes(LONG))


def write_the_report(home: Home, _: int) -> None:
    build_report(home)


def meet_a_person(home: Home, turn: int) -> None:
    with pseudonyms(home) as known:
        known.annotator(f"{turn}@example.org")


def take_in_answers(home: Home, turn: int) -> None:
    answers = home.root.parent.parent / "answers.csv"
    answers.write_text("clip_id,annotator_id,emotion\n" + f"clip-{turn},anna,awe\n" * 2_000, encoding="utf-8")
    import_files(home, [answers])


def make_dagsters_folder(home: Home, turn: int) -> None:
    target = prepare_instance_folder(home.root) / "dagster.yaml"
    if turn == 1:
        # Of another version of the program: to be written anew.
        target.write_text(target.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")


WRITERS: tuple[Callable[[Home, int], None], ...] = (
    *(settle_an_item, note_what_is_collected, admit_a_collected_file, write_a_table, write_the_catalogue),
    *(write_thumbnails, keep_changes, save_a_model, write_the_report, meet_a_person, take_in_answers),
    make_dagsters_folder,
)


@pytest.fixture(scope="module")
def full_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Each writer has written once, and there is no room for anything more."""
    with mounted(tmp_path_factory.mktemp("full") / "disk", megabytes=12) as disk:
        home = Home(disk / "home")
        for write in WRITERS:
            write(home, 1)
        fill(disk)
        yield home


def digests(home: Home) -> dict[str, str]:
    """Of every file but those of SQLite, which writes ahead, and locks, which are empty."""
    paths = (path for path in home.root.rglob("*") if path.is_file() and ".sqlite" not in path.name)
    return {
        path.relative_to(home.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.stat().st_size
    }


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_a_full_disk_leaves_what_was_there(full_home: Home, write: Callable[[Home, int], None]) -> None:
    before = digests(full_home)
    with pytest.raises(Exception) as caught:
        write(full_home, 2)
    said = disk_fault(caught.value)
    assert said is not None, repr(caught.value)
    assert "free space" in said
    assert "\n" not in said
    assert digests(full_home) == before
    assert [path for path in full_home.root.rglob("*") if is_leftover(path.name)] == []


def test_what_was_finished_before_the_disk_was_full_is_read(full_home: Home) -> None:
    with closing(ItemStore.to_read(full_home.state)) as store:
        assert store.finished_keys("scan", "movie") == {"a": ("key 1", {})}
        assert store.fault() is None
