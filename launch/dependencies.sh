# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the project's scripts share. Sourced, never run: finds and installs Debian packages, and picks the number
# of build jobs. Sets `root`, `assume_yes` and `rest`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
assume_yes=false
build_options=()

# "package probe": the probe is looked for where there is no dpkg, and is a program, a header or a file.
build_packages=(
  "g++ g++"
  "cmake cmake"
  "ninja-build ninja"
  "libopenmpi-dev mpicxx"
  "openmpi-bin mpirun"
  "libeigen3-dev <eigen3/Eigen/Core>"
  "libboost-program-options-dev <boost/program_options.hpp>"
  "libtomlplusplus-dev <toml++/toml.h>"
  "libspdlog-dev <spdlog/spdlog.h>"
  "libfmt-dev <fmt/format.h>"
  "nlohmann-json3-dev <nlohmann/json.hpp>"
  "librandom123-dev <Random123/philox.h>"
  "libxxhash-dev <xxhash.h>"
  "zlib1g-dev <zlib.h>"
  "libzstd-dev <zstd.h>"
  "libgtest-dev <gtest/gtest.h>"
  "dataset-fashion-mnist /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
)
test_packages=(
  "liblinear-tools liblinear-train"
  "python3-numpy python3:numpy"
  "python3-yaml python3:yaml"
  "qemu-user qemu-x86_64"
  "iproute2 ip"
  "faketime faketime"
  "munge munged"
  "slurm-client srun"
  "slurmctld slurmctld"
  "slurmd slurmd"
)
hdf5_packages=(  # for builds with LOCKSTEP_HDF5
  "libhdf5-dev /usr/include/hdf5/serial/hdf5.h"
)
lint_packages=(
  "clang-format clang-format"
  "clang-tidy clang-tidy"
)
fuzz_packages=(
  "clang clang++"
  "libclang-rt-14-dev /usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a"
)

fail() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit "${2:-1}"
}

is_found() {
  case $1 in
    "<"*) echo "#include $1" | "${CXX:-g++}" -std=c++20 -fsyntax-only -x c++ - 2>/dev/null ;;
    /*) [[ -e $1 ]] ;;
    python3:*) /usr/bin/python3 -c "import ${1#*:}" 2>/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

is_installed() {
  [[ $(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Prints the missing ones of the packages it is given, one a line.
missing_packages() {
  local entry package probe
  for entry in "$@"; do
    package=${entry%% *} probe=${entry#* }
    if command -v dpkg-query >/dev/null; then
      is_installed "$package" || echo "$package"
    else
      is_found "$probe" || echo "$package"
    fi
  done
}

apt_get() {
  local as_root=()
  [[ $(id -u) == 0 ]] || as_root=(sudo)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "$@"
}

install_packages() {
  local install=(install --yes --no-install-recommends "$@")
  # The lists of a fresh container are empty, and those of an old machine name files that are gone.
  if apt_get --simulate "${install[@]}" >/dev/null 2>&1 && apt_get "${install[@]}"; then return; fi
  apt_get update && apt_get "${install[@]}"
}

# Installs what is missing of the packages it is given. Asks first, unless told --yes or nobody can answer.
require_packages() {
  local missing answer
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  local command="apt-get install --yes --no-install-recommends ${missing[*]}"
  if ! command -v apt-get >/dev/null; then
    fail "this system lacks what Debian 12 calls: ${missing[*]}. Install its counterparts and run this again."
  fi
  echo "Missing Debian packages: ${missing[*]}"
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null || fail "neither root nor sudo; run as root: $command"
    [[ -t 0 ]] || sudo --non-interactive true 2>/dev/null || fail "sudo asks for a password; run: sudo $command"
  fi
  if ! $assume_yes && [[ -t 0 ]]; then
    read -r -p "Install them now? [Y/n] " answer
    [[ -z $answer || $answer == [Yy]* ]] || fail "nothing was installed; the command is: sudo $command"
  fi
  install_packages "${missing[@]}" || fail "installing failed; run it by hand: sudo $command"
}

# Compiling one file takes up to 1.5 GB.
build_jobs() {
  local cores kilobytes limit jobs
  cores=$(nproc)
  kilobytes=$(awk '/^MemAvailable/ {print $2}' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit != max ]] && ((limit / 1024 < kilobytes)); then kilobytes=$((limit / 1024)); fi
  jobs=$((kilobytes / 1500000))
  ((jobs > cores)) && jobs=$cores
  ((jobs < 1)) && jobs=1
  echo "$jobs"
}

# build PRESET [TARGET ...], with the options in `build_options`, if any
build() {
  (cd "$root" && cmake --preset "$1" "${build_options[@]}" >/dev/null &&
    cmake --build --preset "$1" --parallel "$(build_jobs)" ${2:+--target "${@:2}"})
}

# The head comment of a script is its help text.
print_help() {
  awk 'NR > 2 && !/^#/ {exit} NR > 2 {sub(/^# ?/, ""); print}' "$0"
  exit 0
}

# Takes the options every script knows; the others are left in `rest`.
take_common_options() {
  rest=()
  local option
  for option in "$@"; do
    case $option in
      --yes | -y) assume_yes=true ;;
      --help | -h) print_help ;;
      *) rest+=("$option") ;;
    esac
  done
}
