"""Where a model is, and which one exactly: folders and ids of the hub.

Belongs here: finding a model by its name in the settings, its revision. Does not belong here: loading one.
"""

import hashlib
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
    path = Path(name).expanduser()
    folder = path if path.is_absolute() else base / path
    if (folder / "config.json").is_file():
        # The path says where this machine keeps it, which is nobody else's business.
        return ModelPlace(folder.resolve().name, _digest(folder.resolve()), folder)
    if path.is_absolute() or name.startswith((".", "~")) or folder.is_dir():
        raise ModelNotUsableError(
            f"{setting} = '{name}': there is no config.json in {folder}. Name a folder that transformers' "
            f"save_pretrained has written, with its processor, or a model id of the hub."
        )
    from transformers.utils.hub import cached_file, extract_commit_hash

    try:
        config = cached_file(name, "config.json", revision=revision)
    except (OSError, ValueError) as error:
        raise ModelNotUsableError(
            f"{setting} = '{name}': no such folder below {base}, and the hub does not give it: "
            f"{str(error).splitlines()[0]}"
        ) from error
    commit = extract_commit_hash(config, None)
    if commit is None:
        raise ModelNotUsableError(f"{setting} = '{name}': the hub does not say its commit; name a folder.")
    return ModelPlace(name, commit)


def _digest(folder: Path) -> str:
    """16 hex digits of names and content of weights and configuration."""
    paths = sorted(p for p in folder.iterdir() if p.suffix in WEIGHTS_AND_CONFIGURATION and p.is_file())
    facts = "".join(f"{path.name}|{_sha256(path, *_size_and_time(path))}\n" for path in paths)
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def _size_and_time(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=256)
def _sha256(path: Path, size: int, time_ns: int) -> str:
    """Kept for the process: three domains ask for the same gigabytes."""
    return file_sha256(path)
