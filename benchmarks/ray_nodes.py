"""A Ray cluster of several nodes on this machine, for tests and benchmarks: started, hurt, ended.

Belongs here: nodes, and which processes are theirs. Does not belong here: what is computed there.
"""

import os
import signal
import subprocess
import sys
import time
from typing import Any

STORE_BYTES = 100 * 1024 * 1024
START_S = 120.0


class Nodes:
    """A head without a core of its own, and nodes of one core each. Needs the extra `ray`."""

    def __init__(self, count: int) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": STORE_BYTES}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._nodes: list[Any] = []
        self._sessions: list[subprocess.Popen[bytes]] = []
        for _ in range(count):
            self.add()
        self._cluster.wait_for_nodes()

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def add(self) -> None:
        self._nodes.append(self._cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES))

    def add_in_session(self) -> None:
        """A node whose processes are a session of their own: Linux shares cores among sessions, so on a machine with
        other work nodes of one session would have the share of one."""
        before = self._living()
        command = ["start", f"--address={self.address}", "--num-cpus=1", f"--object-store-memory={STORE_BYTES}"]
        self._sessions.append(
            subprocess.Popen(
                [sys.executable, "-m", "ray.scripts.scripts", *command, "--block", "--disable-usage-stats"],
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        end = time.monotonic() + START_S
        while self._living() == before:
            if time.monotonic() > end:
                raise RuntimeError("a node does not start")
            time.sleep(0.2)

    def _living(self) -> int:
        return sum(bool(node["Alive"]) for node in self._cluster.global_state.node_table())

    def cpu_seconds(self) -> float:
        """User and system time of all processes of nodes in sessions, while their actors live."""
        trees = [[node.pid, *_below(node.pid)] for node in self._sessions]
        return sum(_cpu_seconds(pid) for tree in trees for pid in tree)

    def lose(self, number: int) -> None:
        """Ends a node and all that runs on it by SIGKILL, as a power cut does."""
        children = _below(self._raylet(self._nodes[number]))
        self._cluster.remove_node(self._nodes.pop(number), allow_graceful=False)
        for pid in children:
            _kill(pid)

    def workers(self) -> list[int]:
        """Processes of actors that compute items, on all nodes."""
        return [pid for node in self._nodes for pid in _children(self._raylet(node)) if _name(pid) == "ray::Keeper"]

    def busy_workers(self) -> list[int]:
        """Those that have started a process of their own."""
        return [pid for pid in self.workers() if self.processes_of(pid)]

    @staticmethod
    def processes_of(worker: int) -> list[int]:
        """The processes of an actor that do its work."""
        return [child for child in _children(worker) if _is_spawned(child)]

    def kill(self, pid: int) -> None:
        _kill(pid)

    def wait_without_workers(self, seconds: float) -> bool:
        """Whether no actor is left after so long at most."""
        end = time.monotonic() + seconds
        while self.workers():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def close(self) -> None:
        for node in self._sessions:
            for pid in [*_below(node.pid), node.pid]:
                _kill(pid)
            node.wait()
        self._cluster.shutdown()

    @staticmethod
    def _raylet(node: Any) -> int:
        return int(node.all_processes["raylet"][0].process.pid)


def _children(pid: int) -> list[int]:
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += [int(child) for child in file.read().split()]
    except OSError:
        return []
    return found


def _below(pid: int) -> list[int]:
    return [one for child in _children(pid) for one in (child, *_below(child))]


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().split(b"\0")[0].decode().split(" ")[0].split(".")[0]
    except OSError:
        return ""


def _is_spawned(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return b"spawn_main" in file.read()
    except OSError:
        return False


def _cpu_seconds(pid: int) -> float:
    """Of a process and of its children that have ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
