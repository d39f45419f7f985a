"""Pictures of metadata as files that are kept once: the event log holds their addresses.

An event is stored three times (the run's log, the log of all runs, the asset), and a picture in it as text takes most
of it. The webserver of Dagster hands out what lies in the folder of compute logs, so the UI shows a picture that lies
there as it shows one that is part of the text.

Belongs here: where such a picture lies, and its address. Does not belong here: what is drawn (`pictures`), and when a
picture may go (`orchestration.history`).
"""

import base64
import functools
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from emovid_assets.core.placing import put_bytes

FOLDER = "pictures"
"""Below that of the compute logs."""
SUFFIXES = {"svg+xml": "svg", "jpeg": "jpg"}
_IN_TEXT = re.compile(r"\(data:image/(svg\+xml|jpeg);base64,([A-Za-z0-9+/]+=*)\)")
_ADDRESS = re.compile(rf"/logs/{FOLDER}/([0-9a-f]{{64}})/(?:{'|'.join(SUFFIXES.values())})\b")


def keeping_pictures(body: Callable[..., Any]) -> Callable[..., Any]:
    """The body of an asset whose result has the addresses of its pictures in their place.

    Where it is not Dagster's own webserver that could hand them out, they stay in the text.
    """

    @functools.wraps(body)
    def keeping(*args: Any, **inputs: Any) -> Any:
        made = body(*args, **inputs)
        manager = _manager()
        if manager is None or made is None:
            return made
        metadata = {name: _kept(value, manager) for name, value in (made.metadata or {}).items()}
        if isinstance(made, dg.MaterializeResult):
            return made._replace(metadata=metadata)
        return dg.Output(made.value, data_version=made.data_version, metadata=metadata, tags=made.tags)

    return keeping


def _manager() -> LocalComputeLogManager | None:
    """That of the step at work; null outside of one, and where logs are kept elsewhere."""
    try:
        manager = dg.OpExecutionContext.get().instance.compute_log_manager
    except dg.DagsterInvariantViolationError:
        return None
    return manager if isinstance(manager, LocalComputeLogManager) else None


def _kept(value: Any, manager: LocalComputeLogManager) -> Any:
    if not isinstance(value, dg.MarkdownMetadataValue):
        return value

    def address(found: re.Match[str]) -> str:
        data, suffix = base64.b64decode(found[2]), SUFFIXES[found[1]]
        name = hashlib.sha256(data).hexdigest()
        path = Path(manager.get_captured_local_path([FOLDER, name], suffix))
        if path.is_file() and path.stat().st_size == len(data):
            # It may be the picture of a result that is about to be forgotten.
            path.touch()
        else:
            put_bytes(path, data)
        return f"(/logs/{FOLDER}/{name}/{suffix})"

    return dg.MetadataValue.md(_IN_TEXT.sub(address, str(value.md_str)))


def pictures_named_in(text: str) -> set[str]:
    """The names of the pictures whose addresses stand in a text."""
    return set(_ADDRESS.findall(text))


def picture_files(instance: dg.DagsterInstance) -> list[Path]:
    """Every picture that is kept for an instance; its stem is its name."""
    manager = instance.compute_log_manager
    if not isinstance(manager, LocalComputeLogManager):
        return []
    folder = Path(manager.get_captured_local_path([FOLDER, "any"], "svg")).parent
    return [path for suffix in SUFFIXES.values() for path in folder.glob(f"*.{suffix}")]
