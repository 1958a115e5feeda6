#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes tests/fuzz/corpus/ out of the golden files, and of what a hostile peer would send: run it when an encoding is
# added. Needs the program zstd.
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

# ---- What a hostile peer would send ---------------------------------------------------------------------
# All have the length that they announce, and so reach what lies behind that check, but for those named after it.

# hostile TARGET NAME BYTES...: with \xNN for what is no text.
hostile() {
  local target=$1 name=$2
  shift 2
  printf '%b' "$@" >"corpus/$target/$name"
}
# repeated COUNT BYTES
repeated() { local i; for ((i = 0; i < $1; ++i)); do printf '%s' "$2"; done; }

nan='\x00\x00\xc0\x7f' infinity='\x00\x00\x80\x7f' denormal='\x01\x00\x00\x00' negative='\x00\x00\x80\xbf'
minus_zero='\x00\x00\x00\x80' largest='\xff\xff\x7f\x7f' one='\x00\x00\x80\x3f'

# Numbers: a NaN, an infinity and a denormal one; a byte too few, one too many; far fewer than were announced.
hostile fp32 not_finite '\x00\x03\x00' "$nan" "$infinity" "$denormal"
hostile bf16 not_finite '\x00\x03\x00' '\xc0\x7f' '\x80\xff' '\x01\x00'
hostile fp16 not_finite '\x00\x03\x00' '\x00\x7e' '\x00\xfc' '\x01\x00'
for name in fp32 bf16 fp16; do
  bytes=2
  if [ "$name" = fp32 ]; then bytes=4; fi
  hostile "$name" truncated '\x00\x03\x00' "$(repeated $((3 * bytes - 1)) '\x3f')"
  hostile "$name" overlong '\x00\x03\x00' "$(repeated $((3 * bytes + 1)) '\x3f')"
  hostile "$name" of_nothing '\x00\x00\x00' '\x3f'
  hostile "$name" announced_most '\x00\xff\x3f' "$(repeated "$bytes" '\x3f')"
done

# Blocks: two numbers under each bad scale, then bad integers, and a second block that is the bad one.
two_int8='\x01\xff' two_int4='\xf1'
for name in int8 int4; do
  values=two_$name
  for scale in nan infinity denormal negative minus_zero largest; do
    hostile "$name" "scale_$scale" '\x00\x02\x00' "${!scale}" "${!values}"
  done
  hostile "$name" truncated '\x00\x02\x00' "$one"
  hostile "$name" overlong '\x00\x02\x00' "$one" "${!values}" '\x00'
  hostile "$name" of_nothing '\x00\x00\x00' "$one"
  hostile "$name" announced_most '\x00\xff\x3f' "$one" "${!values}"
done
hostile int8 integer_beyond '\x00\x02\x00' "$one" '\x7f\x80'
hostile int4 integer_beyond '\x00\x02\x00' "$one" '\x87'
hostile int4 bits_after_the_last '\x00\x03\x00' "$one" '\x77\x17'
hostile int8 second_scale_nan '\x00\x01\x01' "$one" "$(repeated 256 '\x7f')" "$nan" '\x01'
hostile int4 second_scale_nan '\x00\x01\x01' "$one" "$(repeated 128 '\x77')" "$nan" '\x01'

# topk: half of four numbers, so a byte with the low bit of each of two places and a map of 3 bits, and two values.
# \x16 is places 0 and 3: low bits 0 and 1, bits 0 and 2 of the map.
for name in topk_int8 topk_2bit; do
  values='\x7f\x81'
  if [ "$name" = topk_2bit ]; then values='\x0c'; fi
  for scale in nan infinity denormal negative minus_zero largest; do
    hostile "$name" "scale_$scale" '\xff\x04\x00' "${!scale}" '\x16' "$values"
  done
  hostile "$name" right '\xff\x04\x00' "$one" '\x16' "$values"
  hostile "$name" place_repeated '\xff\x04\x00' "$one" '\x0f' "$values"
  hostile "$name" places_descend '\xff\x04\x00' "$one" '\x0d' "$values"
  hostile "$name" places_too_many '\xff\x04\x00' "$one" '\x1e' "$values"
  hostile "$name" places_too_few '\xff\x04\x00' "$one" '\x06' "$values"
  hostile "$name" place_beyond '\xff\x03\x00' "$one" '\x08' "$values"
  hostile "$name" bits_after_the_last '\xff\x02\x00' "$one" '\xf3' '\x01'
  hostile "$name" truncated '\xff\x04\x00' "$one" '\x16'
  hostile "$name" overlong '\xff\x04\x00' "$one" '\x16' "$values" '\x00'
  hostile "$name" of_nothing '\xff\x00\x00' "$one"
  hostile "$name" announced_most '\x00\xff\x3f' "$one"
