# SPDX-License-Identifier: Apache-2.0
"""container_check.py SOURCE PACKAGES: reads launch/k8s/mpijob.yaml and launch/docker/Dockerfile, which nothing here can
run, and checks what makes them work. PACKAGES: the Debian packages of the libraries that the program is linked to."""
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(sys.argv[1])
failures = []


def expect(holds, sentence):
    if not holds:
        failures.append(sentence)


def dockerfile_stages():
    """Lists of (instruction, rest), one list a stage; lines that end with a backslash are joined."""
    text = (ROOT / "launch/docker/Dockerfile").read_text()
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    stages = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if not line.strip():
            continue
        instruction, rest = line.split(None, 1)
        if instruction == "FROM":
            stages.append([])
        expect(instruction in {"FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR", "SHELL", "ENTRYPOINT", "CMD"},
               f"Dockerfile: unknown instruction {instruction}")
        stages[-1].append((instruction, rest))
    return stages


def check_dockerfile(stages):
    expect(len(stages) == 2, "Dockerfile: expected a stage that builds and one that is kept")
    build, image = stages
    expect(build[0][1].startswith("debian:12") and build[0][1].endswith("AS build"), "Dockerfile: builds on Debian 12")
    expect(image[0][1].startswith("debian:12"), "Dockerfile: the image is Debian 12")
    for instruction, rest in build + image:
        if instruction == "RUN":
            parsed = subprocess.run(["bash", "-n", "-c", rest], capture_output=True, text=True)
            expect(parsed.returncode == 0, f"Dockerfile: RUN does not parse: {parsed.stderr}")
        if instruction == "COPY" and not rest.startswith("--from=build"):
            for path in rest.split()[:-1]:
                expect((ROOT / path).exists(), f"Dockerfile: copies {path}, which is not there")
    users = [rest for instruction, rest in image if instruction == "USER"]
    expect(users and users[-1] not in {"root", "0"}, "Dockerfile: the image runs as root")
    expect(any("--uid 1000 " + users[-1] in rest for _, rest in image if users), "Dockerfile: the user has no fixed number")
    expect(any(i == "COPY" and "--from=build" in r for i, r in image), "Dockerfile: the program is not in the image")
    installed = set(" ".join(rest for instruction, rest in image if instruction == "RUN").split())
    base = {"libc6", "libgcc-s1", "libstdc++6"}
    for package in pathlib.Path(sys.argv[2]).read_text().split():
        expect(package in installed | base, f"Dockerfile: the image lacks {package}, which the program needs")
    expect({"openmpi-bin", "openssh-client", "openssh-server"} <= installed, "Dockerfile: no mpirun or no ssh")
    return users[-1] if users else ""


def started(script, run_directory):
    """What the launcher's script gives to mpirun."""
    with tempfile.TemporaryDirectory() as programs:
        mpirun = pathlib.Path(programs, "mpirun")
        mpirun.write_text('#!/bin/sh\necho "$@"\n')
        mpirun.chmod(0o755)
        variables = {"PATH": programs, "RUN_DIR": run_directory}
        return subprocess.run(["/bin/sh", "-c", script], env=variables, capture_output=True, text=True).stdout.strip()


def code_when_told_to_end(script, run_directory):
    """The code of the launcher's script at SIGTERM, with an mpirun that leaves with 75 at SIGUSR1 and no other signal."""
    with tempfile.TemporaryDirectory() as programs:
        mpirun = pathlib.Path(programs, "mpirun")
        mpirun.write_text("#!/bin/bash\ntrap '/bin/sleep 0.3; exit 75' USR1\necho started\nwhile :; do /bin/sleep 0.1; done\n")
        mpirun.chmod(0o755)
        variables = {"PATH": programs, "RUN_DIR": run_directory}
        with subprocess.Popen(["/bin/sh", "-c", script], env=variables, stdout=subprocess.PIPE, text=True) as child:
            child.stdout.readline()
            child.terminate()
            return child.wait(timeout=20)


def check_job(job, user):
    expect((job["apiVersion"], job["kind"]) == ("kubeflow.org/v2beta1", "MPIJob"), "mpijob.yaml: not an MPIJob v2beta1")
    spec = job["spec"]
    expect(isinstance(spec["slotsPerWorker"], int) and spec["slotsPerWorker"] > 0, "mpijob.yaml: slotsPerWorker")
    expect(spec["sshAuthMountPath"] == f"/home/{user}/.ssh", "mpijob.yaml: keys are not where the user of the image has them")
    expect(spec["runPolicy"]["backoffLimit"] > 0, "mpijob.yaml: a launcher that failed is not started again")
    roles = spec["mpiReplicaSpecs"]
    expect(set(roles) == {"Launcher", "Worker"}, "mpijob.yaml: roles")
    expect(roles["Launcher"]["replicas"] == 1 and roles["Worker"]["replicas"] > 0, "mpijob.yaml: replicas")
    for role, replica in roles.items():
        pod = replica["template"]["spec"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        expect(replica["restartPolicy"] == "OnFailure", f"mpijob.yaml: {role} is not started again")
        for container in pod["containers"]:
            security = container["securityContext"]
            expect(security["runAsUser"] == 1000 and security["runAsNonRoot"], f"mpijob.yaml: {role} runs as root")
            expect({"cpu", "memory"} <= set(container["resources"]["limits"]), f"mpijob.yaml: {role} has no limits")
            for mount in container["volumeMounts"]:
                expect(mount["name"] in volumes, f"mpijob.yaml: {role} mounts {mount['name']}, which is no volume")
    worker = roles["Worker"]["template"]["spec"]
    memory = [m["name"] for m in worker["containers"][0]["volumeMounts"] if m["mountPath"] == "/dev/shm"]
    expect(memory and any(v["name"] == memory[0] and v["emptyDir"]["medium"] == "Memory" for v in worker["volumes"]),
           "mpijob.yaml: workers have only the 64 MB of shared memory a pod gets by itself")
    expect(worker["containers"][0]["resources"]["limits"]["cpu"] == spec["slotsPerWorker"],
           "mpijob.yaml: a worker has not one processor for each of its ranks")
    launcher = roles["Launcher"]["template"]["spec"]["containers"][0]
    script = launcher["args"][0]
    expect(subprocess.run(["sh", "-n", "-c", script]).returncode == 0, "mpijob.yaml: the launcher's script does not parse")
    with tempfile.TemporaryDirectory() as folder:
        expect(started(script, folder).endswith(f"--run-dir {folder} --overwrite"), "mpijob.yaml: begins a run wrongly")
        pathlib.Path(folder, "config.toml").touch()
        expect(started(script, folder).endswith(f"lockstep resume {folder}"), "mpijob.yaml: does not resume a run")
        expect(code_when_told_to_end(script, folder) == 75, "mpijob.yaml: SIGTERM does not let the ranks save")
    expect(any(str(e["name"]) == "RUN_DIR" and str(e["value"]).startswith("/lockstep/") for e in launcher["env"]),
           "mpijob.yaml: the run directory is not on the volume")
    expect(all(isinstance(e["value"], str) for e in launcher["env"]), "mpijob.yaml: a variable is no text")


check_job(yaml.safe_load((ROOT / "launch/k8s/mpijob.yaml").read_text()), check_dockerfile(dockerfile_stages()))
for sentence in failures:
    print("FAILED:", sentence)
sys.exit(1 if failures else 0)
