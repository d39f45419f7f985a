"""Where the home lies on a node of a Ray cluster, and whether that node runs the same code.

Belongs here: paths of the home on their way to a worker and back, and the proof that both see one folder. Does not
belong here: Ray (`ray_workers`). Everything else hands absolute paths around, as on one machine.
"""

import hashlib
import importlib.metadata
import os
import secrets
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import emovid_assets

DECODERS = ("av", "numpy", "opencv-python-headless", "pillow", "scenedetect-headless")
"""Packages on whose versions results of the media steps may depend."""


@dataclass(frozen=True)
class InHome:
    """A path below the home, wherever that is; `kind` is what it was and will be again, str or Path."""

    path: str
    kind: type = str


@dataclass(frozen=True)
class Shared:
    """What a worker must find where it is: the home, and the code of whoever asks it."""

    root: str
    on_workers: str | None
    mark: str
    """Name of a file in the home that is there as long as the engine is."""
    code: str


def shared(home: Path, on_workers: str | None) -> Shared:
    """Marks a home, for workers to know it again; `forget` takes the mark away. Raises OSError."""
    mark = f".workers.{secrets.token_hex(8)}.tmp"
    (home / mark).touch()
    return Shared(str(home), on_workers, mark, code_digest())


def forget(given: Shared) -> None:
    Path(given.root, given.mark).unlink(missing_ok=True)


def code_digest() -> str:
    """16 hex digits that change with any line of this package, with Python and with what decodes."""
    found = hashlib.sha256(repr((sys.version_info[:2], *map(_version, DECODERS))).encode())
    folder = Path(emovid_assets.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        found.update(str(PurePosixPath(path.relative_to(folder))).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def found_on_this_node(given: Shared) -> tuple[str, str]:
    """The home's path on this node, and what is wrong with the node; one of both is empty."""
    if code_digest() != given.code:
        return "", (
            f"Node {socket.gethostname()} runs another version of emovid-assets, of Python or of what decodes films. "
            "Install the same on every node: results would depend on where a file is read"
        )
    known = [given.on_workers] if given.on_workers else [given.root, os.environ.get("EMOVID_HOME")]
    places = [place for place in known if place]
    for place in places:
        if os.path.lexists(os.path.join(place, given.mark)):
            return place, ""
    return "", (
        f"Node {socket.gethostname()} does not see the home in {' or '.join(places)}. Mount the same folder there, and "
        "say where in EMOVID_HOME of the node or in compute.home_on_workers"
    )


def portable(value: Any, root: str) -> Any:
    """Plain values, and dataclasses of them, with each path of the home as `InHome`."""

    def inside(text: str, kind: type) -> Any:
        if text == root:
            return InHome("", kind)
        return InHome(text[len(root) + 1 :], kind) if text.startswith(f"{root}/") else kind(text)

    if isinstance(value, str):
        return inside(value, str)
    if isinstance(value, Path):
        return inside(str(value), Path)
    return _changed(value, lambda one: portable(one, root))


def local(value: Any, root: str) -> Any:
    """The other way, on the node whose home is `root`."""
    if isinstance(value, InHome):
        return value.kind(os.path.join(root, value.path) if value.path else root)
    return _changed(value, lambda one: local(one, root))


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same, with everything in it changed."""
    if isinstance(value, dict):
        return {name: change(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(change(one) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: change(getattr(value, one.name)) for one in fields(value) if one.init})
    return value
