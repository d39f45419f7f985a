"""The part of the Compose specification that `docker-compose.yml` uses, as a JSON schema, for machines without Compose.

Belongs here: keys and the forms of their values. Does not belong here: what this project wants of its services.
"""

from typing import Any

TEXT = {"type": "string", "minLength": 1}
FLAG = {"type": "boolean"}
COUNT = {"type": "integer", "minimum": 1}
SPAN = {"type": "string", "pattern": r"^(\d+h)?(\d+m)?(\d+s)?$", "minLength": 2}
SIZE = {"type": "string", "pattern": r"^\d+[bkmg]b?$"}
NAME = {"type": "string", "pattern": r"^[a-z][a-z0-9-]*$"}
# An empty value is a value; a number or a truth without quotation marks is a trap of YAML, though Compose takes it.
VARIABLES = {"type": "object", "additionalProperties": {"type": "string"}}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1}


def _only(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


COMMAND = {"oneOf": [TEXT, _list({"type": "string"})]}
HEALTH = _only(("test",), test=COMMAND, interval=SPAN, timeout=SPAN, retries=COUNT, start_period=SPAN)
CONDITION = _only(
    ("condition",),
    condition={"enum": ["service_started", "service_healthy", "service_completed_successfully"]},
)
NETWORKS = {
    "oneOf": [
        _list(NAME),
        {
            "type": "object",
            "propertyNames": NAME,
            "additionalProperties": _only(aliases=_list(NAME)),
            "minProperties": 1,
        },
    ]
}
DEVICE = _only(("capabilities",), driver=TEXT, count=COUNT, capabilities=_list(TEXT))
SERVICE = _only(
    ("image",),
    image={"type": "string", "pattern": r"^[a-z0-9./-]+:[A-Za-z0-9_.-]+$"},
    build=_only(("context",), context=TEXT, args=VARIABLES),
    pull_policy={"enum": ["always", "never", "missing", "build"]},
    networks=NETWORKS,
    mem_limit=SIZE,
    command=COMMAND,
    environment=VARIABLES,
    volumes=_list({"type": "string", "pattern": r"^[^:]+:/[^:]+(:ro)?$"}),
    ports=_list({"type": "string", "pattern": r"^(\d+\.){3}\d+:\d+:\d+$"}),
    depends_on={"type": "object", "additionalProperties": CONDITION},
    healthcheck=HEALTH,
    restart={"enum": ["no", "always", "on-failure", "unless-stopped"]},
    init=FLAG,
    env_file=_list(_only(("path",), path=TEXT, required=FLAG)),
    profiles=_list(TEXT),
    cap_drop=_list(TEXT),
    security_opt=_list(TEXT),
    stop_grace_period=SPAN,
    shm_size=SIZE,
    deploy=_only(resources=_only(reservations=_only(devices=_list(DEVICE)))),
)
SCHEMA = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "services": {"type": "object", "additionalProperties": SERVICE},
        "networks": {
            "type": "object",
            "additionalProperties": {"oneOf": [{"type": "null"}, _only(internal=FLAG)]},
        },
        "volumes": {"type": "object", "additionalProperties": {"type": "null"}},
    },
    "required": ["services"],
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
}
