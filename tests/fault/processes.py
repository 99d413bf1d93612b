# SPDX-License-Identifier: Apache-2.0
"""The processes of one run, found by what children inherit and never by name: a variable in their environment, or
the networks they are in."""
import os
import pathlib
import signal
import time

MARK = "SOAK_RUN"


class Process:
    """One process, as /proc shows it."""

    def __init__(self, pid, variables, network):
        self.pid = pid
        self.network = network
        self.rank = int(variables["OMPI_COMM_WORLD_RANK"]) if "OMPI_COMM_WORLD_RANK" in variables else None
        try:
            self.program = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
        except OSError:
            self.program = ""

    def send(self, number):
        try:
            os.kill(self.pid, number)
            return True
        except ProcessLookupError:
            return False

    def state(self):
        """Its state, and where in the kernel it waits."""
        try:
            stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2][0]
            return f"{stat} {pathlib.Path(f'/proc/{self.pid}/wchan').read_text()}"
        except OSError:
            return "gone"


class Family:
    """The living processes of a run: those whose environment says MARK=mark, or with `keepers` (processes that keep
    namespaces alive) those in the same networks."""

    def __init__(self, mark, keepers=()):
        self.mark = f"{MARK}={mark}".encode()
        self.keepers = set(keepers)
        self.networks = {os.readlink(f"/proc/{pid}/ns/net") for pid in keepers}

    def find(self):
        found = []
        for folder in pathlib.Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) in self.keepers:
                continue
            try:
                network = os.readlink(folder / "ns/net")
                if self.networks and network not in self.networks:
                    continue
                variables = (folder / "environ").read_bytes().split(b"\0")
                if not self.networks and self.mark not in variables:
                    continue
                if (folder / "stat").read_text().rpartition(") ")[2].startswith("Z"):
                    continue
            except OSError:
                continue
            pairs = (v.decode(errors="replace").partition("=") for v in variables if b"=" in v)
            found.append(Process(int(folder.name), {name: value for name, _, value in pairs}, network))
        return found

    def await_none(self, limit_s):
        """Waits until there is none. Returns those that are left after limit_s, ended by SIGKILL."""
        deadline = time.monotonic() + limit_s
        while (left := self.find()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for process in left:
            process.send(signal.SIGKILL)
        return left
