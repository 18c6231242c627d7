"""Watch all through: which side is open, and whether an application server reset itself."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sanglier.core.action import Script
from sanglier.core.errors import SanglierError
from sanglier.core.shell import render
from sanglier.drill.checkers.guard import told
from sanglier.drill.checkers.samples import Sample
from sanglier.drill.scene import Clock, Scene
from sanglier.layers.target.desired import ROOT, state_file, tpg
from sanglier.run.transport import Session
from sanglier.spec.cluster import Host, StorageServer, Volume

PERIOD_S = "0.25"
LIMIT_S = 3600
AGAIN_S = 1.0
ASK_S = 0.5
_BOOT = re.compile(r"b (?P<boot>[0-9a-zA-Z-]+)")
_SAMPLE = re.compile(r"s (?P<nanoseconds>[0-9]+) (?P<state>[a-z0-9]+) (?P<heard>[0-9]+)")
# $1 ALUA state file, $2 file that says whether the target is enabled, $3 seconds between samples.
# Whatever port group has the LUN counts, and of several the open one: ours may have been removed.
# clock_gettime(2) by number, CLOCK_BOOTTIME: perl-base has no Time::HiRes.  The first line is
# "b BOOT", every other one "s NANOSECONDS STATE HEARD", since boot; HEARD is the last number that
# was asked with, and each asking is answered at once.  It ends when nobody can ask any more.
SAMPLER = r"""
perl -e '
    use strict; use integer; $| = 1;
    my ($path, $enable, $period) = @ARGV;
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
        syscall($call, 7, $time);
        my ($whole, $rest) = unpack("qq", $time);
        $whole * 1000000000 + $rest
    }
    my ($heard, $words) = (0, "");
    print "b ", first("/proc/sys/kernel/random/boot_id"), "\n";
    while (1) {
        my $state = state_now();
        $state = "disabled" if (first($enable) // 0) ne 1;
        print join(" ", "s", nanoseconds(), $state, $heard), "\n" or exit;
        my $ears = "";
        vec($ears, 0, 1) = 1;
        next if select($ears, undef, undef, $period) < 1;
        sysread(STDIN, $words, 4096, length $words) or exit;
        $heard = $1 while $words =~ s/^(\d+)\n//;
    }
' "$1" "$2" "$3"
"""
BOOT = "cat /proc/sys/kernel/random/boot_id"


@dataclass(slots=True, kw_only=True)
class _Sampler:
    """One sampler under way on one storage server.  Times are the drill's."""

    server: StorageServer
    session: Session
    began_s: float
    """Before it was begun: no sample of it is older."""
    boot: str = ""
    asked_s: list[float] = field(default_factory=list)
    """When each asking was sent; the first has the number 1."""

    async def ask(self, clock: Clock) -> None:
        """Ask again and again, until cancelled or until the session is gone."""
        with suppress(SanglierError, OSError):
            while True:
                self.asked_s.append(clock.now())
                await self.session.send(f"{len(self.asked_s)}\n")
                await asyncio.sleep(ASK_S)

    def sample(self, line: str, volume: str, now_s: float) -> Sample | None:
        """Read a line that arrived just now; words that are no sample are none."""
        if match := _BOOT.fullmatch(line):
            self.boot = match["boot"]
        match = _SAMPLE.fullmatch(line)
        if match is None or not self.boot or int(match["heard"]) > len(self.asked_s):
            return None
        heard = int(match["heard"])
        return Sample(
            host=self.server.name,
            volume=volume,
            state=match["state"],
            boot=self.boot,
            since_boot_s=int(match["nanoseconds"]) / 1e9,
            from_s=self.asked_s[heard - 1] if heard else self.began_s,
            to_s=now_s,
        )


@dataclass(slots=True, kw_only=True)
class Watch:
    """The watchers of one drill."""

    scene: Scene
    samples: list[Sample] = field(default_factory=list)
    """In the order in which they reached us."""
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Begin to sample every storage server."""
        self._tasks = [asyncio.create_task(self._keep_on(v, s)) for v, s in self._sides()]

    async def stop(self) -> tuple[str, ...]:
        """End the samplers; gives why some had ended by themselves."""
        for task in self._tasks:
            task.cancel()
        ends = await asyncio.gather(*self._tasks, return_exceptions=True)
        return tuple(
            f"the watch of {volume.name} on {server.name} ended: {told(end)}"
            for (volume, server), end in zip(self._sides(), ends, strict=False)
            if isinstance(end, Exception)
        )

    async def see_all(self, since_s: float, patience_s: float) -> None:
        """Wait until every side was seen after a moment; whether it was is judged later."""
        deadline = self.scene.clock.now() + patience_s
        sides = {(volume.name, server.name) for volume, server in self._sides()}
        while sides - {(s.volume, s.host) for s in self.samples if s.from_s > since_s}:
            if self.scene.clock.now() > deadline:
                return
            await asyncio.sleep(ASK_S)

    def keep(self, folder: Path) -> None:
        """Write every sample into a folder, so that they can be judged again."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps([asdict(sample) for sample in self.samples])
        (folder / "samples.json").write_text(text + "\n", encoding="utf-8")

    def _sides(self) -> list[tuple[Volume, StorageServer]]:
        return [(v, s) for v in self.scene.volumes for s in self.scene.storage]

    async def _keep_on(self, volume: Volume, server: StorageServer) -> None:
        """Sample; after a break, such as a reboot, begin again."""
        while True:
            with suppress(SanglierError, OSError, TimeoutError):
                await self._sample(volume, server)
            await asyncio.sleep(AGAIN_S)

    async def _sample(self, volume: Volume, server: StorageServer) -> None:
        clock = self.scene.clock
        enable = f"{ROOT}/{tpg(self.scene.goal, volume, server)}/enable"
        script = render(
            Script(text=SAMPLER, args=(state_file(volume), enable, PERIOD_S)), reveal=False
        )
        began_s = clock.now()
        session = await self.scene.transport.hold(server, script, limit=LIMIT_S)
        sampler = _Sampler(server=server, session=session, began_s=began_s)
        asking = asyncio.create_task(sampler.ask(clock))
        try:
            while (line := await session.line()) is not None:
                if sample := sampler.sample(line, volume.name, clock.now()):
                    self._take(sample)
        finally:
            asking.cancel()
            with suppress(SanglierError, OSError):
                await session.close()

    def _take(self, sample: Sample) -> None:
        self.samples.append(sample)
        if sample.open:
            self.scene.opened[sample.volume] = sample.host


async def boots(scene: Scene, hosts: tuple[Host, ...]) -> dict[str, str]:
    """Read the boot identity of each host that answers within 20 s."""

    async def one(host: Host) -> tuple[str, str]:
        try:
            async with asyncio.timeout(20):
                return host.name, await scene.run(host, BOOT)
        except Exception:  # ours or its own: not known, which is another value than another boot
            return host.name, ""

    return {name: boot for name, boot in await asyncio.gather(*map(one, hosts)) if boot}
