"""``sanglier lab``: a whole cluster of real kernels on this machine."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from sanglier.lab import console as terminal
from sanglier.lab import control, life, rootless
from sanglier.lab.backend import DEFAULT
from sanglier.lab.choice import BACKENDS, choose
from sanglier.lab.control import HostStatus, Lab
from sanglier.lab.manner import Manner
from sanglier.lab.recipe import RELEASE, Kind
from sanglier.lab.record import Wish, parse_release, parse_size

app = typer.Typer(help="Run a whole cluster of real kernels on this machine.", no_args_is_help=True)

Name = Annotated[str, typer.Option("--name", help="Which lab; several do not meet.")]
Host = Annotated[str, typer.Argument(help="Host, such as disk-a, srv-a or witness.")]
Network = Annotated[
    str, typer.Argument(help="management, replication, san-a, san-b, or bmc: its power switch.")
]
Driver = typer.Option("--driver", help=f"What runs the hosts: {', '.join(BACKENDS)} ({DEFAULT}).")
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@contextmanager
def _interruptible(name: str) -> Iterator[None]:
    """Say after ^C what is left and how to go on; ends with status 130."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        print(
            f"\n{name}: interrupted half way; `lab up` goes on, `lab down` removes what is there",
            file=sys.stderr,
        )
        raise typer.Exit(130) from stopped


def _say(subject: str, what: str) -> None:
    print(f"{subject:<12} {what}", file=sys.stderr, flush=True)


