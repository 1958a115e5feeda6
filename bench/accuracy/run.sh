#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What an encoding of the updates costs in accuracy and saves in bytes: the quickstart's federation trains the
# quickstart's model once with each. See `--help` and bench/README.md.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: bench/accuracy/run.sh [options]

Trains the quickstart's job (five workers, their parts of Fashion-MNIST, configs/recipes/fashion-mnist.yaml) with
each encoding in turn, and prints the accuracy of the final model on the 10,000 test images and the bytes that went
up, beside those of the first encoding. Every round waits for all five, so that neither depends on how fast or busy the
machine is.

Options:
  --encodings LIST  separated by commas; the first is what the others are compared with (default: fp32,int8,topk).
                    topk may carry its settings: topk:0.0625:2bit is fraction and values, topk alone the recipe's
                    defaults
  --rounds N        rounds to train (default: the recipe's)
  --seeds LIST      separated by commas; with more than one, each encoding is trained with each, and the table
                    has the mean (default: 1)
  --preset NAME     which of CMakePresets.json to build and run: release or dev (default: release)
  --json            print one JSON object in place of a table
  --keep DIR        work in DIR, new or empty, and leave logs and results there (default: a temporary folder)
  --help            this text
TEXT
}
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=accuracy
# shellcheck source-path=SCRIPTDIR source=../../deploy/lib/federation.sh
. "$repository/deploy/lib/federation.sh"

encodings=fp32,int8,topk rounds="" seeds=1 preset=release json=false keep=""
while [ $# -gt 0 ]; do
  case "$1" in
    --help|-h) usage; exit 0 ;;
    --json) json=true; shift; continue ;;
    --encodings|--rounds|--seeds|--preset|--keep) [ $# -ge 2 ] || bad_usage "$1 needs a value" ;;
    *) bad_usage "unknown option $1" ;;
  esac
  case "$1" in
    --rounds) is_count "$2" || bad_usage "--rounds must be a number from 1, not '$2'" ;;
    --seeds) [[ "$2" =~ ^[0-9]{1,15}(,[0-9]{1,15})*$ ]] || bad_usage "--seeds must be numbers separated by commas, not '$2'" ;;
    --encodings) [[ "$2" =~ ^[a-z0-9:.]+(,[a-z0-9:.]+)*$ ]] || bad_usage "--encodings must be names separated by commas, not '$2'" ;;
    --preset) [[ "$2" = release || "$2" = dev ]] || bad_usage "--preset must be release or dev, not '$2'" ;;
  esac
  declare "${1#--}=$2"
  shift 2
done
if [ -n "$keep" ]; then must_be_new --keep "$keep"; fi

"$repository/deploy/packages/install.sh" build run >&2
work=${keep:-$(mktemp -d "${TMPDIR:-/var/tmp}/entente-accuracy-XXXXXX")}
mkdir -p "$work/logs"
work=$(cd "$work" && pwd)
clean_up() {
  if [ -z "$keep" ] && [ "$1" -eq 0 ]; then rm -rf "$work"; fi
  if [ "$1" -ne 0 ]; then echo "accuracy: the logs are in $work/logs" >&2; fi
}
stop_at_end clean_up
build_programs "$preset" "$work/logs/build.log"

# recipe ENCODING SEED: prints the quickstart's recipe with that encoding. A round waits for all five, so that the
# result depends on nothing but the encoding.
recipe() {
  local name fraction values file="$repository/configs/recipes/fashion-mnist.yaml"
  IFS=: read -r name fraction values <<<"$1"
  sed -e "s/^\( *\)seed:.*/\1seed: $2/" -e "s/^\(  *\)count: 3$/\1count: 5/" -e "s/^\( *\)encoding: fp32.*/\1encoding: $name/" "$file" |
    if [ -n "$rounds" ]; then sed -e "s/^rounds:.*/rounds: $rounds/"; else cat; fi |
    if [ -n "$fraction" ]; then
      sed -e "s/^\( *\)encoding: .*/&\n\1topk: {fraction: $fraction${values:+, values: $values}}/"
    else cat; fi
}

# train ENCODING SEED: runs the job and adds its figures to result.jsonl.
train() {
  local stem="$work/${1//:/-}-$2"
  recipe "$1" "$2" >"$stem.yaml"
  "${as_submitter[@]}" job submit "$stem.yaml" --dry-run -o json | jq -c .recipe >"$stem.recipe.json"
  local job
  job=$("${as_submitter[@]}" job submit "$stem.yaml" -o json | jq -r .job.id)
  run "${as_submitter[@]}" job watch "$job" >"$stem.watch.log" 2>&1 || fail "the job with $1 did not complete: $(tail -n 1 "$stem.watch.log")"
  "${as_submitter[@]}" job show "$job" -o json >"$stem.job.json"
  "${as_submitter[@]}" model pull "$job" --output "$stem.safetensors" >/dev/null
  start_test "$stem.recipe.json" "$stem.safetensors" "$stem.test.json" "$work/logs/evaluate.log"
  finish "$started" || fail "the evaluation failed; see $work/logs/evaluate.log"
  jq -c --arg encoding "$1" --argjson seed "$2" --slurpfile test "$stem.test.json" '{
    encoding: $encoding, seed: $seed, accuracy: $test[0].accuracy, rounds: .roundsCommitted,
    bytes_up: (.bytesUp | tonumber), model_digest: .modelDigest
  }' "$stem.job.json" | tee -a "$work/result.jsonl" >&2
}

five_members
pki="$work/pki"
certify_five >"$work/logs/pki.log"
# The split is the quickstart's own, whatever seeds the training.
split_images "$work" 1
start_five "$work" 0
IFS=, read -r -a encoding_list <<<"$encodings"
IFS=, read -r -a seed_list <<<"$seeds"
for encoding in "${encoding_list[@]}"; do
  for seed in "${seed_list[@]}"; do train "$encoding" "$seed"; done
done

jq -s '
  def mean(f): (map(f) | add) / length;
  . as $runs | (reduce .[].encoding as $e ([]; if index($e) then . else . + [$e] end)) as $order |
  {runs: $runs, encodings: [$order[] as $e | $runs | map(select(.encoding == $e)) |
    {encoding: $e, accuracy: mean(.accuracy), bytes_up: mean(.bytes_up)}]} |
  .encodings[0] as $first |
  .encodings |= map(. + {points_lost: (($first.accuracy - .accuracy) * 100), times_fewer_bytes: ($first.bytes_up / .bytes_up)})
' "$work/result.jsonl" >"$work/result.json"
if $json; then
  cat "$work/result.json"
else
  jq -r '
    def places($n): (pow(10; $n)) as $p | . * $p | round / $p | tostring;
    "the quickstart'"'"'s job, \(.runs[0].rounds) rounds, \([.runs[].seed] | unique | length) seed(s); accuracy on the 10,000 test images",
    (.encodings[] | "  \(.encoding): \(.accuracy * 100 | places(2)) %, \(.points_lost | places(2)) points below the first; \(.bytes_up / 1048576 | places(2)) MiB up, \(.times_fewer_bytes | places(1)) x fewer")
  ' "$work/result.json"
fi
