"""Recorded answers, as from hosts with today's programs, mount units and Pacemaker configuration.

They change more often than everything can be recorded anew, and what they do is
tested elsewhere (``test_agents``, ``test_cib``).  What somebody changed by hand in a
case, that is, whatever differs from what was loaded then, stays as it was recorded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import cache
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from sanglier.core.probe import Output
from sanglier.layers.cluster import cib
from sanglier.layers.cluster.desired import BEFORE_PACEMAKER, files_of
from sanglier.layers.cluster.probe import DEVICE
from sanglier.layers.drbd.desired import (
    RESOURCE_OPTIONS,
    handler_file,
    handler_waits,
    resource_file,
)
from sanglier.layers.files import HEADER, WantedFile, parse_digest
from sanglier.layers.initiator.desired import UDEV_PATH, boot_file, daemon_file, login_file
from sanglier.layers.ocfs2.desired import (
    BARRIER,
    FORMER_PATHS,
    VALUES_PATH,
    again_file,
    check_file,
    cluster_file,
    heard_file,
    heard_service,
    mount_file,
    nodes_file,
    o2cb_unit,
    panic_file,
)
from sanglier.layers.packages.probe import RELEASE_KEYS
from sanglier.layers.target.desired import OWN_GROUP, STANDBY, boots_path, tree_file
from sanglier.run.recorded import load_recording

from .goal import ARTICLE, FIXTURES, GOAL, VOLUME

WANTED_THEN = FIXTURES / "wanted.xml"
"""Pacemaker's configuration as it was loaded for the case ``converged``."""
OF_THE_CLUSTER = files_of(GOAL, GOAL.cluster.storage[0])


def _programs(*files: WantedFile) -> Mapping[str, str]:
    """Programs, and the unit that runs one of them: younger than the recordings."""
    younger = (f for f in files if f.mode == 0o755 or f.path == BEFORE_PACEMAKER)
    return {file.path: file.state for file in younger}


PROGRAMS = {"drbd": _programs(handler_file(GOAL)), "cluster": _programs(*OF_THE_CLUSTER)}
"""Layer -> path of a program -> its digest."""


ACL = re.compile(r"^node iscsi/[^/]+/tpgt_1/acls/[^/]+$")
YOUNGER = (
    again_file(), nodes_file(GOAL.cluster), check_file(), cluster_file(), heard_file(),
    panic_file(), o2cb_unit(),
    *(heard_service(volume) for volume in GOAL.cluster.volumes),
)  # fmt: skip
"""Files of the filesystem's layer that are younger than the recordings."""


def _with_programs(text: str, programs: Mapping[str, str]) -> str:
    """Renew all of them on a host that has any."""
    lines = text.split("\n")
    others = [line for line in lines if line.partition("  ")[2] not in programs]
    if len(others) == len(lines):
        return text
    return "\n".join([*others, *(f"{digest}  {path}" for path, digest in programs.items())])


@cache
def _resource_files_then() -> Mapping[str, str]:
    """Digest of the resource file as it was wanted then -> the digest of today's."""
    wanted = {"cases": resource_file(GOAL, VOLUME), "article": resource_file(ARTICLE, VOLUME)}
    found = {}
    for place, file in wanted.items():
        recorded = (FIXTURES / place / "converged/disk-a/drbd/files.txt").read_text()
        then = parse_digest(Output(status=0, text=recorded))
        found[then[file.path].digest] = file.state
    return found


def _with_resource_file(text: str) -> str:
    for then, now in _resource_files_then().items():
        text = text.replace(then, now)
    return text


def _with_waiting(text: str) -> str:
    """DRBD's option of today's resource file, which was left at its default then."""
    name, value = *RESOURCE_OPTIONS, *RESOURCE_OPTIONS.values()
    return text.replace(f"{name}\tio-error; # default", f"{name}\t{value};")


def _with_waits(text: str) -> str:
    """Add the waits that are younger than the recordings to those of a handler of ours."""
    if "hold" not in text:
        return text
    told = {line.partition(" ")[0] for line in text.splitlines()}
    younger = (pair for pair in handler_waits(GOAL.cluster.timings).items() if pair[0] not in told)
    return "\n".join((text, *(f"{name} {seconds}" for name, seconds in younger)))


def _sections(text: str) -> dict[str, str]:
    """Path -> text of what ``tail -v -n +1`` printed, in its order; see layers/files.py."""
    head, *parts = f"\n{text}".split("\n==> ")
    found = (part.partition(" <==\n") for part in parts)
    return {path: body for path, _, body in found} if not head.strip() else {}


