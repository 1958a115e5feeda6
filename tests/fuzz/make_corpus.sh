#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes tests/fuzz/corpus/ out of the golden files: run it when an encoding is added. Needs the program zstd.
set -euo pipefail
cd "$(dirname "$0")"

# NAME: the bytes of a golden file as \xNN, for printf.
golden() { sed -e 's/#.*//' "../golden/update/$1.hex" | tr -d ' \n' | sed -e 's/../\\x&/g'; }
# NAME: those of its tensor fc.weight alone, the last line with bytes.
weight() { sed -n '/^# fc.weight/,$p' "../golden/update/$1.hex" | sed -e 's/#.*//' | tr -d ' \n' | sed -e 's/../\\x&/g'; }

rm -rf corpus
mkdir -p corpus/safetensors corpus/validator corpus/zstd_chunk
# The three bytes before a validator's file choose its encoding, see encoding_choice.h; the second is the
# fraction of a decoder's, too. A decoder's input goes on with two bytes of a number of elements: 4, and
# none, 300 and 5,000 of zeros.
while read -r name choice fraction; do
  mkdir -p "corpus/$name"
  # shellcheck disable=SC2059
  {
    printf "$(golden "$name")" >"corpus/safetensors/$name"
    printf "$choice$(golden "$name")" >"corpus/validator/$name"
    printf "$fraction\x04\x00$(weight "$name")" >"corpus/$name/weight"
    printf "$fraction\x00\x00" >"corpus/$name/nothing"
    printf "$fraction\x2c\x01" >"corpus/$name/zeros_300"
    printf "$fraction\x88\x13" >"corpus/$name/zeros_5000"
  }
done <<'LIST'
fp32 \x00\x00\x00 \x00
bf16 \x01\x00\x00 \x00
fp16 \x02\x00\x00 \x00
int8 \x03\x00\x00 \x00
int4 \x04\x00\x00 \x00
topk_int8 \x05\xff\x00 \xff
topk_2bit \x05\x7f\x01 \x7f
LIST
# shellcheck disable=SC2059
printf "$(golden source)" >corpus/safetensors/source
# A right header goes before these.
for kind in 0 1 2 3 4 5; do printf "\x0$kind\xff\x02zeros" >"corpus/validator/header_$kind"; done
# Frames that say what they hold, which a file's do and a pipe's do not.
chunk=$(mktemp)
trap 'rm -f "$chunk"' EXIT
for name in source fp32 topk_2bit zeros; do
  # shellcheck disable=SC2059
  case "$name" in
    zeros) head -c 1000 /dev/zero >"$chunk"; size='\xe8\x03\x00\x00' ;;
    *) printf "$(golden "$name")" >"$chunk"; size=$(printf '\\x%02x\\x%02x\\x00\\x00' $(($(stat -c %s "$chunk") % 256)) $(($(stat -c %s "$chunk") / 256))) ;;
  esac
  # shellcheck disable=SC2059
  { printf "$size"; zstd -q -1 --no-check -c "$chunk"; } >"corpus/zstd_chunk/$name"
done
