"""Certificates of the witness's link, as certutil(1) of NSS shows them.

Both ends keep an NSS database: the witness its authority and qnetd's certificate
(corosync-qnetd-certutil(8)), each storage server that authority, a key that never leaves it, and a
certificate for the cluster's name (corosync-qdevice-net-certutil(8)).  qnetd takes a client whose
certificate is of its authority and bears the name of the cluster that it speaks for.
"""

from __future__ import annotations

import re
from calendar import timegm
from dataclasses import dataclass

AUTHORITY, SERVER, CLIENT = "QNet CA", "QNetd Cert", "Cluster Cert"
"""Nicknames that the tools give and the daemons look for."""
WITNESS_DATABASE = "/etc/corosync/qnetd/nssdb"
STORAGE_FOLDER = "/etc/corosync/qdevice/net"
STORAGE_DATABASE = f"{STORAGE_FOLDER}/nssdb"
RENEW_BEFORE_S = 60 * 86400
"""A certificate with less time left is renewed."""
VALIDITY_S = 100 * 31_557_600
"""What the tools give: 1200 months."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NAME = re.compile(r'^ +Subject: "CN=(?P<name>[^"]*)"$', re.MULTILINE)
ENDS = re.compile(
    r"^ +Not After : \w{3} (?P<month>\w{3}) +(?P<day>\d+) (?P<time>[\d:]{8}) (?P<year>\d{4})$",
    re.MULTILINE,
)
""" "Wed Nov 27 09:57:03 2126", in UTC."""
PRINT = re.compile(r"^ +Fingerprint \(SHA-256\):\n +(?P<digest>[0-9A-F:]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What matters of a certificate."""

    name: str
    """Its common name."""
    fingerprint: str
    """SHA-256 of the whole."""
    ends: int
    """Seconds since 1970."""

    def ends_soon(self, now: int) -> bool:
        """Whether it is time to renew it, at ``now`` of its host's clock."""
        return self.ends - now < RENEW_BEFORE_S


def parse_certificate(text: str) -> Certificate | None:
    """Read what ``certutil -L -n NICKNAME`` printed; ``None`` when that is none."""
    name, ends, digest = NAME.search(text), ENDS.search(text), PRINT.search(text)
    if not (name and ends and digest) or ends["month"] not in MONTHS:
        return None
    hour, minute, second = (int(word) for word in ends["time"].split(":"))
    month = MONTHS.index(ends["month"]) + 1
    moment = (int(ends["year"]), month, int(ends["day"]), hour, minute, second)
    return Certificate(name=name["name"], fingerprint=digest["digest"], ends=timegm(moment))