@cache
def _trees_then() -> Mapping[str, str]:
    """Digest of a server's tree as it was wanted then -> the digest of today's."""
    found = {}
    for server in GOAL.cluster.storage:
        recorded = FIXTURES / "cases/converged" / server.name / "target/trees.txt"
        then = parse_digest(Output(status=0, text=recorded.read_text()))
        for volume in GOAL.cluster.volumes:
            wanted = tree_file(GOAL, volume, server)
            found[then[wanted.path].digest] = wanted.state
    return found


def _with_trees(text: str) -> str:
    for then, now in _trees_then().items():
        text = text.replace(then, now)
    return text


def _with_own_group_shut(text: str) -> str:
    """LIO's own port group as it is made since 2026-11-26; it was left as it is born before."""
    for name, born, now in (("state", "0", STANDBY), ("type", "Implicit and Explicit", "Implicit")):
        head = f"/alua/{OWN_GROUP}/alua_access_{name} <==\n"
        text = text.replace(f"{head}{born}\n", f"{head}{now}\n")
    return text


def _with_boots(text: str) -> str:
    """Add what the target's monitor notes since 2026-11-27 of those who are logged in."""
    acls = sorted({line.split("/")[4] for line in text.splitlines() if ACL.match(line)})
    notes = (f"==> {boots_path(VOLUME, name)} <==\nknown a-boot" for name in acls)
    return "\n".join((text, *notes)) if acls else text


@cache
def _mounts_then() -> Mapping[str, str]:
    recorded = (FIXTURES / "cases/converged/srv-a/ocfs2/files.txt").read_text()
    return _sections(recorded.partition("\n")[2])


def _with_values(found: dict[str, str]) -> dict[str, str]:
    """What was written as /etc/default/o2cb before 2026-11-27, in the file of our own."""
    if not found.get(FORMER_PATHS[0], "").startswith(HEADER):
        return found
    lines = found[FORMER_PATHS[0]].splitlines(keepends=True)
    ours = "".join(x for x in lines if not x.startswith(("O2CB_ENABLED=", "O2CB_STACK=")))
    renamed = {VALUES_PATH if path == FORMER_PATHS[0] else path: b for path, b in found.items()}
    return {**renamed, VALUES_PATH: ours}


def _with_o2cb_unit(text: str) -> str:
    """The unit of our own in the place of Debian 12's, where o2cb was online by our doing."""
    online, at_boot = (f"Id=o2cb.service\nActiveState=active\nUnitFileState={state}"
                       for state in ("generated", "enabled"))  # fmt: skip
    ours = "UnitFileState=enabled" in text
    return text.replace(online, at_boot) if ours else text


def _with_mount_units(text: str) -> str:
    """Renew the mount units that are as they were wanted then, and what starts them again."""
    found, then = _with_values(_sections(text)), _mounts_then()
    for wanted in map(mount_file, GOAL.cluster.volumes):
        mine = found.get(wanted.path)
        if mine is not None and mine.rstrip() == then[wanted.path].rstrip():
            found[wanted.path] = f"{wanted.text}\n"
            for younger in YOUNGER:
                found.setdefault(younger.path, younger.text)
    return "\n".join(f"==> {path} <==\n{body}" for path, body in found.items()) if found else text


def _with_mount_options(text: str) -> str:
    """Add the option of today's mount units to what the units of then had mounted."""
    mounted_then = _line_of((FIXTURES / "cases/converged/srv-a/ocfs2/mounts.txt").read_text())
    if BARRIER in mounted_then:
        return text
    return text.replace(mounted_then, mounted_then.replace(",errors=", f",{BARRIER},errors="))


def _line_of(mounts: str) -> str:
    """Give the line of the volume's mount in /proc/mounts."""
    return next(line for line in mounts.splitlines() if line.startswith(f"{VOLUME.map_device} "))


def _with_login_file(text: str) -> str:
    """Add the drop-ins and the program, which are younger than the recordings, beside the rule."""
    for wanted in (login_file(), daemon_file(), boot_file()):
        if f"==> {UDEV_PATH} <==" in text and f"==> {wanted.path} <==" not in text:
            text = f"{text}\n\n==> {wanted.path} <==\n{wanted.text}"
    return text


