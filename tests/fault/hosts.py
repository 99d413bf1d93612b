# SPDX-License-Identifier: Apache-2.0
"""A cluster of cluster.sh, for Python."""
import os
import pathlib
import subprocess
import threading

SCRIPT = pathlib.Path(__file__).with_name("cluster.sh")


class Hosts:
    """The hosts h1 … hN on one switch. Cables are mended by timers, or by mend()."""

    def __init__(self, count, folder):
        self.folder = pathlib.Path(folder)
        self.names = [f"h{i}" for i in range(1, count + 1)]
        subprocess.run([SCRIPT, "up", str(count), str(folder)], check=True, stdout=subprocess.DEVNULL)
        self.keepers = {name: int((self.folder / f"{name}.pid").read_text()) for name in self.names}
        self.timers = []

    def network(self, name):
        return os.readlink(f"/proc/{self.keepers[name]}/ns/net")

    def on(self, name, command):
        """The command line that runs `command` on a host."""
        return ["nsenter", "--target", str(self.keepers[name]), "--net", "--uts", "--mount", *command]

    def switch(self, *words):
        keeper = (self.folder / "switch.pid").read_text().strip()
        subprocess.run(["nsenter", "--target", keeper, "--net", "ip", "link", "set", *words], check=False)

    def cut(self, name, seconds):
        (self.folder / f"{name}.cut").touch()
        self.switch(f"cable{name[1:]}", "nomaster")
        self.timers.append(threading.Timer(seconds, self.mend_one, [name]))
        self.timers[-1].start()

    def mend_one(self, name):
        self.switch(f"cable{name[1:]}", "master", "switch")
        (self.folder / f"{name}.cut").unlink(missing_ok=True)

    def mend(self):
        for timer in self.timers:
            timer.cancel()
            timer.join()
        self.timers = []
        for name in self.names:
            self.mend_one(name)

    def down(self):
        self.mend()
        subprocess.run([SCRIPT, "down", str(self.folder)], check=False)
