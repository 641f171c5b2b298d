#!/usr/bin/env bash
# What a host with a GPU tells about the CUDA kernels, in parts of a few minutes each. Needs nothing but the
# folder that `./dev gpu-pack` makes, in which it lies: no package, no network.
#
#     ./gpu-run.sh (A|B|C|D|E|all) [DIR]          results: DIR/PART.md, DIR/*.jsonl and logs (DIR: results)
#
# A  correct?   the kernels by themselves and whole models, on the device against the reference       3 min
# B  ceilings   memory, launches, transfers                                                         4 min
# C  kernels    the library's at the sizes of models, and the variants that the fast path chooses among  6 min
# D  decoding   tokens of 1B and 8B, and torch beside where python3 has it                           6 min
# E  checked    memcheck and racecheck where compute-sanitizer is installed                          5 min
#
# A step that is done is not done again: a part that was cut short goes on. What fails is written down, and the
# others still run; the exit code is then 1. IRPLAN_DRY_RUN=1 takes the CPU: the kernels in the SIMT shim, and
# what needs a device is skipped by name.
# shellcheck disable=SC2317  # parts and steps are called by their names
set -uo pipefail

pack=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
run=$pack/bin/irplan-run
tests=$pack/bin/irplan-test-native
bench=$pack/bin/irplan-gpu-bench
export IRPLAN_SOURCE_DIR=$pack

# A program's answers on a backend, against those that the reference gave when the pack was made.
agree() { # BACKEND NAME
  local words
  mapfile -t words <"$pack/want/$2.arguments"
  cd "$pack" && "$run" "${words[@]}" --backend "$1" --expect "$(cat "$pack/want/$2.output")=@$pack/want/$2.npy" --tol "$(cat "$pack/want/$2.tolerance")"
}

# One request of so many tokens, and 128 more: tokens a second, and percentiles of a step.
decode() { # BACKEND CONFIG PROMPT
  local requests tokens
  requests=$(mktemp)
  tokens=$(seq -s, 1 "$3")
  printf '{"req_id":"r","arrival_us":0,"tokens":[%s],"max_new_tokens":128}\n' "$tokens" >"$requests"
  "$run" "$pack/examples/models/llama.irplan" --config "$pack/$2" --weights random:1 --backend "$1" --requests "$requests" --slots 1
  local code=$?
  rm -f "$requests"
  return "$code"
}

part=${1:-}
case "$part" in
agree | decode)
  "$@"
  exit
  ;;
esac
out=${2:-results}
case "$part" in
A | B | C | D | E) ;;
all)
  failed=0
  for one in A B C D E; do "$0" "$one" "$out" || failed=1; done
  exit "$failed"
  ;;
*)
  sed -n '5,13s/^# \{0,1\}//p' "$0"
  exit 2
  ;;
esac
mkdir -p "$out" || exit 1
out=$(cd "$out" && pwd)
report=$out/$part.md
steps=$out/$part.jsonl
failed=0
dry=${IRPLAN_DRY_RUN:-}
declare -A minutes=([A]=3 [B]=4 [C]=6 [D]=6 [E]=5)
deadline=$((SECONDS + ${IRPLAN_PART_SECONDS:-$((60 * minutes[$part]))}))

device=$(nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv,noheader 2>/dev/null | head -n 1)
if [ ! -s "$report" ]; then
  {
    printf '# Part %s on %s\n\n' "$part" "${device:-a machine without nvidia-smi}"
    printf '%s, %s%s\n\n| step | result | s |\n|---|---|---|\n' "$(date -u +%F)" "$(head -n 1 "$pack/VERSION")" "${dry:+, dry run}"
  } >"$report"
fi

note() { # NAME RESULT SECONDS
  printf '{"step":"%s","result":"%s","seconds":%s}\n' "$1" "$2" "$3" >>"$steps"
  printf '| %s | %s | %s |\n' "$1" "$2" "$3" >>"$report"
  printf '%-44s %s (%s s)\n' "$1" "$2" "$3"
}

