# SPDX-License-Identifier: Apache-2.0
"""The work of soak.sh, which says what it does."""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import hosts
import processes

HANG_S = 90  # a run that has neither ended nor made a step so long after it was struck hangs
LEFTOVER_S = 30  # so does a process that outlives its run by this
FINISH_S = 240  # and a run that nobody disturbs
KILLS_OF_A_RUN = 8
STOPPED = 75
# Blows that come faster than checkpoints are meant here.
SUPERVISED = ["launch.repeats=1000", "launch.restarts=1000", "launch.backoff_s=0.1", "launch.backoff_most_s=0.3",
              "launch.hang_s=8", "launch.probe_s=2"]

EXPERIMENTS = {
    "logistic, sgd": ["model.name=logistic", "data.train=demo:logistic?rows=6000&features=40", "train.batch=60",
                      "train.shards=8", "train.steps=9000"],
    "network, adam": ["model.name=mlp", "model.hidden=60,40", "data.train=demo:blobs?rows=3000&features=30&classes=6",
                      "optim.name=adam", "optim.learning_rate=0.002", "train.batch=100", "train.shards=6",
                      "train.steps=4000", "train.average=ema"],
    "network, validated": ["model.name=mlp", "model.hidden=40", "data.train=demo:blobs?rows=3000&features=30&classes=6",
                           "data.valid=split:0.2", "optim.name=momentum", "optim.learning_rate=0.002", "train.batch=80",
                           "train.shards=5", "train.steps=4000", "eval.every=500 steps", "train.patience=100"],
    "sparse, ftrl": ["model.name=logistic", "data.train=demo:sparse?rows=4000&features=20000", "optim.name=ftrl",
                     "train.batch=50", "train.shards=4", "train.steps=4000"],
}
COMMON = ["log.hash_every=100", "log.progress=none", "log.curves=false", "eval.train=never", "checkpoint.keep=2"]


def settings(values):
    return [word for value in values for word in ("--set", value)]


