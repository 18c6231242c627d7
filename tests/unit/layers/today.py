"""Recorded answers, as from hosts with today's programs, mount units and Pacemaker configuration.

They change more often than everything can be recorded anew, and what they do is
tested elsewhere (``test_agents``, ``test_cib``).  What somebody changed by hand in a
case, that is, whatever differs from what was loaded then, stays as it was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import cache
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from sanglier.core.probe import Output
from sanglier.layers.cluster import cib
from sanglier.layers.cluster.desired import crash_file, files_of, qdevice_file
from sanglier.layers.drbd.desired import handler_file, resource_file
from sanglier.layers.files import WantedFile, parse_digest
from sanglier.layers.ocfs2.desired import mount_file
from sanglier.layers.target.desired import tree_file

from .goal import ARTICLE, FIXTURES, GOAL, VOLUME

WANTED_THEN = FIXTURES / "wanted.xml"
"""Pacemaker's configuration as it was loaded for the case ``converged``."""
OF_THE_CLUSTER = files_of(GOAL, GOAL.cluster.storage[0])


def _states(*files: WantedFile) -> Mapping[str, str]:
    return {file.path: file.state for file in files}


DROP_INS = (crash_file(), qdevice_file())
PROGRAMS = {
    "drbd": _states(handler_file(GOAL)),
    "cluster": _states(*(f for f in OF_THE_CLUSTER if f.mode == 0o755), *DROP_INS),
}
"""Layer -> path of a program, or of a drop-in for one -> its digest."""


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


@cache
def _mounts_then() -> Mapping[str, str]:
    recorded = (FIXTURES / "cases/converged/srv-a/ocfs2/files.txt").read_text()
    return _sections(recorded.partition("\n")[2])


def _with_mount_units(text: str) -> str:
    """Renew the mount units that are as they were wanted then."""
    found, then = _sections(text), _mounts_then()
    for wanted in map(mount_file, GOAL.cluster.volumes):
        mine = found.get(wanted.path)
        if mine is not None and mine.rstrip() == then[wanted.path].rstrip():
            found[wanted.path] = f"{wanted.text}\n"
    return "\n".join(f"==> {path} <==\n{body}" for path, body in found.items()) if found else text


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


RENEWED: Mapping[tuple[str, str], Callable[[str], str]] = {
    ("ocfs2", "files"): _with_mount_units,
    ("cluster", "configuration"): _with_configuration,
    ("target", "trees"): _with_trees,
}
"""Layer and the first word of an answer's name -> what renews its text."""


def of_today(layer: str, name: str, output: Output) -> Output:
    """Give an answer with what is ours in it renewed."""
    if name == "files" and layer in PROGRAMS:
        text = _with_programs(output.text, PROGRAMS[layer])
        return replace(output, text=_with_resource_file(text) if layer == "drbd" else text)
    renewed = RENEWED.get((layer, name.partition("-")[0]))
    return output if renewed is None else replace(output, text=renewed(output.text))
