#!/bin/sh
# Makes /run of a mount namespace private, with all that is in it, and room for a lab's own.
# $1 folder that may be mounted on; then a command to go on with.  Run as root of a user namespace.
set -eu
old=$1
shift
mount --make-rprivate /
mount --rbind /run "$old"
mount -t tmpfs -o mode=755 tmpfs /run
for entry in "$old"/* "$old"/.[!.]*; do
    name=${entry##*/}
    case $name in netns | sanglier | sanglier-ssh) continue ;; esac
    if [ -L "$entry" ]; then cp -a "$entry" /run/
    elif [ -d "$entry" ]; then
        mkdir -p "/run/$name" # mount(8) makes one of its own
        mount --rbind "$entry" "/run/$name"
    elif [ -e "$entry" ]; then
        : > "/run/$name"
        mount --bind "$entry" "/run/$name"
    fi
done
umount -l "$old"
mkdir /run/netns
exec "$@"
