# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A Slurm of its own on this machine: munged, slurmctld and as many slurmd as wanted, in a temporary folder, on
# ports of 127.0.0.1 that were free. Sourced. Ends only what it started, by pid.

slurm_pids=()

# Prints what keeps Slurm from being started here; nothing if all is there.
slurm_obstacle() {
  local program
  for program in munged slurmctld slurmd srun sbatch scontrol scancel setpriv; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" > /dev/null || {
      echo "$program is missing (Debian: munge slurmctld slurmd slurm-client)"
      return
    }
  done
  [[ $(id -u) == 0 ]] || echo "slurmd and munged want to be root"
}

free_ports() {
  /usr/bin/python3 -c "import socket
sockets = [socket.socket() for _ in range($1)]
for s in sockets: s.bind(('127.0.0.1', 0))
print(*(s.getsockname()[1] for s in sockets))"
}

# start_daemon LOG COMMAND...
start_daemon() {
  local log=$1
  shift
  setpriv --pdeathsig TERM "$@" > "$log" 2>&1 < /dev/null &
  slurm_pids+=($!)
}

daemons_that_ended() {
  local pid
  for pid in "${slurm_pids[@]}"; do [[ -e /proc/$pid ]] || echo "$pid"; done
}

# start_slurm FOLDER NODES: the nodes node1 … of two processors each. Exports SLURM_CONF. Fails, with a reason, if the
# nodes do not become idle.
start_slurm() {
  local folder=$1 nodes=$2 ports host node
  PATH=$PATH:/usr/sbin:/sbin
  host=$(hostname -s)
  read -r -a ports < <(free_ports $((nodes + 1)))
  chmod 755 "$folder" # munged wants its socket to be reached by all
  mkdir -p "$folder/state"
  dd if=/dev/urandom of="$folder/munge.key" bs=1024 count=1 2> /dev/null
  chmod 600 "$folder/munge.key"
  cat > "$folder/slurm.conf" << CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${ports[0]}
AuthType=auth/munge
CredType=cred/munge
# A job that is queued again waits until its credentials have expired.
AuthInfo=socket=$folder/munge.socket,cred_expire=5
SlurmUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
TmpFS=$folder/tmp-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
MinJobAge=3600
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
  for ((node = 1; node <= nodes; ++node)); do
    mkdir -p "$folder/spool-node$node" "$folder/tmp-node$node"
    echo "NodeName=node$node NodeHostname=$host NodeAddr=127.0.0.1 Port=${ports[$node]} CPUs=2 State=UNKNOWN" \
      >> "$folder/slurm.conf"
  done
  export SLURM_CONF=$folder/slurm.conf
  start_daemon "$folder/munged.out" munged --foreground --key-file="$folder/munge.key" \
    --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" \
    --seed-file="$folder/munged.seed"
  for _ in {1..50}; do [[ -S $folder/munge.socket ]] && break || sleep 0.1; done
  start_daemon "$folder/slurmctld.out" slurmctld -D -i
  for ((node = 1; node <= nodes; ++node)); do start_daemon "$folder/slurmd$node.out" slurmd -D -N "node$node"; done
  for _ in {1..100}; do
    [[ -z $(daemons_that_ended) ]] || break
    (($(timeout 5 sinfo --noheader --Node --states=idle --format=%N 2> /dev/null | sort -u | wc -l) != nodes)) || return 0
    sleep 0.1
  done
  tail -n 5 "$folder"/*.out
  return 1
}

# Cancels what still runs, then ends the daemons, slurmd first.
stop_slurm() {
  local i pid
  if ((${#slurm_pids[@]})); then
    timeout 5 scancel --user=root --quiet > /dev/null 2>&1
    for _ in {1..100}; do
      [[ -n $(timeout 5 squeue --noheader --states=running,completing 2> /dev/null) ]] && sleep 0.1 || break
    done
  fi
  for ((i = ${#slurm_pids[@]} - 1; i >= 0; --i)); do
    pid=${slurm_pids[i]}
    kill "$pid" 2> /dev/null
    for _ in {1..50}; do [[ -e /proc/$pid && $(sed 's/.*) //' "/proc/$pid/stat" 2> /dev/null) != Z* ]] && sleep 0.1 || break; done
    kill -KILL "$pid" 2> /dev/null
    wait "$pid" 2> /dev/null
  done
  slurm_pids=()
}