def history(run):
    """{step: hash} of a run directory; of a step that was done twice both are kept."""
    steps = collections.defaultdict(set)
    for line in (run / "metrics.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry["kind"] == "hash":
            steps[entry["step"]].add(entry["parameters_hash"])
    return dict(steps)


def summary(run):
    return json.loads((run / "summary.json").read_text())


class Count:
    """What all campaigns found, guarded by one lock."""

    def __init__(self, kills, deadline):
        self.lock = threading.Lock()
        self.wanted, self.deadline = kills, deadline
        self.strikes = collections.Counter()
        self.survived = self.lost = self.hangs = self.runs = self.wrong_codes = 0
        self.ranks = collections.Counter()
        self.recovery_s = []
        self.failures = []

    def is_over(self):
        return self.survived + self.lost >= self.wanted or time.monotonic() > self.deadline or len(self.failures) >= 20

    def fail(self, campaign, sentence):
        with self.lock:
            self.failures.append(f"{campaign.run.name} ({campaign.name}): {sentence}")
        print("FAILED:", self.failures[-1], flush=True)


class Campaign:
    """One training, struck until it has had its share of kills, then left to finish, then compared with the golden one."""

    def __init__(self, options, name, golden, folder, generator, count, cluster):
        self.options, self.name, self.golden, self.random, self.count = options, name, golden, generator, count
        self.mark = f"{os.getpid()}-{generator.getrandbits(48):x}"
        self.cluster = cluster
        self.family = processes.Family(self.mark, cluster.keepers.values() if cluster else ())
        self.run = folder / f"run-{self.mark}"
        self.output = folder / f"run-{self.mark}.out"
        self.kills = 0
        self.ranks = 0
        self.line = None
        self.child = None
        self.failed = False

    def fail(self, sentence):
        self.failed = True
        self.count.fail(self, sentence)

    def choose_ranks(self):
        self.ranks = self.random.choice([p for p in (1, 2, 2, 3, 3, 4, 5) if p != self.ranks])
        return str(self.ranks)

    def places(self):
        """Where ranks are started."""
        if not self.cluster:
            return ["-n", self.choose_ranks()]
        slots = {name: self.random.choice([1, 1, 2]) for name in self.cluster.names}
        self.ranks = sum(slots.values())
        return ["--hosts", ",".join(f"{name}:{n}" for name, n in slots.items()),
                "--agent", str(self.cluster.folder / "agent")]

    def free_settings(self):
        """What may change at every start without changing a bit."""
        return [f"checkpoint.every={self.random.choice([30, 100, 300])} steps",
                f"comm.ranks_per_node={self.random.choice([0, 0, 1, 2])}"]

    def command(self):
        begin = ["train", "--run-dir", str(self.run), *settings(EXPERIMENTS[self.name] + COMMON)]
        resume = ["resume", str(self.run)]
        has_begun = (self.run / "config.toml").exists()
        if self.options.mode == "launch":
            # The same line takes over from a supervisor that was killed; another one resumes.
            if self.line and (not has_begun or self.random.random() < 0.5):
                return self.line
            line = [self.options.program, "launch", *self.places(), "--", *(resume if has_begun else begin),
                    *settings(self.free_settings() + SUPERVISED)]
            self.line = self.cluster.on("h1", line) if self.cluster else line
            return self.line
        alone = ["--no-restart"] if self.options.has_launch else []
        return [self.options.program, *(resume if has_begun else [*begin, "--overwrite"]), "-n", self.choose_ranks(),
                *alone, *settings(self.free_settings())]

    def start(self):
        with open(self.output, "a") as output:
            command = self.command()
            with self.count.lock:
                self.count.ranks[self.ranks] += 1
            print(f"\n== {time.strftime('%H:%M:%S')} {' '.join(command)}", file=output, flush=True)
            environment = dict(os.environ, **{processes.MARK: self.mark, "OMPI_MCA_mpi_yield_when_idle": "1"})
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                          env=environment, start_new_session=True)

    def written(self):
        """When the course of the run was last written, in nanoseconds; 0: never."""
        try:
            return os.stat(self.run / "metrics.jsonl").st_mtime_ns
        except OSError:
            return 0

    def wait_for_steps(self, since):
        """Until the run writes of its steps again, of which it did before at `since`, or has ended. False: it hangs."""
        deadline = time.monotonic() + HANG_S
        changes = 0  # the first one is made when a run begins or resumes
        while time.monotonic() < deadline:
            now = self.written()
            changes += now != since
            since = now
            if changes > 1 or self.child.poll() is not None:
                return True
            time.sleep(0.002)
        return False

    def victims(self):
        """(name, processes): whom to strike; nothing if the run has ended meanwhile."""
        family = self.family.find()
        ranks = [p for p in family if p.rank is not None]
        if not ranks and self.ranks == 1 and self.options.mode == "train":
            ranks = family  # without mpirun
        launchers = [p for p in family if p.program in ("orterun", "mpirun")]
        parents = [p for p in family if p.pid == self.child.pid]
        choices = [("rank", [self.random.choice(ranks)])] * 14 if ranks else []
        if len(ranks) > 1:
            choices += [("all ranks", ranks)] * 2
        if launchers:
            choices += [("mpirun", launchers)] * 2
        if parents:
            name, share = ("supervisor", 4) if self.options.mode == "launch" else ("parent", 2)
            choices += [(name, parents)] * (40 if self.options.early else share)
        if self.cluster:
            network = self.cluster.network(self.random.choice(self.cluster.names[1:]))
            choices += [("host", [p for p in family if p.network == network])] * 4
        return self.random.choice(choices) if choices else ("", [])

    def cut_a_cable(self):
        """For a while that a run outlives, or for longer than it waits. Returns the blow's name."""
        seconds = self.random.choice([1, 3, 30])
        self.cluster.cut(self.random.choice(self.cluster.names), seconds)
        return "CUT", f"cable, {seconds} s"

    def strike(self):
        """One blow. Returns (signal's name, victim's name), or nothing if there was nobody left."""
        if self.cluster and self.random.random() < 0.15:
            struck = self.cut_a_cable()
            with self.count.lock:
                self.count.strikes[struck] += 1
            return struck
        name, targets = self.victims()
        kind = self.random.choices(["KILL", "TERM", "USR1", "STOP"], [78, 6, 4, 12])[0]
        if kind == "USR1" and name not in ("rank", "mpirun", "parent"):
            kind = "KILL"
        if not sum([target.send(getattr(signal, "SIG" + kind)) for target in targets]):
            return None
        if kind == "STOP":
            time.sleep(self.random.uniform(0.05, 0.8))
            for target in targets:
                target.send(signal.SIGCONT)
        with self.count.lock:
            self.count.strikes[kind, name] += 1
        self.kills += kind == "KILL"
        return kind, name

    def await_end(self, limit_s, struck=("", "")):
        """Waits for the end of the run and of all it started, or until it has made no step for so long. Returns its code,
        or nothing if it hung. (A signal that mpirun gets before it has ranks reaches none: the run just goes on.)"""
        code, seen, since = None, self.written(), time.monotonic()
        while code is None and time.monotonic() - since < limit_s:
            try:
                code = self.child.wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                written = self.written()
                if written != seen:
                    seen, since = written, time.monotonic()
        if code is None:
            with self.count.lock:
                self.count.hangs += 1
            self.fail(f"hangs, {limit_s} s after {' to '.join(struck)}: {self.dump()}")
        if self.cluster:
            self.cluster.mend()
        left = self.family.await_none(0 if code is None else LEFTOVER_S)
        if code is None:
            self.child.wait()
        elif left:
            with self.count.lock:
                self.count.hangs += 1
            self.fail(f"{len(left)} processes outlive the run by {LEFTOVER_S} s after {' to '.join(struck)}: "
                      + " ".join(p.program for p in left))
        return code

    def dump(self):
        return ", ".join(f"{p.program} rank {p.rank}: {p.state()}" for p in self.family.find())

    def is_fine(self, code, struck):
        """Whether a run may end with this code after this blow. A supervisor stops where it is asked to; of all else it
        has to recover."""
        if code == 0:
            return True
        if code == STOPPED:
            return self.options.mode == "train" or struck[0] in ("TERM", "USR1")
        if struck[1] in ("parent", "supervisor") or self.ranks == 1:
            return code == -getattr(signal, "SIG" + struck[0], 0)
        return struck == ("TERM", "mpirun") and code in (1, 143)

    def session(self):
        """One start of the run and the blows it gets: one, or with a supervisor until that is struck itself. Returns
        whether to go on."""
        written, struck = self.written(), ("", "")
        self.start()
        while self.kills < KILLS_OF_A_RUN:
            begun = time.monotonic()
            if self.options.early or self.random.random() < 0.25:  # while ranks are only starting
                time.sleep(self.random.uniform(0, 0.7))
            elif not self.wait_for_steps(written):
                break
            else:
                if struck == ("KILL", "rank") and self.child.poll() is None:
                    self.count.recovery_s.append(time.monotonic() - begun)
                time.sleep(self.random.expovariate(1 / 0.15))
            if self.child.poll() is not None:
                break
            written = self.written()
            struck = self.strike() or struck
            if struck[0] in ("TERM", "USR1") or (struck[0] == "KILL" and self.ends_with(struck[1])):
                break
        # Who starts a supervisor again does not always wait for what the killed one left.
        # (Struck in its last moment it leaves nothing to take over, but a run that is finished.)
        if self.options.mode == "launch" and struck == ("KILL", "supervisor") and self.random.random() < 0.5:
            self.child.wait()
            return not self.is_finished()
        code = self.await_end(HANG_S if self.kills < KILLS_OF_A_RUN else FINISH_S, struck)
        if code is not None and not self.is_fine(code, struck):
            with self.count.lock:
                self.count.wrong_codes += 1
            self.fail(f"code {code} after {' to '.join(struck)}")
        if struck != ("KILL", "supervisor"):
            self.line = None  # it has put away its things
        return not self.failed and code != 0

    def ends_with(self, victim):
        return self.options.mode == "train" or victim == "supervisor"

    def work(self):
        sessions = 0
        while self.kills < KILLS_OF_A_RUN and self.session():
            sessions += 1
            if sessions > 10 * KILLS_OF_A_RUN:
                return self.fail(f"is not finished after {sessions} starts")
        for _ in range(3):
            if self.failed or self.is_finished():
                break
            self.start()
            code = self.await_end(FINISH_S)
            if code not in (0, STOPPED):
                self.fail(f"code {code}, though nobody disturbed it")
        if not self.failed:
            self.check()

    def is_finished(self):
        return (self.run / "model.safetensors").exists() and (self.run / "summary.json").exists()

    def check(self):
        hashes, final = self.golden
        found = history(self.run)
        wrong = [step for step in hashes if found.get(step) != hashes[step]]
        if wrong:
            self.fail(f"the weights after step {min(wrong)} are {found.get(min(wrong))} instead of {hashes[min(wrong)]}")
        elif set(found) != set(hashes):
            self.fail(f"has hashes of steps {sorted(set(found) - set(hashes))} that the undisturbed run has not")
        elif summary(self.run)["parameters_hash"] != final:
            self.fail(f"ends with {summary(self.run)['parameters_hash']} instead of {final}")

    def end(self):
        with self.count.lock:
            self.count.runs += 1
            if self.failed:
                self.count.lost += self.kills
            else:
                self.count.survived += self.kills
            print(f"{self.count.runs} runs, {self.count.survived} kills survived, {self.count.lost} lost", file=sys.stderr,
                  flush=True)
        if self.failed and self.options.keep:
            for path in (self.run, self.output):
                if path.exists():
                    shutil.move(path, pathlib.Path(self.options.keep) / path.name)
        shutil.rmtree(self.run, ignore_errors=True)
        self.output.unlink(missing_ok=True)


