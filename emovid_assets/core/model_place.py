"""Where a model is, and which one exactly: folders and ids of the hub.

Belongs here: finding a model by its name in the settings, its revision. Does not belong here: loading one.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from emovid_assets.core.identity import file_sha256

WEIGHTS_AND_CONFIGURATION = (".json", ".safetensors", ".bin", ".pt", ".model", ".txt", ".jinja", ".py")


class ModelNotUsableError(ValueError):
    """The model cannot be loaded, or not be used for what is asked; the message says what to do."""


@dataclass(frozen=True)
class ModelPlace:
    """A model by where it is: `folder` is null for a model of the hub. `revision` changes with its content."""

    model_id: str
    revision: str
    folder: Path | None = None

    @property
    def load_from(self) -> str:
        return str(self.folder or self.model_id)


def find_model(name: str, base: Path, revision: str | None = None, *, setting: str = "embeddings.model") -> ModelPlace:
    """A model by the name in the settings: a folder (absolute or below `base`), else an id of the hub.

    The revision of a folder is a digest of its files, of a hub model its commit. `setting` is the key that named it,
    for messages. Raises ModelNotUsableError.
    """
    said = "Name a folder that transformers' save_pretrained has written, with its processor, or a model id of the hub."
    folder = _folder(name, base, "config.json", setting, said)
    if folder is not None:
        # The path says where this machine keeps it, which is nobody else's business.
        return ModelPlace(folder.resolve().name, _digest(folder.resolve()), folder)
    return ModelPlace(name, _commit(name, base, "config.json", revision, setting))


def find_pipeline(
    name: str,
    base: Path,
    revision: str | None,
    sha256_of: Callable[[Path], str],
    *,
    setting: str,
    is_offline: bool = False,
) -> ModelPlace:
    """A pipeline of diffusers as `find_model` finds a model; the digest of a folder is that of the folders in it, too.

    `sha256_of` gives the hash of a file, of which there may be a hundred gigabytes. `is_offline`: only what has been
    fetched of the hub before is found. Raises ModelNotUsableError.
    """
    said = "Name a folder that diffusers' save_pretrained has written, or a model id of the hub."
    folder = _folder(name, base, "model_index.json", setting, said)
    if folder is not None:
        return ModelPlace(folder.resolve().name, pipeline_digest(folder.resolve(), sha256_of), folder)
    return ModelPlace(name, _commit(name, base, "model_index.json", revision, setting, is_offline=is_offline))


def _folder(name: str, base: Path, index: str, setting: str, said: str) -> Path | None:
    """The folder of this name with the file `index`; null where it is an id of the hub."""
    path = Path(name).expanduser()
    folder = path if path.is_absolute() else base / path
    if (folder / index).is_file():
        return folder
    if path.is_absolute() or name.startswith((".", "~")) or folder.is_dir() or is_of_a_folder(name, base):
        raise ModelNotUsableError(f"{setting} = '{name}': there is no {index} in {folder}. {said}")
    return None


def is_of_a_folder(name: str, base: Path) -> bool:
    """Whether a name begins with a folder below `base`: then it is a path, whether or not the rest is there."""
    first, slash, _ = name.partition("/")
    return bool(first and slash) and (base / first).is_dir()


def _commit(name: str, base: Path, index: str, revision: str | None, setting: str, *, is_offline: bool = False) -> str:
    from transformers.utils.hub import cached_file, extract_commit_hash

    try:
        found = cached_file(name, index, revision=revision, local_files_only=is_offline)
    except (OSError, ValueError) as error:
        raise ModelNotUsableError(
            f"{setting} = '{name}': no such folder below {base}, and the hub does not give it: "
            f"{str(error).splitlines()[0]}"
        ) from error
    commit = extract_commit_hash(found, None)
    if commit is None:
        raise ModelNotUsableError(f"{setting} = '{name}': the hub does not say its commit; name a folder.")
    return str(commit)


def pipeline_files(folder: Path) -> list[Path]:
    """Weights and configuration of all parts, by name; what is hidden is none of them."""
    below = (path for path in folder.rglob("*") if path.suffix in WEIGHTS_AND_CONFIGURATION and path.is_file())
    return sorted(path for path in below if not any(part[0] == "." for part in path.relative_to(folder).parts))


def pipeline_digest(folder: Path, sha256_of: Callable[[Path], str]) -> str:
    return _digest_of((path.relative_to(folder).as_posix(), sha256_of(path)) for path in pipeline_files(folder))


def _digest(folder: Path) -> str:
    paths = sorted(p for p in folder.iterdir() if p.suffix in WEIGHTS_AND_CONFIGURATION and p.is_file())
    return _digest_of((path.name, _sha256(path, *_size_and_time(path))) for path in paths)


def _digest_of(files: Iterable[tuple[str, str]]) -> str:
    """16 hex digits of names and content."""
    facts = "".join(f"{name}|{sha256}\n" for name, sha256 in files)
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def _size_and_time(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=256)
def _sha256(path: Path, size: int, time_ns: int) -> str:
    """Kept for the process: three domains ask for the same gigabytes."""
    return file_sha256(path)
