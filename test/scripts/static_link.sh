#!/bin/bash
# What src/static_link.cpp leaves out must not be needed: the standard streams would be there, but never made. And
# exceptions must be found by the table that the linker sorted. $1: the source directory; HOB_BINARY: the program.
set -euo pipefail
binary=${HOB_BINARY:?}
if readelf -lW "$binary" | grep -q INTERP; then
  echo "not linked statically: nothing to check"
  exit 0
fi
failed=0
streams=$(nm "$binary" | grep -E ' _ZSt(4cout|3cin|4cerr|4clog|5wcout|4wcin|5wcerr|5wclog)$' || true)
if [ -n "$streams" ]; then
  echo "a standard stream is used, which src/static_link.cpp leaves unmade: $streams" >&2
  failed=1
fi
if ! readelf -lW "$binary" | grep -q GNU_EH_FRAME; then
  echo "no sorted table of unwind information: the first exception takes 33 million instructions" >&2
  failed=1
fi
exit $failed
