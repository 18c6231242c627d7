"""The daemon behind the power switches: one virtual BMC per host, real IPMI 2.0.

Each BMC is a process of its own.  pyghmi knows a session by the client's
address and the *local port*, which is 623 for all, and works on one packet at a
time: in one process sessions of two BMCs could be taken for each other, and a
switch that waits would keep the others waiting.  The daemon itself only starts
these processes, and starts them again.
"""

from __future__ import annotations

import errno
import multiprocessing
import select
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess

from pyghmi.ipmi.bmc import Bmc
from pyghmi.ipmi.private import session as ipmi
from pyghmi.ipmi.private.serversession import ServerSession

from sanglier.lab import life, lock, power, record
from sanglier.lab.driver import Driver
from sanglier.lab.errors import LabError, refuse
from sanglier.lab.manner import Mannered
from sanglier.lab.place import Place
from sanglier.lab.power import Action, PowerEvent
from sanglier.lab.topology import LabHost

LOCK_SECONDS = 1.0
"""How long a switch waits for another verb on its host: ipmitool(1) asks again after a second."""

WATCH_SECONDS = 0.2
"""Between two looks at the BMCs' processes."""

IDLE_SECONDS = 30.0
"""Between two looks at old sessions, when nothing comes."""

SESSION_SECONDS = 60.0
"""A session is forgotten after this; pyghmi keeps those that were closed for ever."""

OK, BUSY, NOT_NOW, UNKNOWN = 0x00, 0xC0, 0xD5, 0xCC
"""Completion codes, IPMI 2.0, table 5-2."""

DIRECTIVES = {0: Action.OFF, 1: Action.ON, 2: Action.CYCLE, 3: Action.RESET}
"""Chassis Control's first byte, IPMI 2.0, 28.3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The power of one host.  What it says is true, or it raises ``LabError``."""

    place: Place
    driver: Driver
    host: LabHost

    def is_on(self) -> bool:
        """Look; a host is off only while no verb works on it, which could be booting it."""
        if self._runs():
            return True
        with self._alone():
            return self._runs()

    def obey(self, action: Action, requester: str) -> int:
        """Act, note it, and return the completion code."""
        try:
            with self._alone():
                code = self._act(action)
        except LabError:
            traceback.print_exc()
            code = BUSY
        event = PowerEvent(
            at=time.time(), host=self.host.name, action=action, requester=requester, done=code == OK
        )
        power.note(self.place.power_log, event)
        return code

    def _act(self, action: Action) -> int:
        if action in (Action.CYCLE, Action.RESET) and not self._runs():
            return NOT_NOW
        if action is not Action.ON:
            self._cut()
        if action is not Action.OFF:
            self.driver.start(self.host)
        return OK

    def _cut(self) -> None:
        """Kill the host, frozen or not, and look whether it is dead."""
        self.driver.kill(self.host)
        if self._runs():
            raise refuse(32, self.host.name, "still runs", why="its kernel survived SIGKILL")

    def _runs(self) -> bool:
        return self.driver.alive(self.host)

    def _alone(self) -> AbstractContextManager[None]:
        file = self.place.host_lock(self.host.name)
        return lock.whole(file, "power switch", patience=LOCK_SECONDS)


class VirtualBmc(Bmc):
    """What answers at a host's BMC address."""

    def __init__(self, switch: Mannered, password: str, port: int = power.PORT) -> None:
        super().__init__({power.USER: password}, port=port, address=switch.host.bmc)  # type: ignore[no-untyped-call]
        self._switch = switch
        self._answered: tuple[object, ...] = ()
        self._code = OK

    def get_chassis_status(self, session: ServerSession) -> None:
        """Say on or off; "node busy" if that cannot be told now."""
        self._switch.hesitate((bytes(session.managedsessionid), session.seqlun))
        try:
            session.send_ipmi_response(data=[int(self._switch.is_on()), 0, 0])
        except LabError:
            session.send_ipmi_response(code=BUSY)

    def control_chassis(self, request: dict[str, bytes], session: ServerSession) -> None:
        """Obey once: a client that gets no answer within a second repeats its request."""
        asked = (bytes(session.managedsessionid), session.seqlun, bytes(request["data"]))
        if asked != self._answered:
            action = DIRECTIVES.get(request["data"][0])
            requester = str((session.sockaddr or ("",))[0])
            self._code = UNKNOWN if action is None else self._switch.obey(action, requester)
            self._answered = asked
            self._switch.hesitate(asked)
        session.send_ipmi_response(code=self._code)


