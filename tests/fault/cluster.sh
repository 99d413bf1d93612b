#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/fault/cluster.sh up N FOLDER | down FOLDER
#
# A cluster of N hosts, h1 … hN, on this machine: each has its own network, host name, /etc/hosts, /dev/shm and /tmp (of
# which they share the folders that were there before), and a cable to one switch, on which they are 10.99.0.1 … N.
# Nothing of it has a name outside: hosts and switch are namespaces that live as long as one process each, whose number
# is in FOLDER. FOLDER/agent HOST COMMAND... is what ssh would be: mpirun --mca plm_rsh_agent FOLDER/agent. It does not
# reach a host whose cable is cut. Processes have the numbers they have outside, on all hosts.
#
# Sourced, this file gives the functions below to scripts; the cluster of cluster_up goes with the script then.

# Prints why there can be no cluster here; nothing if there can.
cluster_obstacle() {
  local program
  for program in ip tc nsenter unshare setpriv mpirun; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" > /dev/null || {
      echo "$program is missing"
      return
    }
  done
  unshare --net --uts --mount true 2> /dev/null || echo "this user may not make network namespaces (root may)"
}

# cluster_place FILE OPTION...: a process that keeps new namespaces alive; its number goes to FILE.
cluster_place() {
  local file=$1
  shift
  "${cluster_lives_with[@]}" unshare --net "$@" sleep infinity < /dev/null > /dev/null 2>&1 3>&- &
  echo $! > "$file"
  for _ in {1..100}; do
    [[ $(readlink "/proc/$!/ns/net") != $(readlink /proc/self/ns/net) && $(readlink "/proc/$!/exe") == */sleep ]] && return
    sleep 0.02
  done
  echo "cluster.sh: no new namespaces" >&2
  return 1
}

cluster_lives_with=(setpriv --pdeathsig KILL)

# cluster_up N FOLDER: FOLDER must be there. Sets cluster_folder and cluster_hosts.
cluster_up() {
  local i pid
  PATH=$PATH:/usr/sbin:/sbin
  cluster_folder=$(realpath "$2") cluster_hosts=()
  cluster_place "$cluster_folder/switch.pid" || return
  cluster_switch ip link add switch type bridge
  cluster_switch ip link set switch up
  echo "127.0.0.1 localhost" > "$cluster_folder/hosts"
  for ((i = 1; i <= $1; ++i)); do echo "10.99.0.$i h$i" >> "$cluster_folder/hosts"; done
  for ((i = 1; i <= $1; ++i)); do
    cluster_hosts+=("h$i")
    cluster_place "$cluster_folder/h$i.pid" --uts --mount || return
    pid=$(cat "$cluster_folder/h$i.pid")
    cluster_switch ip link add "cable$i" type veth peer name eth0 netns "$pid" || return
    cluster_switch ip link set "cable$i" master switch up
    cluster_on "h$i" sh -ec "hostname h$i; ip link set lo up; ip address add 10.99.0.$i/24 dev eth0; ip link set eth0 up
      mount --bind '$cluster_folder/hosts' /etc/hosts; mount -t tmpfs -o size=256m tmpfs /dev/shm
      mkdir '$cluster_folder/tmp-h$i'; mount -t tmpfs tmpfs '$cluster_folder/tmp-h$i'; cd '$cluster_folder/tmp-h$i'
      for place in /tmp/*/; do mkdir \".\${place#/tmp}\"; mount --bind \"\$place\" \".\${place#/tmp}\"; done
      mount --rbind . /tmp" || return
  done
  cluster_write_agent
}

# Variables do not pass, as with ssh. A host that cannot be reached takes as long as ssh -o ConnectTimeout=5.
cluster_write_agent() {
  cat > "$cluster_folder/agent" << AGENT
#!/bin/sh
host=\$1
shift
cd '$cluster_folder' || exit 255
if [ ! -e "\$host.pid" ]; then echo "agent: no host \$host" >&2; exit 255; fi
if [ -e "\$host.cut" ] || [ -e "\$(hostname).cut" ]; then
  sleep 5
  echo "agent: \$host does not answer" >&2
  exit 255
fi
cd /
exec nsenter --target "\$(cat "$cluster_folder/\$host.pid")" --net --uts --mount \
  env -i PATH="\$PATH" HOME="\$HOME" sh -c "\$*"
AGENT
  chmod +x "$cluster_folder/agent"
}

cluster_switch() { nsenter --target "$(cat "$cluster_folder/switch.pid")" --net "$@"; }

# cluster_on HOST COMMAND...: in this folder, with these variables.
cluster_on() {
  local host=$1
  shift
  nsenter --target "$(cat "$cluster_folder/$host.pid")" --net --uts --mount --wd="$PWD" "$@"
}

# The numbers of the processes on a host, but for the one that keeps it alive.
cluster_processes() {
  local keeper
  keeper=$(cat "$cluster_folder/$1.pid")
  find /proc -mindepth 3 -maxdepth 3 -path '/proc/[0-9]*/ns/net' -lname "$(readlink "/proc/$keeper/ns/net" | sed 's/[][]/\\&/g')" \
    2> /dev/null | cut -d / -f 3 | grep -vx "$keeper"
}

