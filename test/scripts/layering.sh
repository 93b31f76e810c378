#!/bin/bash
# Includes go one way: cmd -> lifecycle -> unit -> ipc -> util; the files directly in src/ are below all but main.cpp.
set -u
cd "$1/src" || exit 2
failed=0
declare -A level=([util]=1 [ipc]=2 [unit]=3 [lifecycle]=4 [cmd]=5)
while IFS=: read -r file _ line; do
  target=${line#*\"}; target=${target%%\"*}
  [ -e "$target" ] || { echo "$file: \"$target\" is not a path from src/"; failed=1; continue; }
  from=${file%%/*}; to=${target%%/*}
  [ "$file" = main.cpp ] && continue
  [ "$from" = "$file" ] && from_level=0 || from_level=${level[$from]}
  [ "$to" = "$target" ] && to_level=0 || to_level=${level[$to]}
  if [ "$to_level" -gt "$from_level" ]; then
    echo "$file includes \"$target\", which is above it"
    failed=1
  fi
done < <(grep -rnE --include='*.?pp' '^#include "' . | sed 's|^\./||')
exit $failed
