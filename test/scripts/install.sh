#!/bin/bash
# `cmake --install` with DESTDIR: every page, completion and example arrives, and what arrives runs. $1: the source
# directory; HOB_BINARY: the program, in its build directory.
set -euo pipefail
cd "$1"
build=$(dirname "${HOB_BINARY:?}")
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
failed=0
DESTDIR=$stage cmake --install "$build" --prefix /opt/hob >"$stage/log" || { cat "$stage/log"; exit 1; }
installed=$stage/opt/hob

# same SOURCE TARGET
same() {
  cmp "$1" "$installed/$2" || failed=1
}
for page in man/*.[1-9]; do same "$page" "share/man/man${page##*.}/${page##*/}"; done
for example in $(find examples -type f ! -name .gitignore); do same "$example" "share/doc/hob/$example"; done
same completions/hob.bash share/bash-completion/completions/hob
same completions/_hob share/zsh/site-functions/_hob
same completions/hob.fish share/fish/vendor_completions.d/hob.fish
same doc/terminals.md share/doc/hob/terminals.md
same doc/workers.md share/doc/hob/workers.md
same LICENSE share/doc/hob/LICENSE
if [ -d share ]; then
  for file in share/*; do same "$file" "share/hob/${file##*/}"; done
fi
version=$("$installed/bin/hob" --version)
[ "$version" = "$("$HOB_BINARY" --version)" ] || { echo "the installed program says: $version"; failed=1; }
outside=$(cd "$stage" && find . -type f ! -path './opt/hob/*' ! -path ./log)
[ -z "$outside" ] || { echo "installed outside of the prefix: $outside"; failed=1; }
exit $failed
