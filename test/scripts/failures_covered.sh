#!/bin/bash
# Every scenario that this version promises to survive has a test that carries its id in its name.
set -u
cd "$1/test" || exit 2
ids="L01 L02 L03 L04 L05 L06 L07 L09 L12 L13 L14 L15 L17 L18 L19 L20 L22 L23 L24 L25 L26 L27 L28 L29 L30 L32 L33
W01 W02 W03 W04 W05 W06 W07 W08 W09 W10 W11 D01 D02 D03 D04 D05 D06 D08 D10 U11 U12 U13 C01 C02 C03 C04 C05 C06 C07
S01 S02 S03"
failed=0
for id in $ids; do
  if ! grep -rqE "BOOST_(AUTO|FIXTURE)_TEST_CASE\(${id}_|^# ${id}:|\"${id}_" unit e2e scripts; then
    echo "no test is named after ${id}"
    failed=1
  fi
done
exit $failed
