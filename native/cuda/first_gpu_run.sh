#!/usr/bin/env bash
# Everything a machine with a GPU can tell about the CUDA kernels, in one command. Run it from anywhere:
#
#     native/cuda/first_gpu_run.sh [BUILD_DIR]          results: BUILD_DIR/gpu/results.md and the logs beside it
#
# 1. builds with IRPLAN_CUDA=ON   2. every operator on the device against the reference   3. the same under compute-sanitizer
# 4. whole plans: the smallest program and a tiny Llama   5. bandwidth of the memory-bound kernels, against that of a copy,
#    and against torch's, eager and compiled, where python3 (or PYTHON) has it
# A step that fails is written down and the others still run; the exit code is then 1.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:-$root/build-cuda}
out=$build/gpu
mkdir -p "$out"
report=$out/results.md
failed=0

step() { # NAME COMMAND…
  local name=$1
  shift
  printf '== %s\n' "$name"
  if "$@" >"$out/$name.log" 2>&1; then
    printf '| %s | passed |\n' "$name" >>"$report"
  else
    printf '| %s | **failed**, see %s.log |\n' "$name" "$name" >>"$report"
    tail -n 5 "$out/$name.log"
    failed=1
  fi
}

device=$(nvidia-smi --query-gpu=name,driver_version,clocks.max.sm --format=csv,noheader 2>/dev/null | head -n 1)
nvcc=${CUDACXX:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
{
  printf '# CUDA kernels on %s\n\n' "${device:-a machine without nvidia-smi}"
  printf '%s, commit %s\n\n' "$(date -u +%F)" "$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)"
  printf '| step | result |\n|---|---|\n'
} >"$report"

# ------------------------------------------------------------------------------------------------ build

configure=(cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DIRPLAN_CUDA=ON)
# Kernels for this device; 9.0 takes its own instructions.
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d .)
if [ -n "$capability" ] && [ "$capability" != 90 ]; then configure+=("-DCMAKE_CUDA_ARCHITECTURES=$capability"); fi
step configure "${configure[@]}"
step build cmake --build "$build" --parallel
run=$build/bin/irplan-run
tests=$build/bin/irplan-test-native

# ------------------------------------------------------------------------------------------------ operators

export IRPLAN_TEST_BACKEND=cuda
step operators "$tests" 'kernels:*'
step plans "$tests" '*on the CUDA kernels*'
sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
if [ -x "$sanitizer" ]; then
  for tool in memcheck racecheck synccheck initcheck; do
    step "$tool" "$sanitizer" --tool "$tool" --error-exitcode 1 "$tests" 'kernels:*'
  done
else
  printf '| compute-sanitizer | skipped: not installed |\n' >>"$report"
fi
unset IRPLAN_TEST_BACKEND

# ------------------------------------------------------------------------------------------------ whole plans

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/config.json" <<'JSON'
{"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
 "intermediate_size": 96, "vocab_size": 128, "num_hidden_layers": 3, "rms_norm_eps": 1e-5, "dtype": "float32",
 "max_position_embeddings": 256, "rope_theta": 10000.0, "tie_word_embeddings": true, "hidden_act": "silu"}
JSON
# The reference writes what it computes; the device must give the same.
# shellcheck disable=SC2317  # called through step
agree() { # OUTPUT TOLERANCE ARGUMENTS…
  local output=$1 tolerance=$2
  shift 2
  "$run" "$@" --weights random:1 --backend reference --output "$output=@$work/want.npy" &&
    "$run" "$@" --weights random:1 --backend cuda --expect "$output=@$work/want.npy" --tol "$tolerance"
}
step hotpath agree out 2e-3 "$root/examples/hotpath.irplan" --dim S=64 --dim D=4096 --input x=random:1
step llama agree logits 2e-5 "$root/examples/models/llama.irplan" --config "$work/config.json" \
  --tokens 1,2,3,4,5,6,7,8,9,10,11,12 --chunks 7,1,1,1,1,1

# ------------------------------------------------------------------------------------------------ bandwidth

# A chain of one operator over 512 MiB that does not stay in any cache; the profile gives the mean over its ops.
readonly CHAIN=20
chain() { # NAME EXPRESSION STATEMENT
  {
    printf 'input x: bf16[1, S, 4096]\nw = param bf16[4096]\n%s\nh = x\n' "$3"
    printf 'for i in %d with h { h = %s }\nout = output(h)\n' "$CHAIN" "$2"
  } >"$work/$1.irplan"
  "$run" "$work/$1.irplan" --dim S=65536 --input x=random:1 --weights random:1 --backend cuda --profile >"$out/bench-$1.log" 2>&1
  # The profile's line of an operator: name, ops, ms, share, GB/s, GFLOP/s.
  awk -v n="$CHAIN" '$2 == n {print $(NF - 1); exit}' "$out/bench-$1.log"
}
torch_log=$out/bench-torch.log
torch_why=""
"${PYTHON:-python3}" "$root/native/cuda/torch_bench.py" >"$torch_log" 2>"$torch_log.err" ||
  torch_why=$(tail -n 1 "$torch_log.err")
torch() { # NAME FIELD: the figure, or nothing
  awk -v n="$1" -v f="$2" '$1 == n {printf "%.0f", $f}' "$torch_log"
}
copy=$("$nvcc" -O2 -o "$out/copy_bandwidth" "$root/native/cuda/copy_bandwidth.cu" && "$out/copy_bandwidth")
{
  printf '\n| kernel, bf16 [65536, 4096] | GB/s | of a copy | torch | torch.compile |\n|---|---|---|---|---|\n'
  printf '| copy | %s | 100 %% | | |\n' "${copy:-unknown}"
} >>"$report"
rows=""
bench() { # NAME EXPRESSION [STATEMENT before the loop]
  local figure
  figure=$(chain "$1" "$2" "${3:-}")
  if [ -z "$figure" ]; then
    printf '| %s | **failed**, see bench-%s.log | | | |\n' "$1" "$1" >>"$report"
    failed=1
    return
  fi
  awk -v n="$1" -v g="$figure" -v c="${copy:-0}" -v t="$(torch "$1" 2)" -v k="$(torch "$1" 3)" \
    'BEGIN {printf "| %s | %.0f | %s | %s | %s |\n", n, g, c > 0 ? sprintf("%.0f %%", 100 * g / c) : "", t, k}' >>"$report"
  rows="$rows${rows:+, }{\"kernel\": \"$1\", \"gb_per_s\": $figure"
  if [ -n "$(torch "$1" 2)" ]; then rows="$rows, \"torch\": $(torch "$1" 2), \"torch_compile\": $(torch "$1" 3)"; fi
  rows="$rows}"
}
bench rmsnorm 'rmsnorm(h, w, eps=1e-5)'
bench silu 'silu(h)'
bench rope 'rope(h, base=10000, dim=128)'
bench add 'h + x'
bench softmax 'softmax(h)'
bench swiglu 'silu(h) * u' 'u = x + 1' # fused where both are temporary
if [ -n "$torch_why" ]; then printf '\ntorch was not measured: %s\n' "$torch_why" >>"$report"; fi
printf '{"device": "%s", "copy_gb_per_s": %s, "kernels": [%s]}\n' "$device" "${copy:-null}" "$rows" >"$out/bench.json"

printf '\n'
cat "$report"
exit "$failed"