def train_golden(options, name, folder):
    run = folder / f"golden-{len(list(folder.iterdir()))}"
    command = [options.program, "train", *settings(EXPERIMENTS[name] + COMMON), "--run-dir", str(run)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"soak: the undisturbed run ended with {done.returncode}:\n{' '.join(command)}\n{done.stderr}")
    return history(run), summary(run)["parameters_hash"]


def work(options, number, goldens, folder, count):
    generator = random.Random(f"{options.seed}-{number}")
    names = sorted(EXPERIMENTS)
    cluster = hosts.Hosts(options.hosts, folder / f"hosts-{number}") if options.hosts else None
    while not count.is_over():
        name = generator.choice(names)
        campaign = Campaign(options, name, goldens[name], folder, generator, count, cluster)
        try:
            campaign.work()
        except Exception as error:  # of this script: the campaign counts as lost, and its processes are ended
            campaign.fail(f"{type(error).__name__}: {error}")
        finally:
            campaign.family.await_none(0)
            campaign.end()
    if cluster:
        cluster.down()


def report(options, count, seconds):
    print(f"\nseed {options.seed}, mode {options.mode}, {options.jobs} at once, {seconds:.0f} s")
    print(f"{'signal':<8}{'to':<12}{'times':>8}")
    for (kind, victim), times in sorted(count.strikes.items()):
        print(f"{kind:<8}{victim:<12}{times:>8}")
    print("starts on P ranks: " + ", ".join(f"{p}: {n}" for p, n in sorted(count.ranks.items())))
    if count.recovery_s:
        times = sorted(count.recovery_s)
        print(f"kill -9 of a rank to the next new step: median {times[len(times) // 2]:.1f} s, "
              f"95 % {times[len(times) * 95 // 100]:.1f} s, most {times[-1]:.1f} s")
    for name in ("runs", "survived", "lost", "hangs", "wrong_codes"):
        print(f"{name.replace('_', ' '):<20}{getattr(count, name):>8}")
    for sentence in count.failures:
        print("FAILED:", sentence)


def has_launch(program):
    done = subprocess.run([program, "launch", "--help"], capture_output=True, check=False)
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--mode", choices=["launch", "train"])
    parser.add_argument("--early", action="store_true")
    parser.add_argument("--hosts", type=int, default=0)
    parser.add_argument("--keep", default="")
    options = parser.parse_args()
    options.program = os.path.realpath(options.program)
    options.has_launch = has_launch(options.program)
    options.mode = options.mode or ("launch" if options.has_launch else "train")
    if options.hosts and options.mode != "launch":
        sys.exit("soak: --hosts needs `lockstep launch`")
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        goldens = {name: train_golden(options, name, folder) for name in sorted(EXPERIMENTS)}
        count = Count(options.kills, start + options.hours * 3600)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: setattr(count, "deadline", 0))  # runs that are under way are finished
        threads = [threading.Thread(target=work, args=(options, i, goldens, folder, count)) for i in range(options.jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    report(options, count, time.monotonic() - start)
    sys.exit(1 if count.failures else 0)


main()
