"""Campaigns made of invented values, for looking at reports; nothing here was measured."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

from sanglier.drill.result import (
    Campaign,
    Check,
    DrillRun,
    Moment,
    MomentKind,
    OpenSpan,
    Series,
    Stall,
    Verdict,
)

APPLICATIONS = ("srv-a", "srv-b")


def moment(at_s: float, kind: MomentKind, host: str, text: str) -> Moment:
    return Moment(at_s=at_s, kind=kind, host=host, text=text)


def series(server: str, length: int, *stalls: tuple[float, float], level: int = 390) -> Series:
    """Make throughput that wavers around ``level`` and is 0 in stalls."""
    chance = random.Random(f"{server} {length} {stalls}")
    seconds = []
    for second in range(length):
        away = max((min(b, second + 1) - max(a, second) for a, b in stalls), default=0)
        seconds.append(round((1 - max(away, 0)) * chance.uniform(0.86, 1.05) * level))
    found = tuple(Stall(server=server, from_s=a, to_s=b) for a, b in stalls)
    longest_first = tuple(sorted(found, key=lambda stall: -stall.length_s))
    return Series(server=server, per_second=tuple(seconds), stalls=longest_first)


def check(
    name: str,
    verdict: Verdict = Verdict.VALID,
    summary: str = "nothing amiss",
    subject: str = "appends",
    details: Iterable[str] = (),
    **numbers: float,
) -> Check:
    return Check(
        name=name,
        subject=subject,
        verdict=verdict,
        summary=summary,
        details=tuple(details),
        numbers=numbers,
    )


def good_checks(acknowledged: int = 38_937) -> tuple[Check, ...]:
    return (
        check(
            "lost",
            summary=f"all {acknowledged:,} acknowledged records are there, once and in order",
            details=(
                "srv-a: 19,402 acknowledged, 19,402 present",
                "srv-b: 19,535 acknowledged, 19,535 present",
            ),
            acknowledged=acknowledged,
            lost=0,
        ),
        check("stale", summary="no read went back in time", subject="registers", stale=0),
        check("both-open", summary="never both", subject="data", both_open=0),
        check("fences", summary="fenced: disk-a", subject="cluster", wrong_fences=0),
        check("fsck", summary="fsck.ocfs2 found nothing to mend", subject="data"),
    )


def kill_open_side() -> DrillRun:
    return DrillRun(
        name="kill-open-side",
        explains="Cuts the power of the storage server whose side is open, while both "
        "application servers write; the other side must open only after the kill is confirmed.",
        seed=7,
        schedule=("kill:disk-a", "wait:20", "start:disk-a"),
        started="2030-01-02T03:04:05Z",
        length_s=62.0,
        moments=(
            moment(12.0, MomentKind.FAULT, "disk-a", "power cut"),
            moment(18.3, MomentKind.FENCED, "disk-a", "confirmed by its power switch"),
            moment(20.1, MomentKind.NOTE, "disk-b", "opened its side of data"),
            moment(34.2, MomentKind.HEAL, "disk-a", "power back"),
            moment(49.7, MomentKind.NOTE, "disk-a", "resync of data ended"),
        ),
        open_spans=(
            OpenSpan(volume="data", host="disk-a", from_s=0, to_s=12.0),
            OpenSpan(volume="data", host="disk-b", from_s=20.0, to_s=62.0),
        ),
        series=(
            series("srv-a", 62, (11.9, 22.7)),
            series("srv-b", 62, (12.0, 22.4), (41.0, 42.3)),
        ),
        checks=good_checks(),
        injections=1,
        predicted_stall_s=22.0,
    )


def cut_replication() -> DrillRun:
    """One that fails: both sides were open and records were lost."""
    return replace(
        kill_open_side(),
        name="cut-replication",
        explains="Unplugs the replication link for 15 s under load; one side must freeze until "
        "the other is confirmed dead.",
        schedule=("cut:disk-a/replication", "wait:15", "heal:disk-a/replication"),
        length_s=48.0,
        moments=(
            moment(10.0, MomentKind.FAULT, "disk-a", "replication link cut"),
            moment(25.0, MomentKind.HEAL, "disk-a", "replication link plugged in"),
        ),
        open_spans=(
            OpenSpan(volume="data", host="disk-a", from_s=0, to_s=30.5),
            OpenSpan(volume="data", host="disk-b", from_s=14.0, to_s=48.0),
        ),
        series=(
            series("srv-a", 48, (10.2, 13.1)),
            series("srv-b", 48, (10.1, 36.4)),
        ),
        checks=(
            check(
                "lost",
                Verdict.INVALID,
                "2 acknowledged records of srv-b are not there",
                details=(
                    "srv-b 8812: acknowledged at 13.911 s, in no file",
                    "srv-b 8813: acknowledged at 13.914 s, in no file",
                ),
                acknowledged=18_204,
                lost=2,
            ),
            check("stale", summary="no read went back in time", subject="registers", stale=0),
            check(
                "both-open",
                Verdict.INVALID,
                "both sides were open for 16.5 s",
                subject="data",
                details=("14.0 s to 30.5 s: disk-a active, disk-b active",),
                both_open=1,
            ),
            check("fences", summary="fenced: nobody", subject="cluster", wrong_fences=0),
            check(
                "fsck",
                Verdict.UNKNOWN,
                "fsck.ocfs2 could not run: the volume is still mounted",
                subject="data",
            ),
        ),
        predicted_stall_s=17.0,
    )


def freeze_application() -> DrillRun:
    """One that could not be judged."""
    return replace(
        kill_open_side(),
        name="freeze-application",
        explains="Stops every instruction of an application server for 70 s; it must be fenced, "
        "and the other must go on.",
        seed=None,
        schedule=("freeze:srv-b",),
        length_s=140.0,
        moments=(
            moment(15.0, MomentKind.FAULT, "srv-b", "frozen"),
            moment(77.4, MomentKind.FENCED, "srv-b", "reset itself"),
        ),
        open_spans=(OpenSpan(volume="data", host="disk-a", from_s=0, to_s=140.0),),
        series=(series("srv-a", 140, (15.3, 79.1)), series("srv-b", 140, (15.0, 140.0))),
        checks=(
            check(
                "lost",
                Verdict.UNKNOWN,
                "the file could not be read: srv-b did not come back within 60 s",
                acknowledged=6_120,
            ),
            check("both-open", summary="never both", subject="data", both_open=0),
            check("fences", summary="fenced: srv-b", subject="cluster", wrong_fences=0),
        ),
        predicted_stall_s=62.0,
    )


def random_round(number: int, *, length: int = 180, hosts: int = 2) -> DrillRun:
    """Make a round of several faults, some at the same time, two volumes, ``hosts`` servers."""
    chance = random.Random(number)
    moments: list[Moment] = []
    stalls: list[tuple[float, float]] = []
    at = 8.0
    kinds = (
        ("disk-a", "replication link cut"),
        ("disk-b", "portal 10.77.2.12 cut"),
        ("disk-b", "frozen"),
        ("srv-a", "path through san-a cut"),
        ("witness", "power cut"),
    )
    while at < length - 30:
        host, text = chance.choice(kinds)
        lasts = chance.uniform(4, 24)
        moments.append(moment(at, MomentKind.FAULT, host, text))
        moments.append(moment(at + lasts, MomentKind.HEAL, host, f"{text}: healed"))
        stalls.append((at + 0.2, at + chance.uniform(1.4, 7.5)))
        at += chance.uniform(9, 26)
    moments.append(moment(61.0, MomentKind.FENCED, "disk-b", "confirmed by its power switch"))
    servers = [f"srv-{chr(ord('a') + n)}" for n in range(hosts)]
    return DrillRun(
        name=f"random-{number}",
        explains="Injects faults at random times, several at once, from a seed.",
        seed=1000 + number,
        schedule=tuple(f"{m.kind}:{m.host}" for m in moments),
        started="2030-01-02T03:24:05Z",
        length_s=float(length),
        moments=tuple(moments),
        open_spans=(
            OpenSpan(volume="data", host="disk-a", from_s=0, to_s=58.0),
            OpenSpan(volume="data", host="disk-b", from_s=62.0, to_s=float(length)),
            OpenSpan(volume="mail", host="disk-b", from_s=0, to_s=60.0),
            OpenSpan(volume="mail", host="disk-a", from_s=66.0, to_s=float(length)),
        ),
        series=tuple(series(server, length, *stalls) for server in servers),
        checks=good_checks(61_000 + number),
        injections=len(moments) // 2,
        predicted_stall_s=9.0,
    )


def campaign(*runs: DrillRun) -> Campaign:
    """Make a campaign; without runs, of one drill of each kind."""
    return Campaign(
        identity="2030-01-02T030405Z-7",
        cluster="example",
        access="guarded",
        timings="safe",
        version="0.0.0",
        machine="invented for a test: 2 processors, no kernel",
        runs=runs or (kill_open_side(), cut_replication(), freeze_application(), random_round(1)),
    )


def hundred() -> Campaign:
    """Make a hundred long rounds on four servers, with a page of evidence each."""
    evidence = tuple(f"line {n}: " + "x" * 90 for n in range(36))
    noisy = tuple(replace(one, details=evidence) for one in good_checks())
    rounds = (random_round(n, length=300, hosts=4) for n in range(1, 101))
    return campaign(*(replace(one, checks=noisy) for one in rounds))