def _with_release(text: str) -> str:
    """Add what is asked of os-release since: the lab's hosts had that of Debian 12's base-files."""
    lines = (FIXTURES / "os-release/debian-12").read_text().splitlines(keepends=True)
    told = [line for line in lines if line.partition("=")[0] in RELEASE_KEYS]
    return text if "VERSION_ID=" in text else "".join(told) + text


@cache
def _then() -> Mapping[str, Element]:
    """What was wanted when the case ``converged`` was recorded, by ids."""
    return dict(_objects(ET.parse(WANTED_THEN).getroot()))


def _objects(root: Element) -> Iterator[tuple[str, Element]]:
    for section in root:
        if section.tag != "nodes":
            for element in section:
                yield str(element.get("id")), element


def _untouched(identity: str, found: Mapping[str, Element]) -> bool:
    """Whether an object is there, or not there, as it was wanted then."""
    then, now = _then().get(identity), found.get(identity)
    if then is None or now is None:
        return then is now
    return cib.form(then) == cib.form(now)


def _with_configuration(text: str) -> str:
    try:
        root = ET.fromstring(text)
    except ET.ParseError:
        return text
    found = dict(_objects(root))
    today = cib.configuration(GOAL.cluster)
    renewed = {key for key in {*_then(), *dict(_objects(today))} if _untouched(key, found)}
    for section in root:
        for element in [e for e in section if str(e.get("id")) in renewed]:
            section.remove(element)
    for section in today:
        mine = root.find(section.tag)
        if mine is None:
            mine = ET.SubElement(root, section.tag)
        mine.extend(deepcopy(e) for e in section if str(e.get("id")) in renewed)
    return ET.tostring(root, encoding="unicode")


LINKS = FIXTURES / "link"
"""What the witness's link looked like, and Debian's tools said of it, in five states: ``blank``,
``plain`` (before 2026-11-27), ``short`` (disk-a's certificate ends in a month), ``tls``, ``down``
(the witness's daemon is stopped).  Recorded on 2026-11-27 from three hosts that ran Corosync, its
quorum device and corosync-qnetd and nothing else of the stack, with the addresses of a lab."""


def link_answers(
    host: str, found: Mapping[str, Output], server: Mapping[str, Output]
) -> Mapping[str, Output]:
    """Give the answers about the witness's link, which are younger than the cases.

    ``found`` are the host's older answers, ``server`` those of a storage server: they tell in
    which state the link was.
    """
    if HEADER not in server["conf"].text:
        return load_recording(LINKS / "blank", host, "cluster")
    if "qnetd" in found["units"].text:
        return load_recording(LINKS / ("tls" if _runs(found, "qnetd") else "down"), host, "cluster")
    voting = DEVICE.search(found["values"].text)
    answers = dict(load_recording(LINKS / ("tls" if voting else "down"), host, "cluster"))
    if not _runs(found, "qdevice"):
        told = answers["link"].text.partition("== device")[0]
        answers["link"] = Output(status=0, text=f"{told}== device")
    return answers


def _runs(found: Mapping[str, Output], daemon: str) -> bool:
    return f"{daemon}.service\nActiveState=active" in found["units"].text


def _with_tls(text: str) -> str:
    """The quorum device's link as it is asked for since 2026-11-27."""
    return text.replace("tls: off", "tls: required").replace(
        "tls (str) = off", "tls (str) = required"
    )


RENEWED: Mapping[tuple[str, str], Callable[[str], str]] = {
    ("packages", "sources"): _with_release,
    ("drbd", "handler"): _with_waits,
    ("drbd", "resource"): _with_waiting,
    ("ocfs2", "files"): _with_mount_units,
    ("ocfs2", "mounts"): _with_mount_options,
    ("ocfs2", "units"): _with_o2cb_unit,
    ("initiator", "files"): _with_login_file,
    ("cluster", "configuration"): _with_configuration,
    ("cluster", "conf"): _with_tls,
    ("cluster", "values"): _with_tls,
    ("target", "trees"): _with_trees,
    ("target", "export"): lambda text: _with_boots(_with_own_group_shut(text)),
}
"""Layer and the first word of an answer's name -> what renews its text."""


def of_today(layer: str, name: str, output: Output) -> Output:
    """Give an answer with what is ours in it renewed."""
    if name == "files" and layer in PROGRAMS:
        text = _with_programs(output.text, PROGRAMS[layer])
        return replace(output, text=_with_resource_file(text) if layer == "drbd" else text)
    renewed = RENEWED.get((layer, name.partition("-")[0]))
    return output if renewed is None else replace(output, text=renewed(output.text))
