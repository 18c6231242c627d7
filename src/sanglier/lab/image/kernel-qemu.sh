#!/bin/sh
# Part of customize.sh, which sets root.
# The stock kernel of the hosts' release, and the initrd that finds the root disk.  Both are given to
# QEMU, so there is no boot loader.
# Sets: terminal  where the console's shell is
terminal=ttyS0

# INITRD=No: the one that the package would make looks for everything, and takes minutes to make
# and seconds to boot where the processor is emulated.
INITRD=No chroot "$root" apt-get -q -y --no-install-recommends install linux-image-amd64
version=$(basename "$root"/lib/modules/*)
printf 'MODULES=list\nFRAMEBUFFER=n\nCOMPRESS=gzip\n' > "$root/etc/initramfs-tools/conf.d/lab"
# What the root disk, the identity and the cards are reached by: init names the cards before udev runs.
printf '%s\n' virtio_pci virtio_blk ext4 virtio_net qemu_fw_cfg >> "$root/etc/initramfs-tools/modules"
chroot "$root" mkinitramfs -o /boot/initrd "$version"
# As it is: Debian 13's begins with an archive of the modules, which are packed already, not with gzip.
mv "$root/boot/initrd" "$SANGLIER_OUT/initrd"
cp "$root/boot/vmlinuz-$version" "$SANGLIER_OUT/linux"

# A disk's name in the lab is its serial number: /dev/ubdb and so on, as in every back end.
install -D -m 0644 "$SANGLIER_SCRIPTS/disks.rules" "$root/etc/udev/rules.d/60-sanglier-lab.rules"
