#!/usr/bin/env bash
# Makes the folder that is carried to a host with a GPU: what gpu-run.sh needs there, and nothing that it would
# have to build or fetch.
#
#     native/cuda/gpu-pack.sh BIN_DIR OUT_DIR      from built commands; what the reference answers is made here
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=$(cd "$1" && pwd)
out=$2
readonly MOST_KIB=$((40 * 1024))

if [ -e "$out" ] && [ ! -e "$out/gpu-run.sh" ]; then
  printf 'gpu-pack: %s is there, and is no pack of ours: name another folder, or remove it\n' "$out" >&2
  exit 1
fi
rm -rf "$out"
mkdir -p "$out/bin" "$out/want" "$out/configs"
out=$(cd "$out" && pwd)
for name in irplan-run irplan-test-native irplan-gpu-bench; do
  if [ -e "$bin/$name" ]; then
    cp "$bin/$name" "$out/bin/"
    strip "$out/bin/$name"
  elif [ "$name" != irplan-gpu-bench ]; then
    printf 'gpu-pack: %s/%s is missing: build it first (./dev gpu-pack does)\n' "$bin" "$name" >&2
    exit 1
  fi
done
cp -r "$root/examples" "$out/examples"
mkdir -p "$out/tests/data"
cp -r "$root/tests/data/plans" "$out/tests/data/"
(cd "$root" && find tests/data/goldens -name config.json -exec cp --parents {} "$out" \;)
cp "$root/native/cuda/gpu-run.sh" "$root/native/cuda/torch_bench.py" "$root/native/cuda/torch_decode.py" "$out/"
{
  "$bin/irplan-run" --version
  git -C "$root" describe --always --dirty 2>/dev/null || echo "no commit"
} | paste -sd' ' >"$out/VERSION"

# The smallest Llama, and the 8B's layers with four of them, whose weights a host makes in seconds.
cat >"$out/configs/tiny.json" <<'JSON'
{"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
 "intermediate_size": 96, "vocab_size": 128, "num_hidden_layers": 3, "rms_norm_eps": 1e-5, "dtype": "float32",
 "max_position_embeddings": 256, "rope_theta": 10000.0, "tie_word_embeddings": true, "hidden_act": "silu"}
JSON
cp "$root/examples/configs/llama-3.2-1b.json" "$out/configs/"
sed -E 's/("num_hidden_layers": *)[0-9]+/\14/' "$root/examples/configs/llama-3-8b.json" >"$out/configs/8b-4-layers.json"

want() { # NAME OUTPUT TOLERANCE ARGUMENTS…, one a line
  printf '%s' "$2" >"$out/want/$1.output"
  printf '%s' "$3" >"$out/want/$1.tolerance"
  printf '%s\n' "${@:4}" --weights random:1 >"$out/want/$1.arguments"
  (cd "$out" && bin/irplan-run "${@:4}" --weights random:1 --backend reference --output "$2=@want/$1.npy" >/dev/null)
}
want hotpath out 2e-3 examples/hotpath.irplan --dim S=64 --dim D=4096 --input x=random:1
want llama logits 2e-5 examples/models/llama.irplan --config configs/tiny.json --tokens 1,2,3,4,5,6,7,8,9,10,11,12 --chunks 7,1,1,1,1,1

# shellcheck disable=SC2094  # which does not read itself
(cd "$out" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum >SHA256SUMS)
kib=$(du -sk "$out" | cut -f1)
if [ "$kib" -gt "$MOST_KIB" ]; then
  printf 'gpu-pack: %s has %d KiB; %d are meant\n' "$out" "$kib" "$MOST_KIB" >&2
  exit 1
fi
glibc=$(objdump -T "$out/bin/irplan-run" 2>/dev/null | grep -oE 'GLIBC_[0-9.]+' | sort -V | tail -n 1 || true)
printf '%s: %d KiB, for hosts with %s or later. Carry it there: ./gpu-run.sh all\n' "$out" "$kib" "${glibc:-this C library}"
