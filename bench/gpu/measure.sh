#!/usr/bin/env bash
# On a machine with a GPU, in the folder that `npm run bench -- --kit FOLDER` has filled: the doctor, the candidates of
# kernels, the benchmark and PyTorch, one after the other. Reports and what was printed go to OUT.
#   bash measure.sh
# DAWN_NODE: Dawn's module for Node (else the package webgpu). RUN: what runs a script (node). PYTHON (python3).
# DOCTOR_S, SWEEP_S, BENCH_S, TORCH_S: seconds for each part (140, 70, 120, 90), 0 leaves it out; none takes ten more.
# DOCTOR, SWEEP, BENCH, TORCH: more options of each.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$here/out}
mkdir -p "$out"
run=${RUN:-node}
command -v nvidia-smi > /dev/null && nvidia-smi --query-gpu=name,driver_version,clocks.max.sm --format=csv,noheader | tee "$out/gpu.txt"

# part NAME SECONDS COMMAND …: runs it for so long, and ten seconds more at the most.
part() {
  local name=$1 seconds=$2
  shift 2
  [ "$seconds" = 0 ] && return
  echo
  echo "== $name"
  SECONDS=0
  timeout --kill-after=2 $((seconds + 8)) "$@" 2> "$out/$name.err" | tee "$out/$name.txt"
  echo "== $name: $SECONDS s, exit code ${PIPESTATUS[0]}"
}

doctor=${DOCTOR_S:-140} sweep=${SWEEP_S:-70} bench=${BENCH_S:-120} torch=${TORCH_S:-90}
part doctor "$doctor" $run "$here/doctor.mjs" --full --seconds "$doctor" --json "$out/doctor.json" ${DOCTOR:-}
part candidates "$sweep" $run "$here/bench.mjs" --candidates --only matmul --seconds "$sweep" --json "$out/candidates.json" ${SWEEP:-}
part bench "$bench" $run "$here/bench.mjs" --peers gradus-webgpu,jax-js-webgpu,tfjs-webgpu --rounds 3 --only '^training [0-9C]|^matmul' --json "$out/bench.json" ${BENCH:-}
reports=()
[ -f "$out/bench.json" ] && reports+=(--bench "$out/bench.json")
[ -f "$out/doctor.json" ] && reports+=(--doctor "$out/doctor.json")
part torch "$torch" env PYTHONUNBUFFERED=1 "${PYTHON:-python3}" "$here/torch_steps.py" --seconds "$torch" --json "$out/torch.json" "${reports[@]}" ${TORCH:-}
exit 0
