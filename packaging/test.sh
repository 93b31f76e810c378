#!/bin/bash
# Installs, uses and removes what `./dev package` made, in a fresh Debian 12. Needs root, debootstrap and lintian.
# usage: packaging/test.sh PACKAGES ROOT: the directory with the packages, and one that keeps the fresh system for the
# next time, as ROOT.tar. ROOT itself is made anew and removed.
set -euo pipefail
suite=bookworm
packages=$(realpath "$1")
root=$(realpath -m "$2")
deb=$(echo "$packages"/hob_*.deb)
tarball=$(echo "$packages"/hob-*.tar.gz)

say() { printf '%s\n' "package test: $*"; }
die() { say "$*" >&2; exit 1; }

# A name space of its own for mounts and processes: at the end nothing is left mounted, and no process.
if [ "${HOB_PACKAGE_TEST:-}" != inside ]; then
  [ -f "$deb" ] && [ -f "$tarball" ] || die "there must be one .deb and one .tar.gz in $packages"
  say "lintian"
  lintian --allow-root --fail-on error,warning --display-info "$deb"
  if [ ! -f "$root.tar" ]; then
    say "debootstrap $suite"
    rm -rf "$root"
    debootstrap --variant=minbase "$suite" "$root" >"$root.log" 2>&1 || { cat "$root.log" >&2; exit 1; }
    tar -C "$root" -cf "$root.tar.new" .
    mv "$root.tar.new" "$root.tar"
  fi
  HOB_PACKAGE_TEST=inside exec unshare --mount --pid --fork --kill-child "$0" "$packages" "$root"
fi

rm -rf "$root"
mkdir -p "$root"
tar -C "$root" -xf "$root.tar"
trap 'umount "$root/proc"; rm -rf "$root"' EXIT
mount -t proc proc "$root/proc"

inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"; }

# What there is besides dpkg's own lists and logs.
files() {
  (cd "$root" && find . -xdev \( -path ./proc -o -path ./var/lib/dpkg -o -path ./var/log \) -prune -o -print | sort)
}

# use HOB: a project with a worker, a task and a service, by a user without rights.
use() {
  inside su -s /bin/bash user -c "hob=$1"'
    set -eu
    same() { [ "$1" = "$2" ] || { echo "$3: $1 instead of $2" >&2; exit 1; }; }
    mkdir ~/project
    cd ~/project
    export HOB_RUNTIME_DIR=$HOME/run HOB_STATE_DIR=$HOME/state
    "$hob" --version
    cat >hob.toml <<TOML
[worker.echo]
run = "cat"
protocol = "lines"

[task.once]
run = "echo done >result"

[service.up]
run = "sleep 1000"
TOML
    "$hob" check
    same "$("$hob" call echo hello)" "\"hello\"" "the answer of the worker"
    "$hob" run once
    same "$(cat result)" done "the result of the task"
    "$hob" start up
    "$hob" status
    "$hob" shutdown
    rm -r ~/project ~/run ~/state'
}

inside useradd --create-home user
! inside sh -c 'command -v gcc || command -v g++ || command -v cc' || die "there is a compiler in the fresh system"
before=$(files)

say "install the .deb"
cp "$deb" "$root/tmp/hob.deb"
inside dpkg -i /tmp/hob.deb
rm "$root/tmp/hob.deb"
inside dpkg --verify hob
[ -z "$(inside dpkg-query -W -f '${Depends}' hob)" ] || die "the .deb depends on something"
use /usr/bin/hob
# minbase leaves manual pages out: their list has to do.
inside dpkg -L hob | grep -qx /usr/share/man/man1/hob.1.gz || die "no manual page in the .deb"
inside test -s /usr/share/zsh/vendor-completions/_hob

say "install it again, over itself and while a daemon runs"
cp "$deb" "$root/tmp/hob.deb"
inside sh -c 'mkdir /tmp/p && cd /tmp/p && export HOB_RUNTIME_DIR=/tmp/r HOB_STATE_DIR=/tmp/s &&
  hob init && hob ping && dpkg -i /tmp/hob.deb && hob ping && hob shutdown && rm -r /tmp/p /tmp/r /tmp/s /tmp/hob.deb'

say "purge"
inside dpkg --purge hob
! inside sh -c 'command -v hob' || die "hob is still there"
[ "$(inside dpkg-query -W -f '${Status}' hob 2>/dev/null || true)" = "" ] || die "dpkg still knows hob"
diff <(printf '%s\n' "$before") <(files) || die "the purged package left files, or took some"

say "the tarball"
tar -C "$root/opt" -xzf "$tarball"
unpacked=$(echo "$root"/opt/hob-*)
use "${unpacked#"$root"}/bin/hob"
cmp "$unpacked/share/man/man1/hob.1" "$(dirname "$0")/../man/hob.1"
say "installed, used and purged"
