#!/usr/bin/env bash
# Measures this machine's graphics card: run.sh <folder for results> [options of the bench, such as --filter sgemm].
# Unpacks to a folder of /tmp; prints each figure when it is there and writes all of them to gpu.json. Without options, all works
# are measured with the faster plug-in first, then what time is left goes to the other one. BENCH_SECONDS is all that it may take.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
results=${1:?run.sh <folder for results> [options]}
shift
mkdir -p "$results"
results=$(cd "$results" && pwd)
place=$(mktemp -d /tmp/evenkeel-bench-XXXXXX)
trap 'rm -rf "$place"' EXIT

tar -C "$place" -xJf "$here/payload.tar.xz" 2>/dev/null ||
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$here/payload.tar.xz" "$place" || exit
# The system's own loader, where it has one, is found first.
ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1' || export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$place/lib"
nvidia=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] && [ -e "$nvidia" ]; then export VK_DRIVER_FILES="$nvidia"; fi

until=$((SECONDS + ${BENCH_SECONDS:-230}))
# Runs the bench with its options, for so many seconds at most.
bench() {
  local seconds=$1
  shift
  [ "$seconds" -lt 10 ] || timeout "$seconds" "$place/node" "$place/bench/dist/packed/bench.mjs" \
    --gpu --seconds "$((seconds * 4 / 5))" --json "$results/gpu.json" "$@"
}

{
  command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,clocks.max.sm,memory.total --format=csv
  if [ $# -gt 0 ]; then
    bench $((until - SECONDS)) "$@"
  else
    bench $(((until - SECONDS) * 2 / 3)) --plugins webgpu
    timeout 30 "$place/node" "$place/bench/dist/packed/gpu-profile.mjs" ${BENCH_PROFILES:-} >"$results/profiles.txt" 2>&1
    bench $((until - SECONDS)) --filter sgemm --filter forward --filter 'train-step$' --filter host-time
  fi
} 2>&1 | tee "$results/log.txt"
