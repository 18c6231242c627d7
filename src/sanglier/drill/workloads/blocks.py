"""Perl that writes and reads blocks of 4 KiB with O_DIRECT, for the workloads that overwrite.

A block is one record, repeated 32 times: ``IDENTITY VERSION``.  A torn block shows two of them.
"""

from __future__ import annotations

# Numbers of pread64, pwrite64, fdatasync (<asm/unistd.h>) and of O_DIRECT (<asm/fcntl.h>).
# Perl's own sysread and syswrite give no control over the alignment of memory, open(2) O_DIRECT.
BLOCKS = r"""
use POSIX ();
my $calls = {x86_64 => [17, 18, 75, 040000], aarch64 => [67, 68, 83, 0200000]};
my $machine = (POSIX::uname())[4];
my ($pread, $pwrite, $fdatasync, $o_direct) = @{$calls->{$machine} || die "no calls of $machine\n"};
my $memory = "";
$memory .= "\0" x (4096 + 65536);

# Address and offset of the aligned 64 KiB of our memory; taken anew as Perl may move a string.
sub aligned { my $at = unpack("J", pack("P", $memory)); return ($at, -$at & 4095) }

sub store {
    my ($file, $block, $text) = @_;
    my (undef, $skip) = aligned();
    substr($memory, $skip, 4096, $text);
    my ($at, $still) = aligned();
    die "memory has moved\n" if $still != $skip;
    return syscall($pwrite, fileno($file), $at + $skip, 4096, $block * 4096) == 4096;
}

# Returns once the disk has flushed.  OCFS2 flushes nothing for a write with O_DIRECT and O_DSYNC:
# ocfs2_file_write_iter() leaves that to a caller that does not do it either.
sub keep {
    my ($file, $block, $text) = @_;
    return store($file, $block, $text) && syscall($fdatasync, fileno($file)) == 0;
}

# One block, or several, at most 16; fewer at the end of the file.
sub fetch {
    my ($file, $block, $count) = @_;
    my ($at, $skip) = aligned();
    my $bytes = 4096 * ($count || 1);
    my $got = syscall($pread, fileno($file), $at + $skip, $bytes, $block * 4096);
    return $got < 0 ? undef : substr($memory, $skip, $got);
}

# The versions in a block, with commas; "?" for a record that has no business here.
sub versions {
    my ($text, $identity) = @_;
    my %seen = map { /^\Q$identity\E ([0-9]+)$/ ? ($1, 1) : ("?", 1) } records($text);
    $seen{"?"} = 1 if length $text != 4096;
    return join(",", sort keys %seen);
}

# Answer for a block of a file that could not be opened, or read, or has versions of an identity.
sub answer {
    my ($token, $file, $block, $identity) = @_;
    my $text = $file ? fetch($file, $block) : undef;
    return said("r", $token, "error", $! + 0, $!) if !defined $text;
    said("r", $token, versions($text, $identity));
}
"""