# cluster_kill HOST: all processes of the host at once, and those they started meanwhile.
cluster_kill() {
  local pids
  for _ in {1..20}; do
    mapfile -t pids < <(cluster_processes "$1")
    ((${#pids[@]})) || return 0
    kill -KILL "${pids[@]}" 2> /dev/null
    sleep 0.05
  done
}

# cluster_cut HOST, cluster_mend HOST: its cable. What is sent is lost, and nobody is told.
cluster_cut() {
  touch "$cluster_folder/$1.cut"
  cluster_switch ip link set "cable${1#h}" nomaster
}
cluster_mend() {
  cluster_switch ip link set "cable${1#h}" master switch
  rm -f "$cluster_folder/$1.cut"
}

# cluster_limit HOST MBIT: the bandwidth of its cable, both ways.
cluster_limit() {
  local shape=(root tbf rate "$2mbit" burst 32kbit latency 400ms)
  cluster_switch tc qdisc replace dev "cable${1#h}" "${shape[@]}" && cluster_on "$1" tc qdisc replace dev eth0 "${shape[@]}"
}
cluster_unlimit() {
  cluster_switch tc qdisc del dev "cable${1#h}" root && cluster_on "$1" tc qdisc del dev eth0 root
}

# The options of mpirun for this cluster.
cluster_mpi_options() {
  # Few cores serve all ranks, which else would poll on behalf of nobody.
  echo -q --allow-run-as-root --oversubscribe --bind-to none --mca plm_rsh_agent "$cluster_folder/agent" \
    --mca btl tcp,vader,self --mca btl_tcp_if_include 10.99.0.0/24 --mca oob_tcp_if_include 10.99.0.0/24 \
    --mca mpi_yield_when_idle 1
}

# cluster_host_list RANKS_EACH: h1:2,h2:2,…
cluster_host_list() {
  local list
  list=$(printf ",%s:$1" "${cluster_hosts[@]}")
  echo "${list:1}"
}

# Ends all processes on the hosts, then the hosts and the switch.
cluster_down() {
  local file pid
  [[ -n ${cluster_folder:-} ]] || return 0
  for file in "$cluster_folder"/*.pid; do
    [[ -e $file ]] || continue
    pid=$(cat "$file")
    # A number may be another process's by now.
    if [[ $(readlink "/proc/$pid/exe") == */sleep && $(readlink "/proc/$pid/ns/net") != $(readlink /proc/self/ns/net) ]]; then
      cluster_kill "$(basename "$file" .pid)"
      kill -KILL "$pid" && wait "$pid" 2> /dev/null
    fi
    rm -f "$file"
  done
  cluster_folder=
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  case ${1:-}:$# in
    up:3)
      obstacle=$(cluster_obstacle)
      [[ -z $obstacle ]] || { echo "cluster.sh: $obstacle" >&2 && exit 69; }
      cluster_lives_with=(setsid)
      mkdir -p "$3" && cluster_up "$2" "$3" || exit
      echo "mpirun $(cluster_mpi_options) --host $(cluster_host_list 1) …"
      echo "on h1: nsenter --target $(cat "$cluster_folder/h1.pid") --net --uts --mount"
      ;;
    down:2)
      cluster_folder=$(realpath "$2")
      cluster_down
      ;;
    *)
      awk 'NR > 2 && !/^#/ {exit} NR > 2 {sub(/^# ?/, ""); print}' "$0"
      exit 64
      ;;
  esac
fi
