"""How proofs look in a terminal: of a home, of a release.

Belongs here: printing them. Does not belong here: any proof.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from emovid_assets.cli.shared import out

if TYPE_CHECKING:
    from emovid_assets.checks.proofs import Proof


def print_proofs(proofs: "Sequence[Proof]", *, as_json: bool) -> None:
    """A line a proof and some of its faults, or one JSON object with all."""
    from emovid_assets.checks import proofs as verification

    if as_json:
        sys.stdout.write(verification.as_json(proofs))
        return
    for proof in proofs:
        word = "[green]holds[/]" if proof.holds else "[bold red]fails[/]"
        note = f"  [dim]{escape(proof.note)}[/]" if proof.note else ""
        out.print(f"{word}  {proof.name:16} {proof.checked:9,} {proof.unit}{note}")
        for fault in proof.faults[: verification.SHOWN_FAULTS]:
            out.print(f"         {escape(fault)}")
        if len(proof.faults) > verification.SHOWN_FAULTS:
            out.print(f"         and {len(proof.faults) - verification.SHOWN_FAULTS:,} more; --json has all")