done
hostile topk_int8 integer_beyond '\xff\x04\x00' "$one" '\x16' '\x7f\x80'
# 8 of 4,096 numbers, places 0 to 7: 9 low bits of each, and a map of 15 bits. Then the one of 1, whose map is empty.
eight='\x00\x02\x08\x18\x40\xa0\x80\x81\x03\xff\x00'
hostile topk_int8 second_place_missing '\x00\x01\x10' "$one" "$eight" "$(repeated 8 '\x7f')" "$one" '\x00' '\x7f'
hostile topk_2bit second_place_missing '\x00\x01\x10' "$one" "$eight" '\xff\xff' "$one" '\x00' '\x03'

# Frames of Zstandard, by RFC 8878: magic number, descriptor, the content's size, blocks.
magic='\x28\xb5\x2f\xfd' empty_block='\x01\x00\x00' two_to_63='\x00\x00\x00\x00\x00\x00\x00\x80'
abc='\x20\x03\x19\x00\x00abc'
hostile zstd_chunk size_0 '\x00\x00\x00\x00' "$magic" "$abc"
hostile zstd_chunk size_2_to_31 '\x00\x00\x00\x80' "$magic" "$abc"
hostile zstd_chunk size_largest '\xff\xff\xff\xff' "$magic" "$abc"
hostile zstd_chunk size_of_another '\x02\x00\x00\x00' "$magic" "$abc"
hostile zstd_chunk right '\x03\x00\x00\x00' "$magic" "$abc"
hostile zstd_chunk truncated '\x03\x00\x00\x00' "$magic" '\x20\x03\x19\x00\x00ab'
hostile zstd_chunk overlong '\x03\x00\x00\x00' "$magic" "$abc" '\x00'
hostile zstd_chunk two_frames '\x03\x00\x00\x00' "$magic" "$abc" "$magic" "$abc"
hostile zstd_chunk frame_of_nothing '\x00\x00\x00\x00' "$magic" '\x20\x00' "$empty_block"
hostile zstd_chunk frame_claims_2_to_63 '\x03\x00\x00\x00' "$magic" '\xe0' "$two_to_63" "$empty_block"
hostile zstd_chunk frame_does_not_say '\x03\x00\x00\x00' "$magic" '\x00\x00' '\x19\x00\x00abc'
hostile zstd_chunk window_largest '\x03\x00\x00\x00' "$magic" '\x80\xff\x03\x00\x00\x00' '\x19\x00\x00abc'
hostile zstd_chunk asks_for_a_dictionary '\x03\x00\x00\x00' "$magic" '\x21\x07\x03' '\x19\x00\x00abc'
hostile zstd_chunk holds_more_than_it_says '\x01\x00\x00\x00' "$magic" '\x20\x01' '\xfb\xff\xffx'
hostile zstd_chunk holds_less_than_it_says '\x04\x00\x00\x00' "$magic" '\x20\x04\x19\x00\x00abc'
hostile zstd_chunk reserved_block '\x03\x00\x00\x00' "$magic" '\x20\x03\x1f\x00\x00abc'
hostile zstd_chunk skippable '\x03\x00\x00\x00' '\x50\x2a\x4d\x18\xff\xff\xff\xff' "$magic" "$abc"
# Of 50 bytes, a mebibyte, the most that a chunk may hold; and a byte more.
hostile zstd_chunk mebibyte '\x00\x00\x10\x00' "$magic" '\xa0\x00\x00\x10\x00' "$(repeated 7 '\x02\x00\x10x')" '\x03\x00\x10x'
hostile zstd_chunk more_than_a_mebibyte '\x01\x00\x10\x00' "$magic" '\xa0\x01\x00\x10\x00' "$(repeated 8 '\x02\x00\x10x')" '\x0b\x00\x00x'

# little_endian NUMBER: in 8 bytes.
little_endian() { local i; for ((i = 0; i < 64; i += 8)); do printf '\\x%02x' $((($1 >> i) & 255)); done; }
# with_header JSON DATA: a safetensors file.
with_header() { printf '%s' "$(little_endian ${#1})" "$1" "$2"; }
# tensor SHAPE OFFSETS: the header of one.
tensor() { printf '{"w":{"dtype":"F32","shape":[%s],"data_offsets":[%s]}}' "$1" "$2"; }

