"""The workload of fsync'd appends: each record has an identity, each is acknowledged once.

The writer is Perl, which every Debian has (perl-base is Essential).  A record is written by one
write(2) on a file opened with O_DSYNC and O_APPEND, open(2), and acknowledged on standard
output only after that write returned; the acknowledgement travels over ssh to us at once.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field

from sanglier.core.action import Script
from sanglier.core.shell import render
from sanglier.drill.history import Ack, History
from sanglier.run.transport import Session, Transport
from sanglier.spec.cluster import ApplicationServer

RECORD_BYTES = 64
LIMIT_S = 900

# $1 file, $2 writer.  Any word (or the end) of standard input stops the writer; so does SIGPIPE.
WRITER = r"""
perl -e '
    use strict; use Fcntl; $| = 1;
    my ($path, $writer) = @ARGV;
    sysopen(my $file, $path, O_WRONLY | O_CREAT | O_APPEND | O_DSYNC) or die "$path: $!\n";
    my $ears = ""; vec($ears, fileno(STDIN), 1) = 1;
    for (my $number = 1; ; $number++) {
        my $line = sprintf("%s %d ", $writer, $number);
        $line .= "." x (63 - length $line) . "\n";
        my $done = syswrite($file, $line);
        if (!defined $done) { print "error $number $!\n"; exit 1 }
        if ($done != 64) { print "error $number short write of $done\n"; exit 1 }
        print "ack $number\n";
        my $ready = $ears;
        if (select($ready, undef, undef, 0)) { last }
    }
    print "stopped\n";
' "$1" "$2"
"""
# $1 file.  Caches are dropped first, so that it is the disks that answer, not this server's memory.
READ = 'sync; echo 3 > /proc/sys/vm/drop_caches; cat -- "$1"'


@dataclass(slots=True)
class Writer:
    """One writer under way."""

    server: ApplicationServer
    session: Session
    acks: list[Ack] = field(default_factory=list)
    end: str = ""
    _listener: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Begin to record acknowledgements."""
        self._listener = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while (line := await self.session.line()) is not None:
            word, _, rest = line.partition(" ")
            if word == "ack" and rest.isdigit():
                self.acks.append(Ack(number=int(rest), at_s=time.monotonic()))
            elif word == "error":
                self.end = rest

    async def stop(self, patience_s: float) -> History:
        """Ask it to stop, and wait at most ``patience_s`` for its last words."""
        with suppress(OSError):
            await self.session.send("stop\n")
        if self._listener:
            done, _ = await asyncio.wait({self._listener}, timeout=patience_s)
            if not done:
                self._listener.cancel()
                self.end = self.end or "it never stopped"
        await self.session.close()
        return History(writer=self.server.name, acks=tuple(self.acks), end=self.end)


async def start(transport: Transport, server: ApplicationServer, path: str) -> Writer:
    """Start the writer of ``server`` on ``path``."""
    script = render(Script(text=WRITER, args=(path, server.name)), reveal=False)
    writer = Writer(server=server, session=await transport.hold(server, script, limit=LIMIT_S))
    writer.listen()
    return writer


async def read(transport: Transport, server: ApplicationServer, path: str) -> str:
    """Read a file as ``server`` sees it, caches dropped."""
    script = render(Script(text=READ, args=(path,)), reveal=False)
    result = await transport.run(server, script, limit=120)
    return result.text
