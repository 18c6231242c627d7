"""Watch all through: which side is open, and whether an application server reset itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from sanglier.core.action import Script
from sanglier.core.errors import SanglierError
from sanglier.core.shell import render
from sanglier.drill.checkers.openness import OPEN, Sample
from sanglier.drill.scene import Scene
from sanglier.layers.target.desired import ROOT, state_file, tpg
from sanglier.spec.cluster import Host, StorageServer

PERIOD_S = "0.25"
LIMIT_S = 3600
AGAIN_S = 1.0
# $1 ALUA state file, $2 file that says whether the target is enabled, $3 seconds between samples,
# $4 file for the time at which this boot began, by the clock as it was when the drill did: a
# clock that is stepped meanwhile moves no sample.  Whatever port group has the LUN counts, and of
# several the open one: ours may have been removed.  clock_gettime(2) by number, CLOCK_REALTIME and
# CLOCK_BOOTTIME: perl-base has no Time::HiRes.  Every line is "s SECONDS STATE".
SAMPLER = r"""
perl -e '
    use strict; use integer; $| = 1;
    my ($path, $enable, $period, $keep) = @ARGV;
    my $call = `uname -m` =~ /x86_64/ ? 228 : 113;
    sub first { open(my $file, "<", $_[0]) or return; my $line = <$file>; chomp $line; $line }
    (my $groups = $path) =~ s{[^/]+/alua_access_state$}{*/members};
    sub state_now {
        my @found = map { s{members$}{alua_access_state}r } grep { length(first($_) // "") }
            glob($groups);
        my @states = grep { defined } map { first($_) } @found;
        (grep { /^[014]$/ } @states)[0] // $states[0] // first($path) // "absent";
    }
    sub nanoseconds {
        my $time = pack("qq", 0, 0);
        syscall($call, $_[0], $time);
        my ($whole, $rest) = unpack("qq", $time);
        $whole * 1000000000 + $rest
    }
    my $began = first($keep) // nanoseconds(0) - nanoseconds(7);
    if (open(my $file, ">", $keep)) { print $file $began; close $file }
    while (1) {
        my $state = state_now();
        $state = "disabled" if (first($enable) // 0) ne 1;
        my $at = ($began + nanoseconds(7)) / 1000;
        printf "s %d.%06d %s\n", $at / 1000000, $at % 1000000, $state or exit;
        select(undef, undef, undef, $period);
    }
' "$1" "$2" "$3" "$4"
"""
BOOT = "cat /proc/sys/kernel/random/boot_id"


@dataclass(slots=True, kw_only=True)
class Watch:
    """The watchers of one drill."""

    scene: Scene
    samples: list[Sample] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Begin to sample every storage server."""
        self._tasks = [asyncio.create_task(self._keep_on(s)) for s in self.scene.storage]

    async def stop(self) -> None:
        """End the samplers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep_on(self, server: StorageServer) -> None:
        """Sample; after a break, such as a reboot, begin again."""
        while True:
            with suppress(SanglierError, OSError, TimeoutError):
                await self._sample(server)
            await asyncio.sleep(AGAIN_S)

    async def _sample(self, server: StorageServer) -> None:
        volume = self.scene.volume
        enable = f"{ROOT}/{tpg(self.scene.goal, volume, server)}/enable"
        keep = f"/run/sanglier-drill-{self.scene.clock.epoch:.0f}"
        args = (state_file(volume), enable, PERIOD_S, keep)
        script = render(Script(text=SAMPLER, args=args), reveal=False)
        session = await self.scene.transport.hold(server, script, limit=LIMIT_S)
        try:
            while (line := await session.line()) is not None:
                self._take(server, line.split())
        finally:
            with suppress(SanglierError, OSError):
                await session.close()

    def _take(self, server: StorageServer, words: list[str]) -> None:
        if len(words) == 3 and words[0] == "s":
            at_s = self.scene.clock.of_epoch(float(words[1]))
            sample = Sample(
                host=server.name, volume=self.scene.volume.name, at_s=at_s, state=words[2]
            )
            self.samples.append(sample)
            if words[2] in OPEN:
                self.scene.opened = server.name


async def boots(scene: Scene, hosts: tuple[Host, ...]) -> dict[str, str]:
    """Read the boot identity of each host that answers within 20 s."""

    async def one(host: Host) -> tuple[str, str]:
        try:
            async with asyncio.timeout(20):
                return host.name, await scene.run(host, BOOT)
        except Exception:  # ours or its own: not known, which is another value than another boot
            return host.name, ""

    return {name: boot for name, boot in await asyncio.gather(*map(one, hosts)) if boot}