hostile safetensors header_of_0_bytes "$(with_header '' '')"
hostile safetensors header_of_2_to_63_bytes "$two_to_63" '{}'
hostile safetensors header_of_most_bytes "$(repeated 8 '\xff')" '{}'
hostile safetensors header_longer_than_the_file '\x03\x00\x00\x00\x00\x00\x00\x00' '{}'
hostile safetensors header_of_100_mib '\x00\x00\x40\x06\x00\x00\x00\x00' '{}'
hostile safetensors shorter_than_a_size '\x02\x00\x00\x00'
hostile safetensors nothing ''
hostile safetensors shape_0 "$(with_header "$(tensor 0 0,0)" '')"
hostile safetensors shape_negative "$(with_header "$(tensor -1 0,4)" "$one")"
hostile safetensors shape_2_to_63 "$(with_header "$(tensor 9223372036854775808 0,4)" "$one")"
hostile safetensors shape_beyond_64_bits "$(with_header "$(tensor 18446744073709551616 0,4)" "$one")"
hostile safetensors shape_whose_product_wraps "$(with_header "$(tensor 4294967296,4294967296 0,0)" '')"
hostile safetensors shape_whose_bytes_wrap "$(with_header "$(tensor 4611686018427387905 0,4)" "$one")"
hostile safetensors shape_with_a_fraction "$(with_header "$(tensor 1.5 0,4)" "$one")"
hostile safetensors shape_of_17_dimensions "$(with_header "$(tensor "$(repeated 16 1,)1" 0,4)" "$one")"
hostile safetensors offset_negative "$(with_header "$(tensor 1 -4,0)" "$one")"
hostile safetensors offset_2_to_63 "$(with_header "$(tensor 1 9223372036854775808,9223372036854775812)" "$one")"
hostile safetensors offsets_that_wrap "$(with_header "$(tensor 1 18446744073709551612,0)" "$one")"
hostile safetensors offsets_backwards "$(with_header "$(tensor 1 4,0)" "$one")"
hostile safetensors gap "$(with_header "$(tensor 1 4,8)" "$one$one")"
hostile safetensors truncated "$(with_header "$(tensor 2 0,8)" "$one")"
hostile safetensors overlong "$(with_header "$(tensor 1 0,4)" "$one$one")"
hostile safetensors overlapping "$(with_header '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' "$one")"
hostile safetensors tensor_twice "$(with_header '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}' "$one$one")"
hostile safetensors field_twice "$(with_header '{"w":{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,8]}}' "$one$one")"
hostile safetensors deep "$(with_header "{\"w\":$(repeated 200 '[')" '')"

# Updates with a right header: three numbers of fc.bias, four of fc.weight, 300 of another; the rest is zeros.
fp32='\x00\x00\x02' bf16='\x01\x00\x02' fp16='\x02\x00\x02' int8='\x03\x00\x02' int4='\x04\x00\x02'
topk_int8='\x05\xff\x02' topk_2bit='\x05\xff\x03'
for scale in nan infinity denormal negative minus_zero largest; do
  hostile validator "fp32_$scale" "$fp32" "${!scale}"
  for name in int8 int4 topk_int8 topk_2bit; do hostile validator "${name}_scale_$scale" "${!name}" "${!scale}"; done
done
hostile validator bf16_nan "$bf16" '\xc0\x7f'
hostile validator bf16_infinity "$bf16" '\x80\xff'
hostile validator fp16_nan "$fp16" '\x00\x7e'
hostile validator fp16_infinity "$fp16" '\x00\x7c'
hostile validator fp32_just_in_bounds "$fp32" '\x00\x00\x80\x43' '\x00\x00\x80\xc3'
hostile validator fp32_just_beyond "$fp32" '\x01\x00\x80\x43'
hostile validator int8_beyond_its_bounds "$int8" '\x00\x00\x40\x40' '\x7f\x00\x00'
hostile validator int8_integer_beyond "$int8" "$one" '\x80'
hostile validator int8_second_scale_nan "$int8" "$(repeated 275 '\x00')" "$nan"
# fc.bias has two of three numbers: no low bits, and a map of four.
hostile validator topk_int8_place_repeated "$topk_int8" "$one" '\x03' '\x7f\x7f'
hostile validator topk_int8_place_beyond "$topk_int8" "$one" '\x08' '\x7f\x7f'
hostile validator topk_2bit_place_repeated "$topk_2bit" "$one" '\x03' '\x0f'
hostile validator topk_2bit_place_beyond "$topk_2bit" "$one" '\x08' '\x0f'
# And whole files: those that were right, cut and with a byte too many, and a header that is none.
for name in fp32 int8 topk_int8; do
  printf '%b' "${!name:0:8}\x00" "$(golden "$name")" | head -c -1 >"corpus/validator/${name}_truncated"
  hostile validator "${name}_overlong" "${!name:0:8}\x00" "$(golden "$name")" '\x00'
done
hostile validator header_of_0_bytes '\x00\x00\x00' "$(with_header '' '')"
hostile validator header_of_2_to_63_bytes '\x00\x00\x00' "$two_to_63" '{}'
hostile validator header_alone '\x00\x00\x00' "$(little_endian 2)" '{}'
