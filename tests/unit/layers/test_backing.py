"""What lies on the devices, as wipefs, cmp, sysfs and DRBD tell it."""

from __future__ import annotations

import pytest

from sanglier.core.plan import Plan
from sanglier.core.probe import Output
from sanglier.core.step import Risk
from sanglier.layers.backing.facts import BackingFacts, Device, DeviceKind
from sanglier.layers.backing.probe import parse_device

from .alter import with_device
from .goal import GOAL, STORAGE, VOLUME, allowing
from .recordings import facts_of
from .simulate import applying, destroying, may_run

GIB = 1 << 30


def device(case: str, host: str) -> Device:
    return facts_of(case).of(host, BackingFacts).devices[VOLUME.name]


def steps_on(plan: Plan, layer: str) -> list[str]:
    return [step.summary for step in plan.steps if step.address.layer == layer]


@pytest.mark.parametrize("host", STORAGE)
def test_a_blank_device_is_blank(host: str) -> None:
    assert device("blank", host) == Device(kind=DeviceKind.BLOCK, size=GIB, number="254:0")
    assert device("blank", host).blank


@pytest.mark.parametrize("host", STORAGE)
def test_a_device_that_drbd_has_attached_is_ours(host: str) -> None:
    assert device("converged", host).ours


def test_only_volumes_are_devices() -> None:
    assert set(facts_of("blank").of("disk-a", BackingFacts).devices) == {VOLUME.name}


def test_a_filesystem_is_told_with_its_label() -> None:
    assert device("device-holds-ext4", "disk-b").signatures == ("ext4 OLD",)


def test_bytes_without_a_signature_are_not_blank() -> None:
    found = device("device-holds-bytes", "disk-b")
    assert (found.signatures, found.nonzero, found.blank) == ((), True, False)


def test_a_mounted_device_is_in_use() -> None:
    assert device("device-in-use", "disk-b").users == ("dm-0 is mounted on /mnt/x",)


@pytest.mark.parametrize("host", STORAGE)
def test_after_a_destroy_the_data_is_there_and_nobodys(host: str) -> None:
    found = device("destroyed", host)
    assert found.has_drbd
    assert not found.ours


def test_a_detached_device_is_ours_by_its_file() -> None:
    found = device("drbd-detached", "disk-b")
    assert (found.ours, found.has_drbd, found.blank) == (True, True, False)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("kind absent\n", DeviceKind.ABSENT), ("kind other\n", DeviceKind.OTHER)],
)
def test_no_device_and_not_a_device_stay_apart(text: str, kind: DeviceKind) -> None:
    assert parse_device(Output(status=0, text=text)).kind is kind


@pytest.mark.parametrize("case", ["device-holds-ext4", "device-holds-bytes"])
def test_a_device_that_holds_anything_is_wiped_with_its_consent_only(case: str) -> None:
    plan = applying(GOAL, facts_of(case))
    assert plan.missing_consents == ("wipe:disk-b/mapper/disk",)
    assert not may_run(plan)
    assert may_run(applying(allowing("wipe:disk-b/mapper/disk"), facts_of(case)))
    assert not may_run(applying(allowing("wipe:disk-a/mapper/disk"), facts_of(case)))


def test_no_consent_frees_a_device_in_use() -> None:
    consents = ("wipe:disk-b/mapper/disk", "reuse:disk-b/mapper/disk")
    assert not may_run(applying(allowing(*consents), facts_of("device-in-use")))


@pytest.mark.parametrize("case", ["destroyed", "drbd-detached"])
def test_a_device_in_use_is_refused_even_when_it_is_ours(case: str) -> None:
    facts = with_device(facts_of(case), "disk-b", users=("dm-0 is mounted on /mnt/x",))
    assert "SG-DISK-003" in {problem.code for problem in applying(GOAL, facts).problems}


def test_drbd_data_that_a_destroy_kept_is_taken_over_with_consent() -> None:
    plan = applying(GOAL, facts_of("destroyed"))
    assert plan.missing_consents == ("reuse:disk-a/mapper/disk", "reuse:disk-b/mapper/disk")
    assert not any("create metadata" in summary for summary in steps_on(plan, "drbd"))


def test_with_the_consent_to_wipe_drbd_data_is_wiped_not_taken_over() -> None:
    plan = applying(
        allowing("wipe:disk-b/mapper/disk", "reuse:disk-a/mapper/disk"), facts_of("destroyed")
    )
    assert steps_on(plan, "backing") == [
        "take over the DRBD data on /dev/mapper/disk",
        "wipe /dev/mapper/disk",
    ]
    assert may_run(plan)


def test_a_used_disk_in_the_place_of_ours_is_not_ours() -> None:
    facts = with_device(facts_of("drbd-detached"), "disk-b", signatures=("ext4 OLD",))
    assert "wipe:disk-b/mapper/disk" in applying(GOAL, facts).missing_consents


def test_destroy_keeps_the_data_unless_its_wipe_is_allowed() -> None:
    assert steps_on(destroying(GOAL, facts_of("converged")), "backing") == []
    plan = destroying(allowing("wipe:disk-b/mapper/disk"), facts_of("converged"))
    (wipe,) = [step for step in plan.steps if step.address.layer == "backing"]
    assert (wipe.address.host, wipe.risk, wipe.consent) == (
        "disk-b",
        Risk.DESTRUCTIVE,
        "wipe:disk-b/mapper/disk",
    )