@app.command()
def up(
    name: Name = "lab",
    applications: Annotated[
        int | None, typer.Option(help="Number of application servers (2); may grow later.")
    ] = None,
    bare: Annotated[bool, typer.Option(help="Hosts without the stack, and a mirror.")] = False,
    data_size: Annotated[
        str | None, typer.Option(help="Size of each data disk, /dev/ubdb (1G).")
    ] = None,
    disks: Annotated[
        int | None, typer.Option(min=1, max=2, help="Data disks of each storage server (1).")
    ] = None,
    volatile: Annotated[
        bool, typer.Option(help="Data disks lose what was not flushed with their host's power.")
    ] = False,
    release: Annotated[
        str | None, typer.Option(help=f"Debian's release on the hosts, 12 or 13 ({RELEASE}).")
    ] = None,
    driver: Annotated[str | None, Driver] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Boot this host only; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Boot the lab, or mend one that is partly down."""
    wish = Wish(
        applications=applications,
        kind=Kind.BARE if bare else None,
        disk_bytes=parse_size(data_size) if data_size else None,
        disks=disks,
        volatile=volatile or None,
        release=parse_release(release) if release else None,
        driver=choose(driver).name if driver else None,
        only=tuple(only) if only else None,
    )
    with _interruptible(name):
        lab = life.up(name, wish, _say)
    if as_json:
        print(json.dumps(describe(lab)))


@app.command()
def down(name: Name = "lab") -> None:
    """Remove the lab: processes, namespace, disks, keys."""
    with _interruptible(name):
        life.down(name, _say)
    rootless.end_if_idle()


@app.command()
def status(name: Name = "lab", as_json: Json = False) -> None:
    """Show every host: state, addresses, cut links, memory."""
    answer = describe(life.find(name))
    print(json.dumps(answer) if as_json else render(answer))


@app.command()
def ssh(host: Host, name: Name = "lab") -> None:
    """Log in to a host as root."""
    _replace_by_ssh(name, host, ())


@app.command()
def console(
    host: Host,
    log: Annotated[bool, typer.Option(help="Print what it has shown so far, and end.")] = False,
    name: Name = "lab",
) -> None:
    """Sit at a host's console: a root shell that needs no network.  Leave with Ctrl-]."""
    lab = life.find(name)
    lab.topology.host(host)
    if log or not sys.stdin.isatty():
        sys.stdout.write(lab.place.console(host).read_text(errors="replace"))
        return
    lab.must_answer(host)
    print(f"console of {host}; leave with Ctrl-]", file=sys.stderr)
    terminal.attend(lab.place.console(host), lab.place.keyboard(host))


@app.command("exec", context_settings={"ignore_unknown_options": True})
def execute(
    host: Host,
    command: Annotated[list[str], typer.Argument(help="After --: the command and its words.")],
    name: Name = "lab",
) -> None:
    """Run a command on a host as root; its status and streams are passed through."""
    _replace_by_ssh(name, host, tuple(command))


def _replace_by_ssh(name: str, host: str, command: tuple[str, ...]) -> None:
    lab = life.find(name)
    lab.must_answer(host)
    argv = lab.ssh_argv(host, command)
    os.execvp(argv[0], argv)


@app.command()
def start(host: Host, name: Name = "lab") -> None:
    """Boot a host again, its disks kept."""
    life.find(name).start(host, _say)


@app.command()
def stop(host: Host, name: Name = "lab") -> None:
    """Power a host off cleanly."""
    life.find(name).stop(host)


@app.command()
def kill(host: Host, name: Name = "lab") -> None:
    """Cut a host's power."""
    life.find(name).kill(host)


@app.command()
def freeze(host: Host, name: Name = "lab") -> None:
    """Stop a host in its tracks, without it noticing."""
    life.find(name).freeze(host)


@app.command()
def thaw(host: Host, name: Name = "lab") -> None:
    """Let a frozen host go on."""
    life.find(name).thaw(host)


@app.command()
def pause(host: Host, name: Name = "lab") -> None:
    """Stop a virtual host and its clock: it notices nothing.  Not in user-mode Linux."""
    life.find(name).pause(host)


@app.command()
def resume(host: Host, name: Name = "lab") -> None:
    """Let a paused host go on."""
    life.find(name).resume(host)


@app.command()
def cut(host: Host, network: Network, name: Name = "lab") -> None:
    """Unplug a host from a network, or its power switch."""
    lab = life.find(name)
    if network == control.BMC:
        lab.cut_bmc(host)
    else:
        lab.cut(host, network)


@app.command()
def heal(host: Host, network: Network, name: Name = "lab") -> None:
    """Plug a host into a network again, or its power switch."""
    lab = life.find(name)
    if network == control.BMC:
        lab.heal_bmc(host)
    else:
        lab.heal(host, network)


@app.command()
def bmc(
    host: Host,
    manner: Annotated[Manner, typer.Argument(help="honest, slow, late or lies.")],
    name: Name = "lab",
) -> None:
    """Have a host's power switch be honest, slow, late, or lie."""
    life.find(name).behave(host, manner)


def describe(lab: Lab) -> dict[str, Any]:
    """Build the answer of ``lab status --json``."""
    return {
        "lab": lab.place.name,
        "image": lab.record.image,
        "driver": lab.record.driver,
        "ssh_config": lab.ssh_config,
        "secrets": str(lab.secrets),
        "power_log": str(lab.power_log),
        "namespace": lab.place.namespace,
        "hosts": [_describe_host(host) for host in lab.status()],
    }


def _describe_host(seen: HostStatus) -> dict[str, Any]:
    return {
        "name": seen.host.name,
        "role": seen.host.role.value,
        "state": seen.sighting.state.value,
        "pid": seen.sighting.pid,
        "memory_mib": seen.host.memory_mib,
        "resident_mib": seen.sighting.resident_bytes >> 20,
        "addresses": {i.network: i.address for i in seen.host.interfaces},
        "bmc": seen.host.bmc,
        "manner": seen.manner.value,
        "cut": list(seen.cut),
    }


def render(answer: dict[str, Any]) -> str:
    """Render the answer of ``lab status`` for people."""
    lines = [f"lab {answer['lab']}   image {answer['image']}   ssh -F {answer['ssh_config']} HOST"]
    for host in answer["hosts"]:
        cut = f"   CUT: {', '.join(host['cut'])}" if host["cut"] else ""
        manner = "" if host["manner"] == Manner.HONEST else f" ({host['manner']})"
        pid = host["pid"] or "-"
        memory = f"{host['resident_mib']}/{host['memory_mib']} MiB"
        lines.append(
            f"  {host['name']:<8} {host['state']:<8} {pid!s:>7}  {memory:>12}"
            f"  {' '.join(host['addresses'].values())}  bmc {host['bmc']}{manner}{cut}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    from sanglier.cli.main import main

    main(["lab", *sys.argv[1:]])
