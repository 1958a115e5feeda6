# SPDX-License-Identifier: Apache-2.0
# What benches and tests do with figures: jq -L bench/lib 'include "figures"; ...'

# A time of the wire ("2026-11-22T10:00:00.123Z") as seconds.
def seconds: capture("^(?<whole>[^.Z]+)(\\.(?<part>[0-9]+))?Z$") | ((.whole + "Z") | fromdate) + (("0." + (.part // "0")) | tonumber);
# Of an array; null if it is empty.
def quantile($q): sort | if length == 0 then null else .[([((length * $q) | ceil) - 1, 0] | max)] end;
def round2: . * 100 | round / 100;
def round3: . * 1000 | round / 1000;
def mib: . / 1048576 * 10 | round / 10 | tostring + " MiB";
def whole_mib: "\(. / 1048576 | round) MiB";
# A duration in seconds; empty if there is none.
def seconds_text: if . == null then "" elif . < 0.2 then "\(. * 1000 | round) ms" else "\(round2) s" end;
