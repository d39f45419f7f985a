"""`huggingface_hub` itself talks to a hub of ours: what arrives, what is sent twice, what is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emovid_assets.resources.release import pushing
from emovid_assets.resources.release.hub import Hub
from emovid_assets.resources.release.pushing import Pushed, PushError, compare, push
from emovid_assets.resources.retrying import Patience
from emovid_assets_tests.release.pushed_releases import bytes_in, release
from emovid_assets_tests.release.stub_hub import LOST, Repository, StubHub, stub_hub

TARGET, NAME = "hf://datasets/ann/clips", "ann/clips"
TOKEN = "hf_" + "a1B2" * 9
QUICK = Patience(attempts=4, first_pause_s=0.0)
COMMIT = f"POST /api/datasets/{NAME}/commit"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StubHub]:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(pushing, "BATCH_FILES", 2)
    with stub_hub() as stub:
        monkeypatch.setenv("HF_ENDPOINT", stub.endpoint)
        yield stub


def sent(folder: Path, target: str = TARGET, **options: bool) -> Pushed:
    return push(folder, Hub(target, folder.name, patience=QUICK, **options))


def held(stub: StubHub, revision: str = "main") -> dict[str, bytes]:
    return {path: data for path, data in stub.repositories[NAME].at(revision).items() if path != ".gitattributes"}


def test_a_release_becomes_a_private_repository_with_a_tag_and_the_last_files_come_last(
    hub: StubHub, tmp_path: Path
) -> None:
    folder = release(tmp_path / "1.0.0")
    pushed = sent(folder)
    assert hub.repositories[NAME].is_private
    assert held(hub) == held(hub, "1.0.0") == bytes_in(folder)
    commits = [commit["added"] for commit in hub.repositories[NAME].commits]
    assert [len(commit) for commit in commits] == [2, 2, 2, 2, 1]
    assert [path for commit in commits for path in commit][-3:] == ["README.md", "release.json", "SHA256SUMS"]
    assert (pushed.sent_count, pushed.kept_count, pushed.address) == (9, 0, f"{TARGET}@main")
    # An empty file is none that LFS takes.
    assert len(hub.uploads) == 3


def test_a_second_push_sends_nothing_and_makes_no_commit(hub: StubHub, tmp_path: Path) -> None:
    folder = release(tmp_path / "1.0.0")
    sent(folder)
    commits = len(hub.repositories[NAME].commits)
    assert (sent(folder).sent_count, len(hub.repositories[NAME].commits)) == (0, commits)


@pytest.mark.parametrize(
    ("line", "statuses"),
    [
        (COMMIT, [503]),
        (COMMIT, [503, 502, 429]),
        (COMMIT, [LOST]),
        ("POST /api/validate-yaml", [503]),
        (f"POST /api/datasets/{NAME}/tag", [503, LOST]),
        ("POST /api/repos/create", [503]),
        (f"GET /api/datasets/{NAME}/tree", [503]),
        (f"GET /api/datasets/{NAME}/refs", [500]),
    ],
    ids=["busy", "busy for long", "an answer is lost", "card", "tag", "repository", "listing", "branches"],
)
def test_a_hub_that_is_busy_for_a_while_gets_it_all_the_same_once(
    line: str, statuses: list[int], hub: StubHub, tmp_path: Path
) -> None:
    hub.failures[line] = list(statuses)
    folder = release(tmp_path / "1.0.0")
    sent(folder)
    assert hub.failures[line] == []
    assert held(hub) == held(hub, "1.0.0") == bytes_in(folder)
    added = [path for commit in hub.repositories[NAME].commits for path in commit["added"]]
    assert sorted(added) == sorted(bytes_in(folder))


def test_a_push_that_was_stopped_goes_on_where_it_was_and_shows_as_half_until_then(
    hub: StubHub, tmp_path: Path
) -> None:
    folder = release(tmp_path / "1.0.0")
    batches: list[int] = []

    def stop(step: str, done: int, total: int) -> None:
        if step == "push":
            batches.append(done)
            if len(batches) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push(folder, Hub(TARGET, "1.0.0", patience=QUICK), tell=stop)
    assert len(held(hub)) == 4
    assert not {"README.md", "release.json", "SHA256SUMS"} & set(held(hub))
    assert hub.repositories[NAME].tags == {}
    uploads = len(hub.uploads)
    pushed = sent(folder)
    assert (pushed.sent_count, pushed.kept_count) == (5, 4)
    assert held(hub, "1.0.0") == bytes_in(folder)
    assert len(hub.uploads) == len(set(hub.uploads)) == 3
    assert uploads < 3


def test_a_hub_that_stays_busy_is_left_with_a_sentence_that_hides_the_token(hub: StubHub, tmp_path: Path) -> None:
    hub.failures[COMMIT] = [503] * 20
    with pytest.raises(PushError, match=r"did not take a commit .* push again, which goes on from here") as caught:
        sent(release(tmp_path / "1.0.0"))
    assert TOKEN not in str(caught.value)


def test_a_refusal_is_not_asked_again(hub: StubHub, tmp_path: Path) -> None:
    hub.failures[COMMIT] = [403] * 20
    with pytest.raises(PushError, match="HF_TOKEN"):
        sent(release(tmp_path / "1.0.0"))
    assert len(hub.failures[COMMIT]) == 19


def test_a_file_that_was_changed_there_is_found_and_a_version_that_is_tagged_stays(
    hub: StubHub, tmp_path: Path
) -> None:
    folder = release(tmp_path / "1.0.0")
    sent(folder)
    for path in ("train/movie/c.mp4", "clips.csv"):
        hub.repositories[NAME].branches["main"][path] = b"changed"
    del hub.repositories[NAME].branches["main"]["LICENSE.md"]
    hub.repositories[NAME].branches["main"]["notes.txt"] = b"of a person"
    compared = compare(folder, Hub(TARGET, "1.0.0", patience=QUICK))
    assert compared.different == ("clips.csv", "train/movie/c.mp4")
    assert (compared.missing, compared.others) == (("LICENSE.md",), ("notes.txt",))
    hub.repositories[NAME].tags["1.0.0"]["clips.csv"] = b"changed"
    with pytest.raises(PushError, match=r"has the tag 1.0.0 with other bytes"):
        sent(folder)


def test_a_gitignore_there_that_keeps_files_out_is_noticed(hub: StubHub, tmp_path: Path) -> None:
    hub.ignored = ("train/movie/c.mp4",)
    with pytest.raises(PushError, match=r"1 files are missing \(train/movie/c.mp4\)"):
        sent(release(tmp_path / "1.0.0"))
    assert hub.repositories[NAME].tags == {}


def test_a_new_version_takes_away_what_it_has_not_and_leaves_what_is_not_ours(hub: StubHub, tmp_path: Path) -> None:
    first = release(tmp_path / "1.0.0")
    sent(first)
    hub.repositories[NAME].branches["main"]["notes.txt"] = b"of a person"
    commits = len(hub.repositories[NAME].commits)
    changed = {"train/movie/c.mp4": None, "clips.csv": b"clip_id\n", "release.json": b'{"version": "2.0.0"}\n'}
    second = release(tmp_path / "2.0.0", changed)
    hub.failures[COMMIT] = [LOST]
    pushed = sent(second)
    assert held(hub) == bytes_in(second) | {"notes.txt": b"of a person"}
    assert held(hub, "1.0.0") == bytes_in(first)
    assert held(hub, "2.0.0")["release.json"] == changed["release.json"]
    assert (pushed.sent_count, pushed.others) == (3, ("notes.txt",))
    new = hub.repositories[NAME].commits[commits:]
    assert new[0]["deleted"] == ["train/movie/c.mp4", "release.json", "SHA256SUMS"]
    assert [commit["added"] for commit in new] == [["clips.csv"], ["release.json", "SHA256SUMS"]]


def test_an_older_version_that_is_tagged_does_not_come_back_to_the_branch(hub: StubHub, tmp_path: Path) -> None:
    first = release(tmp_path / "1.0.0")
    second = release(tmp_path / "2.0.0", {"release.json": b'{"version": "2.0.0"}\n'})
    sent(first)
    sent(second)
    assert sent(first).sent_count == 0
    assert held(hub) == bytes_in(second)


def test_a_branch_of_its_own_is_made(hub: StubHub, tmp_path: Path) -> None:
    folder = release(tmp_path / "1.0.0+metadata")
    sent(folder, f"{TARGET}@next/try")
    assert held(hub, "next/try") == held(hub, "1.0.0+metadata") == bytes_in(folder)
    assert held(hub) == {}


def test_nothing_is_published_that_was_not_meant_to_be(hub: StubHub, tmp_path: Path) -> None:
    folder = release(tmp_path / "1.0.0")
    hub.repositories[NAME] = Repository(is_private=False)
    with pytest.raises(PushError, match="is public, so everybody could read the release: say --public"):
        sent(folder)
    assert held(hub) == {}
    sent(folder, may_be_public=True)
    assert held(hub) == bytes_in(folder)


def test_the_token_goes_to_no_other_machine_without_encryption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example.org")
    with pytest.raises(PushError, match=r"is not sent to hub.example.org without encryption"):
        sent(release(tmp_path / "1.0.0"))


@pytest.mark.parametrize("target", ["hf://models/a/b", "hf://datasets/a", "hf://datasets/a/b/c", "hf://datasets/a/b@"])
def test_what_is_no_dataset_is_refused(target: str) -> None:
    with pytest.raises(PushError, match="is no dataset of a hub"):
        Hub(target, "1.0.0")
