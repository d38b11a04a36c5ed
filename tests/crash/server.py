"""The private server that the test runs on: killed by the pids of its own processes, and started again by cluster.sh.

A process is the server's if it works in its data folder, which nobody else's does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

CLUSTER = Path(__file__).resolve().parents[2] / "scripts" / "cluster.sh"
# How long a killed server's processes may take to go.
PATIENCE = 20.0


class Server:
    def __init__(self) -> None:
        self.data = Path(os.environ.get("PGDATA", ""))
        self.name = self.data.parent.name
        known = subprocess.run([CLUSTER, "run", self.name, "--", "printenv", "PGDATA"], capture_output=True, text=True)
        if known.stdout.strip() != str(self.data):
            raise RuntimeError(f"only for a private server: {CLUSTER.name} with NAME -c fsync=on -- tests/crash/test")

    def postmaster(self) -> int:
        """The server's first process, by the file that it keeps."""
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        if pid not in self.processes():
            raise RuntimeError(f"process {pid} is not of this server")
        return pid

    def processes(self) -> list[int]:
        """All of the server's processes; one that is dead and only not yet collected has no folder any more."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(process / "cwd") == str(self.data):
                    found.append(int(process.name))
        return found

    def kill(self, everything: bool) -> None:
        """kill -9 of the postmaster, whose children then end by themselves, or of all its children as well."""
        os.kill(self.postmaster(), signal.SIGKILL)
        if everything:
            for pid in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def left_after(self, seconds: float = PATIENCE) -> list[int]:
        """The processes that are still there after that time; none, as soon as there are none."""
        until = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < until:
            time.sleep(0.02)
        return left

    def state(self) -> str:
        """What the server's own control file says of it: 'in production' after a crash too."""
        lines = subprocess.run(
            ["pg_controldata", self.data], env={**os.environ, "LC_ALL": "C"}, check=True, capture_output=True, text=True
        ).stdout.splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("Database cluster state"))

    def start(self) -> None:
        subprocess.run([CLUSTER, "start", self.name], check=True)