@dataclass(slots=True)
class Sessions:
    """Forgets old sessions, or the process would grow."""

    since: dict[ServerSession, float] = field(default_factory=dict)

    def forget_old(self, now: float) -> None:
        """Drop those that began ``SESSION_SECONDS`` before ``now``, a monotonic time."""
        there = _sessions()
        self.since = {session: self.since.get(session, now) for session in there}
        for session, client in there.items():
            if now - self.since[session] > SESSION_SECONDS:
                ipmi.Session.bmc_handlers.pop(client, None)


def _sessions() -> dict[ServerSession, object]:
    """Give the address of each session's client."""
    handlers = tuple(ipmi.Session.bmc_handlers.items())
    return {
        session: client
        for client, by_port in handlers
        for session in by_port.values()
        if isinstance(session, ServerSession)
    }


def answer(switch: Mannered, password: str, port: int = power.PORT) -> None:
    """Be one BMC, for ever; returns if its address is not there (cut)."""
    _stay_in_this_thread()
    try:
        bmc = VirtualBmc(switch, password, port)
    except OSError as error:
        if error.errno != errno.EADDRNOTAVAIL:
            raise
        return
    sessions = Sessions()
    while True:
        select.select(ipmi.iosockets, (), (), IDLE_SECONDS)
        ipmi._io_graball(ipmi.iosockets, {})
        sessions.forget_old(time.monotonic())
        _answer_packets(bmc)


def _stay_in_this_thread() -> None:
    """Keep pyghmi from reading packets in a thread of its own.

    The two sides of it change whether the socket blocks, and wait for each other's
    flags, without a lock: with two clients at once an answer came a second late, or
    not at all.  So the packets are read and answered in turn, here.
    """
    ipmi.iothread = threading.current_thread()  # type: ignore[assignment]
    ipmi.iothreadready = True


def _answer_packets(bmc: VirtualBmc) -> None:
    """Answer what has come; a packet that breaks a handler gets no answer."""
    while ipmi.sessionqueue:
        try:
            addressee = _addressee(ipmi.sessionqueue.popleft(), bmc)
            addressee.process_pktqueue()  # type: ignore[no-untyped-call]
        except Exception:
            traceback.print_exc()


def _addressee(handler: ServerSession | VirtualBmc, bmc: VirtualBmc) -> ServerSession | VirtualBmc:
    """Let the BMC itself have what a session got, if it begins another session.

    A client that missed an answer begins anew from the same port (ipmitool(1)
    does); pyghmi would take its request for one of the old session's.
    """
    begins = any(begins_session(packet[0]) for packet in handler.pktqueue)
    if isinstance(handler, VirtualBmc) or not begins:
        return handler
    ipmi.Session.bmc_handlers.pop(handler.sockaddr, None)
    bmc.pktqueue.extend(handler.pktqueue)
    handler.pktqueue.clear()
    return bmc


def begins_session(packet: bytes) -> bool:
    """Whether it is RMCP+ and outside of a session: an open request, or a plain command.

    IPMI 2.0, 13.6: byte 4 is the authentication type, byte 5 the payload type.
    """
    return packet[4:6] in (b"\x06\x10", b"\x06\x00")


FORK = multiprocessing.get_context("fork")
Start = Callable[[LabHost], BaseProcess]


def tend(children: dict[str, BaseProcess], hosts: tuple[LabHost, ...], start: Start) -> None:
    """Start the BMCs that do not run."""
    for host in hosts:
        child = children.get(host.name)
        if child is None or not child.is_alive():
            children[host.name] = start(host)


def serve(name: str) -> None:
    """Serve every BMC of a lab until its record is gone; notices when the lab grows."""
    lab = life.find(name)
    password = power.password(lab.place)
    children: dict[str, BaseProcess] = {}

    def start(host: LabHost) -> BaseProcess:
        switch = Mannered(switch=Switch(place=lab.place, driver=lab.driver, host=host))
        child = FORK.Process(target=answer, args=(switch, password), daemon=True)
        child.start()
        return child

    while (known := record.load(lab.place)) is not None:
        if known.applications != lab.record.applications:
            with suppress(LabError):
                lab = life.find(name)
        tend(children, lab.topology.hosts, start)
        time.sleep(WATCH_SECONDS)


if __name__ == "__main__":
    serve(sys.argv[1])
