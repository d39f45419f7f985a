"""Messages to people who are not looking: a JSON object to an address, or to a program.

Belongs here: delivering one message. Does not belong here: what is worth one (`orchestration.alerting`).
"""

import json
import os
import subprocess
from collections.abc import Collection, Mapping
from typing import Any

import requests

from emovid_assets.core.plain_text import cut, one_line
from emovid_assets.core.redaction import Redactor
from emovid_assets.core.retry_after import is_busy, may_pass, retry_after_s
from emovid_assets.home.settings import AlertSettings
from emovid_assets.resources.key_places import may_carry_key, refusal, session_for
from emovid_assets.resources.retrying import AttemptError, Patience, patiently, was_reached

Message = Mapping[str, Any]
CONNECT_S = 5.0
FIRST_PAUSE_S = 1.0
MOST_SAID = 300


class AlertError(AttemptError):
    """A message that was not delivered; the sentence says why and holds no key."""


def channels(settings: AlertSettings) -> tuple[str, ...]:
    """The names of the settings by which people are told; none where nobody is."""
    return tuple(name for name in ("alert_url", "alert_command") if getattr(settings, name))


def deliver(
    message: Message,
    settings: AlertSettings,
    wanted: Collection[str],
    environment: Mapping[str, str] = os.environ,
) -> tuple[set[str], list[str]]:
    """Tells a message by the wanted channels: those that have it, and a sentence for each that has not."""
    told, faults = set(), []
    for name, tell in (("alert_url", _post), ("alert_command", _run)):
        if name in wanted:
            try:
                tell(message, settings, environment)
                told.add(name)
            except AlertError as error:
                faults.append(f"{name}: {error}")
    return told, faults


def _post(message: Message, settings: AlertSettings, environment: Mapping[str, str]) -> None:
    address = str(settings.alert_url)
    key = environment.get(settings.key_variable, "").strip()
    # Addresses of chat services are keys themselves.
    redact = Redactor([key, address])
    if key and not may_carry_key(address, environment=environment):
        raise AlertError(refusal(f"the key in {settings.key_variable}", address))
    headers = {"Authorization": f"Bearer {key}"} if key else {}

    def attempt() -> None:
        try:
            answer = (session_for(address) if key else requests).post(
                address,
                json=message,
                headers=headers,
                timeout=(CONNECT_S, settings.timeout_s),
                # A key is for the server that was named.
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            reached = isinstance(error, requests.Timeout) or was_reached(error)
            raise AlertError(_said(redact(error)), passes=not reached) from None
        with answer:
            if not answer.ok or answer.is_redirect:
                # What was refused was not taken, so it may be sent again without being told twice.
                status = answer.status_code
                wait_s = retry_after_s(answer.headers)
                raise AlertError(f"answers {status}", passes=is_busy(status) or may_pass(status), retry_after_s=wait_s)

    patiently(attempt, Patience(attempts=settings.attempts, first_pause_s=FIRST_PAUSE_S))


def _run(message: Message, settings: AlertSettings, environment: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(
            settings.alert_command,
            input=json.dumps(message).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=settings.timeout_s,
            env=dict(environment),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AlertError(f"was ended after {settings.timeout_s:g} s") from None
    except (OSError, ValueError) as error:
        raise AlertError(f"does not start: {_said(error)}") from None
    if done.returncode:
        said = _said(Redactor()(done.stderr.decode("utf-8", "replace")))
        raise AlertError(f"ended with {done.returncode}{f': {said}' if said else ''}")


def _said(text: object) -> str:
    return cut(one_line(text), MOST_SAID)
