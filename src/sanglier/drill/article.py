"""The article's final test, on any cluster: seen by the other, both at once, flock excludes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sanglier.core.action import Script
from sanglier.core.shell import render
from sanglier.run.transport import Transport
from sanglier.spec.cluster import ApplicationServer, Volume

TOUCH = 'mkdir -p "$1"; touch "$1/test-from-$2"'
LIST = 'ls -- "$1"'
# $1 directory, $2 writer, $3 count.  Each line is written under flock at the end that a seek then
# finds.  O_APPEND would lose lines, even under flock: OCFS2 takes the end of the file before it
# asks the other nodes for it (ocfs2_file_write_iter() in fs/ocfs2/file.c, kernel 6.1).
BOTH = r"""
perl -e '
    use strict; use Fcntl qw(:DEFAULT :flock :seek);
    my ($path, $writer, $count) = @ARGV;
    sysopen(my $file, $path, O_WRONLY | O_CREAT | O_DSYNC) or die "$path: $!\n";
    for (1 .. $count) {
        flock($file, LOCK_EX) or die "flock: $!\n";
        sysseek($file, 0, SEEK_END);
        syswrite($file, "$writer $_\n") or die "$!\n";
        flock($file, LOCK_UN);
    }
' "$1/shared-log" "$2" "$3"
"""
COUNT = 'grep -c "^$2 " "$1/shared-log"'
# $1 lock.  Holds the lock until its standard input ends.
HOLD = 'exec 8>"$1"; flock -x 8; echo held; cat >/dev/null'
TRY = 'exec 8>"$1"; if flock -n -x 8; then echo taken; else echo refused; fi'


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One sentence of the test, and whether it came true."""

    sentence: str
    holds: bool
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalTest:
    """The test between two application servers in a directory of a volume."""

    transport: Transport
    first: ApplicationServer
    second: ApplicationServer
    volume: Volume

    @property
    def directory(self) -> str:
        """Directory that the test makes and uses."""
        return f"{self.volume.mount}/.sanglier-proof"

    async def _on(self, server: ApplicationServer, text: str, *args: str) -> str:
        script = render(Script(text=text, args=args), reveal=False)
        result = await self.transport.run(server, script, limit=60)
        return result.text.strip()

    async def seen(self) -> Proof:
        """A file touched on the first is listed on the second."""
        await self._on(self.first, TOUCH, self.directory, self.first.name)
        listing = await self._on(self.second, LIST, self.directory)
        name = f"test-from-{self.first.name}"
        return Proof(
            sentence=f"a file touched on {self.first.name} is listed on {self.second.name}",
            holds=name in listing.split(),
            evidence=listing.replace("\n", " "),
        )

    async def both_write(self, count: int = 50) -> Proof:
        """Both add to one file at once, under flock, and every line of both is there."""
        await self._on(self.first, 'rm -f -- "$1/shared-log"', self.directory)
        servers = (self.first, self.second)
        await asyncio.gather(
            *(self._on(s, BOTH, self.directory, s.name, str(count)) for s in servers)
        )
        counts = [await self._on(self.first, COUNT, self.directory, s.name) for s in servers]
        return Proof(
            sentence="both add lines to one file at the same time under flock, nothing is lost",
            holds=counts == [str(count)] * 2,
            evidence=", ".join(
                f"{n} lines of {s.name}" for n, s in zip(counts, servers, strict=True)
            ),
        )

    async def lock_excludes(self) -> Proof:
        """While the first holds flock, the second is refused; afterwards it is not."""
        lock = f"{self.directory}/lock"
        script = render(Script(text=HOLD, args=(lock,)), reveal=False)
        holder = await self.transport.hold(self.first, script, limit=60)
        try:
            held = await holder.line()
            during = await self._on(self.second, TRY, lock)
        finally:
            await holder.close()
        after = await self._until_taken(lock)
        return Proof(
            sentence=f"flock on {self.first.name} keeps {self.second.name} out, until let go",
            holds=(held, during, after) == ("held", "refused", "taken"),
            evidence=f"{self.first.name} {held}; {self.second.name} {during}, then {after}",
        )

    async def _until_taken(self, lock: str) -> str:
        for _ in range(20):
            if (answer := await self._on(self.second, TRY, lock)) == "taken":
                return answer
            await asyncio.sleep(0.2)
        return "still refused"

    async def run(self) -> tuple[Proof, ...]:
        """Run all three, then clean up."""
        proofs = (await self.seen(), await self.both_write(), await self.lock_excludes())
        await self._on(self.first, 'rm -rf -- "$1"', self.directory)
        return proofs
