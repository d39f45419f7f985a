"""A hub of one's own, as far as `huggingface_hub` speaks to it when it commits: repositories, listings, tags.

It keeps commits as git names their bytes, takes large files by LFS, and fails as it is told to.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LOST = -1
PAGE = 3
"""Files that are listed at a time."""


def git_oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Repository:
    """`branches`, `tags`: files by path. `commits`: how many there were."""

    is_private: bool
    branches: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"main": {".gitattributes": b"*.mp4 lfs\n"}})
    tags: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commits: list[dict[str, list[str]]] = field(default_factory=list)

    def at(self, revision: str) -> dict[str, bytes]:
        return self.branches.get(revision) or self.tags[revision]


@dataclass
class StubHub:
    """`failures`: for the next requests whose line begins so, statuses to answer with; of `LOST` the request counts,
    and its answer does not arrive. `lfs_suffixes`: of files that are large. `ignored`: by a `.gitignore` there."""

    endpoint: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    failures: dict[str, list[int]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    ignored: tuple[str, ...] = ()
    lfs_suffixes: tuple[str, ...] = (".mp4", ".parquet")

    def failure(self, line: str) -> int | None:
        for start, statuses in self.failures.items():
            if line.startswith(start) and statuses:
                return statuses.pop(0)
        return None


@contextmanager
def stub_hub() -> Iterator[StubHub]:
    hub = StubHub()

    class Handler(_Handler):
        stub = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    stub: StubHub
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    """Head and body of an answer in one packet: the other side would wait 40 ms for the second."""

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        parts = [unquote(part) for part in url.path.strip("/").split("/")]
        line = f"{self.command} {url.path}"
        self.stub.requests.append(line)
        failure = self.stub.failure(line)
        if failure not in (None, LOST):
            self._send(failure or 500, b"<html>busy</html>", {"Content-Type": "text/html"})
            return
        try:
            status, data, headers = self._routed(parts, parse_qs(url.query), body)
        except KeyError:
            status, data, headers = 404, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"}
        if failure == LOST:
            status, data, headers = 504, b"late", {}
        self._send(status, data, headers)

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _routed(self, parts: list[str], query: dict[str, list[str]], body: bytes) -> tuple[int, bytes, dict[str, str]]:
        if parts == ["api", "validate-yaml"]:
            return _json({"errors": [], "warnings": []})
        if parts == ["api", "repos", "create"]:
            wanted = json.loads(body)
            name = f"{wanted['organization'] or 'me'}/{wanted['name']}"
            if name in self.stub.repositories:
                return 409, b"{}", {}
            self.stub.repositories[name] = Repository(
                wanted.get("visibility") == "private" or wanted.get("private", False)
            )
            return _json({"url": f"{self.stub.endpoint}/datasets/{name}"})
        if parts[0] == "lfs":
            self.stub.objects[parts[1]] = body
            self.stub.uploads.append(parts[1])
            return 200, b"", {}
        if parts[:2] == ["api", "datasets"]:
            return self._of_repository("/".join(parts[2:4]), parts[4:], query, body)
        if parts[0] == "datasets" and parts[2].endswith(".git"):
            return self._lfs_batch(body)
        if parts[0] == "datasets" and parts[3] == "resolve":
            files = self.stub.repositories["/".join(parts[1:3])].at(parts[4])
            data = files["/".join(parts[5:])]
            return 200, data, {"ETag": f'"{git_oid(data)}"', "X-Repo-Commit": "0" * 40}
        raise KeyError(self.path)

    def _of_repository(
        self, name: str, rest: list[str], query: dict[str, list[str]], body: bytes
    ) -> tuple[int, bytes, dict[str, str]]:
        repository = self.stub.repositories[name]
        what = rest[0] if rest else ""
        if what == "":
            return _json({"id": name, "private": repository.is_private, "sha": "0" * 40, "siblings": [], "tags": []})
        if what == "refs":
            refs = {"branches": repository.branches, "tags": repository.tags}
            return _json(
                {
                    kind: [{"name": one, "ref": f"refs/{kind}/{one}", "targetCommit": "0" * 40} for one in found]
                    for kind, found in refs.items()
                }
                | {"converts": []}
            )
        if what == "branch":
            repository.branches[rest[1]] = dict(repository.branches["main"])
            return 200, b"{}", {}
        if what == "tag":
            tag = json.loads(body)["tag"]
            if tag in repository.tags:
                return 409, b"{}", {}
            repository.tags[tag] = dict(repository.at(rest[1]))
            return 200, b"{}", {}
        if what == "tree":
            return self._tree(repository.at(rest[1]), int(query.get("cursor", ["0"])[0]))
        if what == "preupload":
            return self._preupload(repository.at(rest[1]), json.loads(body)["files"])
        if what == "commit":
            return self._commit(name, rest[1], [json.loads(line) for line in body.splitlines()])
        raise KeyError(what)

    def _is_lfs(self, path: str) -> bool:
        return path.endswith(self.stub.lfs_suffixes)

    def _tree(self, files: dict[str, bytes], start: int) -> tuple[int, bytes, dict[str, str]]:
        entries: list[dict[str, Any]] = [{"type": "directory", "path": "train", "oid": "0" * 40, "size": 0}]
        for path, data in sorted(files.items()):
            entry = {"type": "file", "path": path, "size": len(data), "oid": git_oid(data)}
            if self._is_lfs(path):
                sha256 = hashlib.sha256(data).hexdigest()
                # The hub's `oid` of a large file is that of its pointer.
                entry |= {"oid": "1" * 40, "lfs": {"oid": sha256, "size": len(data), "pointerSize": 130}}
            entries.append(entry)
        status, data, headers = _json(entries[start : start + PAGE])
        if start + PAGE < len(entries):
            here = self.path.partition("?")[0]
            headers["Link"] = f'<{self.stub.endpoint}{here}?recursive=True&cursor={start + PAGE}>; rel="next"'
        return status, data, headers

    def _preupload(self, files: dict[str, bytes], wanted: list[dict[str, Any]]) -> tuple[int, bytes, dict[str, str]]:
        return _json(
            {
                "files": [
                    {
                        "path": one["path"],
                        "uploadMode": "lfs" if self._is_lfs(one["path"]) else "regular",
                        "shouldIgnore": one["path"] in self.stub.ignored,
                        "oid": git_oid(files[one["path"]])
                        if one["path"] in files and not self._is_lfs(one["path"])
                        else None,
                    }
                    for one in wanted
                ]
            }
        )

    def _lfs_batch(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        objects = []
        for one in json.loads(body)["objects"]:
            entry = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in self.stub.objects:
                entry["actions"] = {"upload": {"href": f"{self.stub.endpoint}/lfs/{one['oid']}", "header": {}}}
            objects.append(entry)
        return _json({"transfer": "basic", "objects": objects})

    def _commit(self, name: str, branch: str, lines: list[dict[str, Any]]) -> tuple[int, bytes, dict[str, str]]:
        repository = self.stub.repositories[name]
        files = dict(repository.branches[branch])
        done: dict[str, list[str]] = {"added": [], "deleted": []}
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
                done["added"].append(value["path"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.stub.objects[value["oid"]]
                done["added"].append(value["path"])
            else:
                if value["path"] not in files:
                    return 404, b'{"error": "A file with this name doesn\'t exist"}', {"X-Error-Code": "EntryNotFound"}
                del files[value["path"]]
                done["deleted"].append(value["path"])
        repository.branches[branch] = files
        repository.commits.append(done)
        return _json({"commitUrl": f"{self.stub.endpoint}/datasets/{name}/commit/1", "commitOid": "0" * 40})


def _json(value: Any) -> tuple[int, bytes, dict[str, str]]:
    return 200, json.dumps(value).encode(), {"Content-Type": "application/json"}
