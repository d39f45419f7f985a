"""`SHA256SUMS`: a line a file, as `sha256sum -c` reads it.

Belongs here: writing and reading it. Does not belong here: hashing files.

`sha256sum` escapes a name that holds a backslash or a newline; no name of a release does.
"""

import re
from collections.abc import Mapping

from emovid_assets.core.release.layout import SHA256SUMS
from emovid_assets.resources.release.reading import NotAReleaseError, Release

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def sums_text(sums: Mapping[str, str]) -> str:
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(sums.items()))


def read_sums(release: Release) -> dict[str, str]:
    """SHA-256 by path. Raises NotAReleaseError where the file is missing, or a line of it is none."""
    path = release.folder / SHA256SUMS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NotAReleaseError(f"{path} cannot be read ({error}): fetch or copy the release again") from error
    sums: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        found = _LINE.fullmatch(line)
        if found is None or found[2] in sums:
            raise NotAReleaseError(f"{path}, line {number}: no line of sums: fetch or copy the release again")
        sums[found[2]] = found[1]
    return sums
