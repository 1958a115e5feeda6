#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes tests/fuzz/corpus/ out of the golden files: run it when an encoding is added.
set -euo pipefail
cd "$(dirname "$0")"

# NAME: the bytes of a golden file as \xNN, for printf.
golden() { sed -e 's/#.*//' "../golden/update/$1.hex" | tr -d ' \n' | sed -e 's/../\\x&/g'; }
# NAME: those of its tensor fc.weight alone, the last line with bytes.
weight() { sed -n '/^# fc.weight/,$p' "../golden/update/$1.hex" | sed -e 's/#.*//' | tr -d ' \n' | sed -e 's/../\\x&/g'; }

rm -rf corpus
mkdir -p corpus/safetensors corpus/decode corpus/validator
# The three bytes before the file choose its encoding; see encoding_choice.h.
while read -r name choice; do
  # shellcheck disable=SC2059
  {
    printf "$(golden "$name")" >"corpus/safetensors/$name"
    printf "$choice$(golden "$name")" >"corpus/validator/$name"
    printf "$choice\x04\x00$(weight "$name")" >"corpus/decode/$name"
  }
done <<'LIST'
fp32 \x00\x00\x00
bf16 \x01\x00\x00
fp16 \x02\x00\x00
int8 \x03\x00\x00
int4 \x04\x00\x00
topk_int8 \x05\xff\x00
topk_2bit \x05\x7f\x01
LIST
# shellcheck disable=SC2059
printf "$(golden source)" >corpus/safetensors/source
# A right header goes before these.
for kind in 0 1 2 3 4 5; do printf "\x0$kind\xff\x02zeros" >"corpus/validator/header_$kind"; done
