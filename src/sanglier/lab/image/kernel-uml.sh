#!/bin/sh
# Part of customize.sh, which sets root.
# The kernel of user-mode Linux: a program of the machine, with what is preloaded into it.
# Sets: terminal  where the console's shell is
terminal=tty0

# The kernel comes from one release whatever the hosts' own, never from the machine
# (docs/explanation/lab.md), and so does the compiler of what is preloaded into it (preload.c): the
# smallest that Debian has.
mkdir "$root/tmp/kernel"
printf '%s' "$SANGLIER_KERNEL_SOURCES" > "$root/tmp/kernel/sources.list"
# shellcheck disable=SC2016  # the shell in the root expands them
chroot "$root" sh -euc '
    cd /tmp/kernel
    mkdir -p lists/partial cache/archives/partial
    set -- -q -o Dir::Etc::SourceList="$PWD/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$PWD/lists" -o Dir::Cache="$PWD/cache" -o APT::Sandbox::User=root
    apt-get "$@" update
    apt-get "$@" download user-mode-linux tcc libc6-dev linux-libc-dev
'
usr="$SANGLIER_OUT/uml/usr"
mkdir -p "$SANGLIER_OUT/uml"
for package in "$root"/tmp/kernel/*.deb; do
    dpkg-deb -x "$package" "$SANGLIER_OUT/uml"
done
rm -r "$root/tmp/kernel"
mkdir -p "$root/lib/modules"
mv "$usr"/lib/uml/modules/* "$root/lib/modules/"
mv "$usr/bin/linux.uml" "$SANGLIER_OUT/linux"
cp -p "$SANGLIER_SCRIPTS/boot" "$SANGLIER_OUT/boot"
tcc="$usr/lib/x86_64-linux-gnu/tcc"
"$usr/bin/tcc" -Wall -Werror -shared -nostdlib "-B$tcc" -nostdinc "-I$tcc/include" \
    "-I$usr/include/x86_64-linux-gnu" "-I$usr/include" \
    -o "$SANGLIER_OUT/preload.so" "$SANGLIER_SCRIPTS/preload.c"
rm -rf "$SANGLIER_OUT/uml"

# Not at boot (nobody logs in on a seat), but there for those who ask for it over D-Bus.
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -sf /dev/null "$root/etc/systemd/system/multi-user.target.wants/systemd-logind.service"