# A command of its own time limit and log; it passes, fails, is skipped (77), or the part's time is up.
step() { # NAME SECONDS COMMAND…
  local name=$1 limit=$2 begin=$SECONDS code=0 left=$((deadline - SECONDS))
  shift 2
  if grep -qs "\"step\":\"$name\",\"result\":\"\(passed\|skipped\)" "$steps"; then return; fi
  if [ "$left" -lt 5 ]; then
    printf '%-44s left for the next run: the time of part %s is up\n' "$name" "$part"
    failed=1
    return
  fi
  if [ "$limit" -gt "$left" ]; then limit=$left; fi
  local log=$out/$part-${name//[^a-zA-Z0-9]/-}.log
  timeout --kill-after=5 "$limit" "$@" >"$log" 2>&1 || code=$?
  case $code in
  0) note "$name" passed $((SECONDS - begin)) ;;
  77) note "$name" "skipped: $(tail -n 1 "$log" | tr -d '"|')" $((SECONDS - begin)) ;;
  124 | 137) note "$name" "not done after $limit s" $((SECONDS - begin)) && failed=1 ;;
  *)
    note "$name" "FAILED ($code), see $(basename "$log")" $((SECONDS - begin))
    tail -n 5 "$log"
    failed=1
    ;;
  esac
}

needs_device() { # NAME SECONDS COMMAND…
  if [ -n "$dry" ]; then
    if ! grep -qs "\"step\":\"$1\"" "$steps"; then note "$1" "skipped: needs a device" 0; fi
  else
    step "$@"
  fi
}

backend=${dry:+cpu}
backend=${backend:-cuda}

part_A() {
  needs_device "device" 60 "$run" --list-backends
  IRPLAN_TEST_BACKEND=${dry:+simt}
  export IRPLAN_TEST_BACKEND=${IRPLAN_TEST_BACKEND:-cuda}
  step "kernels by themselves" 120 "$tests" 'kernels: *'
  step "whole models of every family" 120 "$tests" '*on the CUDA kernels*'
  unset IRPLAN_TEST_BACKEND
  for name in "$pack"/want/*.npy; do
    name=$(basename "$name" .npy)
    step "$name against the reference" 60 "$0" agree "$backend" "$name"
  done
}

part_B() { needs_device "ceilings" 230 "$bench" ceilings "$out/ceilings.jsonl"; }

part_C() {
  needs_device "kernels" 120 "$bench" kernels "$out/kernels.jsonl"
  needs_device "torch, kernels" 90 "${PYTHON:-python3}" "$pack/torch_bench.py"
  needs_device "variants" 240 "$bench" variants "$out/variants.jsonl"
}

# 32 tokens of prompt and 128 more, as in public studies; then at a context of 4096.
part_D() {
  local config prompt
  if [ -n "$dry" ]; then step "decode tiny after 8 tokens" 60 "$0" decode cpu configs/tiny.json 8; fi
  for prompt in 32 3968; do
    for config in llama-3.2-1b 8b-4-layers; do
      needs_device "decode $config after $prompt tokens" 80 "$0" decode cuda "configs/$config.json" "$prompt"
    done
  done
  needs_device "torch, decode" 100 "${PYTHON:-python3}" "$pack/torch_decode.py" "$pack/configs/llama-3.2-1b.json"
}

part_E() {
  local sanitizer
  sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
  export IRPLAN_TEST_BACKEND=cuda
  for tool in memcheck racecheck synccheck initcheck; do
    if [ -x "$sanitizer" ]; then
      needs_device "$tool" 75 "$sanitizer" --tool "$tool" --error-exitcode 1 "$tests" 'kernels: *'
    else
      needs_device "$tool" 5 sh -c 'echo compute-sanitizer is not installed; exit 77'
    fi
  done
}

"part_$part"
printf '%s: %s\n' "$report" "$([ "$failed" = 0 ] && echo "part $part is done" || echo "part $part is not done, run it again or see what failed")"
exit "$failed"
