# SPDX-License-Identifier: Apache-2.0
"""Starts Lockstep or a peer once and returns {"seconds", "loss", "version"}."""
import json
import os
import socket
import subprocess
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
               "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "GLOO_SOCKET_IFNAME": "lo"}


def output_of(command, **variables):
    done = subprocess.run([str(word) for word in command], env={**ENVIRONMENT, **variables}, capture_output=True,
                          text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


class Contestants:
    def __init__(self, build):
        self.program = build / "release" / "lockstep"
        self.folder = build / "peers"
        self.data = self.folder / "data"
        self.pythons = {"new": self.folder / "venv" / "bin" / "python", "debian": Path("/usr/bin/python3")}

    def lockstep(self, processes, settings):
        """One training; train_s of summary.json are the steps alone."""
        command = [self.program, "train", "--run-dir", self.folder / "run", "--overwrite"]
        command += ["-n", processes] if processes > 1 else []
        settings = {"log.progress": "none", "checkpoint.every": "never", "eval.every": "never", **settings}
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        output_of(command)
        summary = json.loads((self.folder / "run" / "summary.json").read_text())
        return {"seconds": summary["train_s"], "loss": summary.get("train.loss"),
                "version": output_of([self.program, "--version"]).split(maxsplit=1)[1].strip()}

    def settings(self, work):
        return {"data.train": self.data / f"X_{work.data}.npy", "model.name": work.data,
                "optim.learning_rate": work.rate, "train.batch": work.batch, "train.steps": work.steps,
                "train.shuffle": "false", **work.settings}

    def initial_model(self, work):
        """What Lockstep begins with, for the others to begin with: a training of no step."""
        path = self.folder / f"{work.data}.safetensors"
        if not path.exists():
            self.lockstep(1, {**self.settings(work), "train.steps": 0, "train.epochs": 0, "eval.train": "never"})
            (self.folder / "run" / "model.safetensors").rename(path)
        return path

    def asked(self, work):
        return json.dumps({"x": str(self.data / f"X_{work.data}.npy"), "y": str(self.data / f"y_{work.data}.npy"),
                           "init": str(self.initial_model(work)), "batch": work.batch, "steps": work.steps,
                           "rate": work.rate})

    def script(self, name, python, processes, work):
        command = [self.pythons[python], HERE / name, self.asked(work)]
        if processes > 1:
            command = ["mpirun", "-q", "--bind-to", "core", "-n", processes, *command]
        return json.loads(output_of(command))

    def ddp(self, python, processes, work):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        shared = {**ENVIRONMENT, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(processes)}
        command = [str(self.pythons[python]), str(HERE / "torch_train.py"), self.asked(work)]
        ranks = [subprocess.Popen(command, env={**shared, "RANK": str(rank)}, stdout=subprocess.PIPE, text=True,
                                  stderr=subprocess.DEVNULL) for rank in range(processes)]
        texts = [rank.communicate()[0] for rank in ranks]
        if any(rank.returncode != 0 for rank in ranks):
            raise SystemExit("DistributedDataParallel failed: run torch_train.py by hand to see why")
        return json.loads(texts[0])

    def torch(self, python, processes, work):
        if processes > 1:
            return self.ddp(python, processes, work)
        return self.script("torch_train.py", python, 1, work)

    def liblinear(self):
        """The whole program: reads the text, finds the optimum, writes the model."""
        model = self.folder / "liblinear.model"
        start = time.perf_counter()
        output_of(["liblinear-train", "-q", "-s", "0", "-c", "1", "-B", "1", self.data / "logistic.libsvm", model])
        seconds = time.perf_counter() - start
        lines = model.read_text().split("\n")
        weights = np.array([float(line) for line in lines[lines.index("w") + 1:] if line.strip()])
        sign = 1 if "label 1 0" in lines else -1
        x, y = np.load(self.data / "X_logistic.npy", mmap_mode="r"), np.load(self.data / "y_logistic.npy", mmap_mode="r")
        rows = sum(1 for _ in open(self.data / "logistic.libsvm", encoding="ascii"))
        score = sign * (x[:rows].astype(float) @ weights[:-1] + weights[-1])
        version = output_of(["dpkg-query", "-W", "-f", "${Version}", "liblinear-tools"])
        return {"seconds": seconds, "loss": float(np.mean(np.logaddexp(0, score) - y[:rows] * score)),
                "version": version}

    def lockstep_to_optimum(self):
        start = time.perf_counter()
        found = self.lockstep(1, {"data.train": self.data / "logistic.libsvm", "model.name": "logistic",
                                  "optim.learning_rate": 0.5, "optim.schedule": "cosine", "train.batch": 1000,
                                  "train.epochs": 5})
        return {**found, "seconds": time.perf_counter() - start}
