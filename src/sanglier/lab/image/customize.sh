#!/bin/sh
# mmdebstrap customize hook: makes the root given as $1 a host of the lab.
# Reads: SANGLIER_STACK  packages of the stack (to install, or only to download)
#        SANGLIER_KIND   full | bare
#        SANGLIER_SCRIPTS directory of this file, SANGLIER_OUT where kernel and mirror go
#        SANGLIER_KERNEL name of the script that brings the kernel, kernel-uml.sh or kernel-qemu.sh
#        SANGLIER_KERNEL_SOURCES apt's lines of the release that the kernel is of
#        SANGLIER_SERVICES units that packages start and that `apply` is to enable
set -eu
root=$1

# The kernel that the hosts boot with, and what it needs: one script for each back end.
# shellcheck source=/dev/null  # kernel-uml.sh or kernel-qemu.sh
. "$SANGLIER_SCRIPTS/$SANGLIER_KERNEL"

# What a bare host lacks of the stack goes into the mirror.
if [ "$SANGLIER_KIND" = bare ]; then
    rm -f "$root"/var/cache/apt/archives/*.deb
    # shellcheck disable=SC2086  # a list of package names
    chroot "$root" apt-get -q -y --no-install-recommends --download-only install $SANGLIER_STACK
    mkdir -p "$SANGLIER_OUT/mirror"
    mv "$root"/var/cache/apt/archives/*.deb "$SANGLIER_OUT/mirror/"
fi

# Users: root, admin (sudo without password), nosudo.  Keys come with the identity of each host.
for user in admin nosudo; do
    chroot "$root" useradd --create-home --shell /bin/bash "$user"
done
echo 'admin ALL=(ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/admin"
chmod 0440 "$root/etc/sudoers.d/admin"

install -D -m 0755 "$SANGLIER_SCRIPTS/init" "$root/usr/lib/sanglier-lab/init"
install -D -m 0755 "$SANGLIER_SCRIPTS/kernel-check" "$root/usr/lib/sanglier-lab/kernel-check"
rm -f "$root"/etc/ssh/ssh_host_*_key*
echo 'HostKey /etc/ssh/ssh_host_ed25519_key' > "$root/etc/ssh/sshd_config.d/lab.conf"
printf 'LANG=C.UTF-8\n' > "$root/etc/default/locale"
: > "$root/etc/resolv.conf"
: > "$root/etc/fstab"
mkdir -p "$root/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=32M\n' > "$root/etc/systemd/journald.conf.d/lab.conf"
mkdir -p "$root/etc/systemd/system.conf.d"
# No host needs a new initramfs: packages that ask for one would wait half a minute.
echo 'update_initramfs=no' > "$root/etc/initramfs-tools/update-initramfs.conf"
printf '[Manager]\nDefaultTimeoutStopSec=15s\n' > "$root/etc/systemd/system.conf.d/lab.conf"
sed "s|/dev/TERMINAL|/dev/$terminal|" "$SANGLIER_SCRIPTS/console-shell.service" \
    > "$root/etc/systemd/system/console-shell.service"
install -D -m 0644 "$SANGLIER_SCRIPTS/udev-trigger.conf" \
    "$root/etc/systemd/system/systemd-udev-trigger.service.d/lab.conf"
install -D -m 0644 "$SANGLIER_SCRIPTS/ssh.conf" "$root/etc/systemd/system/ssh.service.d/lab.conf"
chroot "$root" systemctl enable --quiet console-shell.service

# Ctrl-Alt-Del of the virtual console is how `lab stop` asks a user-mode kernel for a clean power-off.
ln -sf /lib/systemd/system/poweroff.target "$root/etc/systemd/system/ctrl-alt-del.target"
ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"

# Costs boot time and is of no use here.
for unit in $(cat "$SANGLIER_SCRIPTS/masked-units"); do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
for generator in $(cat "$SANGLIER_SCRIPTS/masked-generators"); do
    mkdir -p "$root/etc/systemd/system-generators"
    ln -sf /dev/null "$root/etc/systemd/system-generators/$generator"
done
mkdir -p "$root/etc/tmpfiles.d"
ln -sf /dev/null "$root/etc/tmpfiles.d/systemd-nologin.conf"

for service in $SANGLIER_SERVICES; do
    chroot "$root" systemctl disable --quiet "$service" 2>/dev/null || :
done

rm -f "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
if [ "$SANGLIER_KIND" = bare ]; then
    echo "deb [trusted=yes] $SANGLIER_MIRROR ./" > "$root/etc/apt/sources.list"
fi
printf 'APT::Install-Recommends "false";\nAcquire::Languages "none";\nAcquire::Retries "0";\n' \
    > "$root/etc/apt/apt.conf.d/90lab"
