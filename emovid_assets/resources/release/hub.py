"""A dataset repository of a Hugging Face hub as a place for releases: `hf://datasets/owner/name[@branch]`.

Belongs here: commits, tags and listings there, through `huggingface_hub`. Does not belong here: which files, and in
which order (`pushing`).

A version is a tag, which never moves; the branch holds the version that was pushed last. What an earlier release had
there and this one has not goes with the first commit: a clip that was withdrawn does not stay for want of care.
"""

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from emovid_assets.core.plain_text import one_line
from emovid_assets.core.redaction import Redactor
from emovid_assets.core.release.layout import SHA256SUMS
from emovid_assets.core.retry_after import may_pass, retry_after_s
from emovid_assets.resources.key_places import may_carry_key, refusal
from emovid_assets.resources.release.pushing import LAST, PushError, ReleaseFile, listed_in
from emovid_assets.resources.retrying import AttemptError, Patience, patiently

T = TypeVar("T")
SCHEME: Final = "hf://"
PATIENCE: Final = Patience(attempts=6, first_pause_s=2.0)
_TARGET = re.compile(r"hf://datasets/(?P<repo>[\w.-]+/[\w.-]+?)(?:@(?P<branch>[^@\s]+?))?/?")
_DATASET = "dataset"
_MAIN = "main"
_CONFLICT = 409


class Hub:
    """A repository that receives a release called `name`, which will be its tag.

    `may_be_public`: whether it may be one that everybody can read; a new one is private.
    Raises PushError for a target that is none.
    """

    def __init__(self, target: str, name: str, *, may_be_public: bool = False, patience: Patience = PATIENCE) -> None:
        found = _TARGET.fullmatch(target)
        if found is None:
            raise PushError(
                f"'{target}' is no dataset of a hub: write hf://datasets/OWNER/NAME, with @BRANCH if wanted"
            )
        self._repo, self._branch = found["repo"], found["branch"] or _MAIN
        self._tag, self._may_be_public, self._patience = name, may_be_public, patience
        self._withdrawn: list[str] = []
        self._is_private = True
        self._redact = Redactor(filter(None, [os.environ.get("HF_TOKEN")]))

    @property
    def address(self) -> str:
        return f"{SCHEME}datasets/{self._repo}@{self._branch}"

    def open(self, files: Sequence[ReleaseFile]) -> bool:
        """Makes the repository and the branch where there is none. True where the tag holds this release already.

        Raises PushError where the tag holds another one, or where everybody could read what was not meant for them.
        """
        api = self._api()
        if not may_carry_key(api.endpoint):
            raise PushError(refusal("the token of the hub", api.endpoint))
        info = self._asked(lambda: self._info(api), "cannot be looked at")
        if info is None:
            self._asked(
                lambda: api.create_repo(self._repo, repo_type=_DATASET, private=True, exist_ok=True), "cannot be made"
            )
        elif not (info.private or self._may_be_public):
            raise PushError(
                f"{self._repo} is public, so everybody could read the release: say --public if that is meant"
            )
        refs = self._asked(lambda: api.list_repo_refs(self._repo, repo_type=_DATASET), "has no list of branches")
        if self._branch not in {one.name for one in refs.branches} and self._branch != _MAIN:
            self._asked(
                lambda: api.create_branch(self._repo, branch=self._branch, repo_type=_DATASET, exist_ok=True),
                f"cannot have the branch {self._branch}",
            )
        if self._tag in {one.name for one in refs.tags}:
            there = self._look(files, self._tag)
            if all(there.get(file.path) for file in files):
                return True
            raise PushError(
                f"{self._repo} has the tag {self._tag} with other bytes, and a version never changes: push to another "
                "repository, or remove the tag there"
            )
        self._withdrawn = self._of_release_before(files)
        return False

    def look(self, files: Iterable[ReleaseFile]) -> dict[str, bool]:
        """By the hashes that the hub lists: SHA-256 of large files, git's of others."""
        return self._look(files, self._branch)

    def others(self, files: Iterable[ReleaseFile]) -> list[str]:
        """But for hidden files, of which a hub makes some itself."""
        ours = {file.path for file in files}
        return sorted(path for path in self._tree(self._branch) if path not in ours and not path.startswith("."))

    def send(self, files: Sequence[ReleaseFile]) -> None:
        """One commit, again where the hub is busy: what it has got of it by then is not sent again."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete
        from huggingface_hub.utils import disable_progress_bars

        disable_progress_bars()
        api = self._api()
        is_second = False

        def commit() -> None:
            nonlocal is_second
            missing, withdrawn = list(files), self._withdrawn
            if is_second:
                # The answer may have been lost, not the commit.
                there = self._tree(self._branch)
                missing = [file for file in files if not _is_same(file, there.get(file.path))]
                withdrawn = [path for path in withdrawn if path in there]
            is_second = True
            ours = {file.path for file in files}
            operations = [
                *(CommitOperationAdd(file.path, str(file.local)) for file in missing),
                *(CommitOperationDelete(path, is_folder=False) for path in withdrawn if path not in ours),
            ]
            if operations:
                with _over_https():
                    api.create_commit(
                        self._repo,
                        operations,
                        commit_message=f"Release {self._tag}",
                        repo_type=_DATASET,
                        revision=self._branch,
                    )

        self._asked(commit, "did not take a commit")
        self._withdrawn = []

    def close(self) -> None:
        """Tags the version."""
        api = self._api()

        def tag() -> None:
            from huggingface_hub.errors import HfHubHTTPError

            try:
                api.create_tag(self._repo, tag=self._tag, revision=self._branch, repo_type=_DATASET)
            except HfHubHTTPError as error:
                # The answer to an earlier attempt was lost.
                if _status(error) != _CONFLICT:
                    raise

        self._asked(tag, f"did not take the tag {self._tag}")

    def _api(self) -> Any:
        from huggingface_hub import HfApi

        return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)

    def _info(self, api: Any) -> Any:
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            return api.repo_info(self._repo, repo_type=_DATASET)
        except RepositoryNotFoundError:
            return None

    def _of_release_before(self, files: Sequence[ReleaseFile]) -> list[str]:
        """Files of the release that the branch holds which are none of this one, and what says that it is whole: that
        comes back with the last commit."""
        there = self._tree(self._branch)
        now = {file.path: file for file in files}
        if SHA256SUMS not in there or _is_same(now[SHA256SUMS], there[SHA256SUMS]):
            return []
        before = listed_in(self._asked(self._sums_there, f"does not give its {SHA256SUMS}"))
        gone = [path for path in before if path in there and path not in now]
        return [*gone, *(path for path in LAST if path in there and not _is_same(now[path], there[path]))]

    def _sums_there(self) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = self._api().hf_hub_download(
                self._repo, SHA256SUMS, repo_type=_DATASET, revision=self._branch, local_dir=folder
            )
            return Path(path).read_text(encoding="utf-8", errors="replace")

    def _look(self, files: Iterable[ReleaseFile], revision: str) -> dict[str, bool]:
        there = self._tree(revision)
        return {file.path: _is_same(file, there[file.path]) for file in files if file.path in there}

    def _tree(self, revision: str) -> dict[str, Any]:
        """Files there, by path."""
        from huggingface_hub.hf_api import RepoFile

        def listed() -> dict[str, Any]:
            entries = self._api().list_repo_tree(self._repo, recursive=True, revision=revision, repo_type=_DATASET)
            return {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}

        return self._asked(listed, f"has no list of files at {revision}")

    def _asked(self, act: Callable[[], T], otherwise: str) -> T:
        def once() -> T:
            try:
                return act()
            except Exception as error:
                said = one_line(self._redact(error)) or type(error).__name__
                raise AttemptError(said, passes=_passes(error), retry_after_s=_pause_s(error)) from error

        try:
            return patiently(once, self._patience)
        except AttemptError as error:
            raise PushError(
                f"{self.address} {otherwise} ({error}): check the address, HF_TOKEN and the network, then push again, "
                "which goes on from here"
            ) from error


@contextmanager
def _over_https() -> Iterator[None]:
    """Large files go over HTTPS, as with HF_HUB_DISABLE_XET=1: by hashes that can be compared before and after."""
    from huggingface_hub import constants

    before, constants.HF_HUB_DISABLE_XET = constants.HF_HUB_DISABLE_XET, True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = before


def _is_same(file: ReleaseFile, there: Any) -> bool:
    if there is None:
        return False
    return bool(there.lfs.sha256 == file.sha256 if there.lfs else there.blob_id == file.git_oid)


def _passes(error: BaseException) -> bool:
    """Whether a failure may pass: the hub is busy or out of reach, also where the library says that in its own way."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        status = _status(error)
        return status is not None and status != _CONFLICT and may_pass(status)
    if isinstance(error, httpx2.TransportError | json.JSONDecodeError):
        # An answer of 503 to the check of the card is read as JSON before its status is.
        return True
    return isinstance(error, RuntimeError) and error.__cause__ is not None and _passes(error.__cause__)


def _status(error: BaseException) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _pause_s(error: BaseException) -> float | None:
    response = getattr(error, "response", None)
    return retry_after_s(response.headers) if response is not None else None
