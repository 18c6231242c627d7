"""Scripts come through whole, are limited on the far side, and survive noise."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.run.codes import Code
from sanglier.run.far_side import envelope
from sanglier.run.frames import Marker
from sanglier.run.local import LocalTransport
from sanglier.run.ssh import SshTransport
from sanglier.spec.cluster import Host

HOST = Host(name="disk-a", ssh="disk-a", hostname="disk-a")


class Noisy(LocalTransport):
    """A login shell that talks before, and a logout that talks after."""

    def command(self, host: Host, limit: int) -> Sequence[str]:
        noise = "echo 'Welcome!'; printf 'no newline'; echo oops >&2"
        return ("sh", "-c", f"{noise}; timeout -k 5 {limit} sh -s; echo bye")


class Broken(LocalTransport):
    """A shell that never comes up."""

    def command(self, host: Host, limit: int) -> Sequence[str]:
        return ("sh", "-c", "echo 'This account is currently not available.'; exit 1")


async def code_of(transport: LocalTransport | SshTransport, script: str, limit: int = 10) -> Code:
    with pytest.raises(SanglierError) as caught:
        await transport.run(HOST, script, limit=limit)
    assert str(caught.value).startswith("disk-a: ")
    return Code(caught.value.code)


async def test_result_holds_text_status_and_lines_come_live(transport: LocalTransport) -> None:
    seen: list[str] = []
    script = "echo one; printf two >&2; exit 5"
    result = await transport.run(HOST, script, limit=9, on_line=seen.append)
    assert (result.status, result.text) == (5, "one\ntwo")
    assert seen == ["one", "two"]


async def test_script_may_read_and_quote_anything(transport: LocalTransport) -> None:
    result = await transport.run(HOST, "cat <<'EOF'\nit's \"x\" $y `z` é\nEOF", limit=9)
    assert result.text == 'it\'s "x" $y `z` é\n'


async def test_login_noise_is_no_part_of_the_answer(tmp_path: Path) -> None:
    result = await Noisy(base=tmp_path).run(HOST, "echo answer", limit=9)
    assert result.text == "answer\n"


async def test_no_shell_is_garbled_and_says_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(SanglierError, match="currently not available") as caught:
        await Broken(base=tmp_path).run(HOST, "true", limit=9)
    assert caught.value.code == Code.GARBLED


async def test_far_side_limit_has_its_own_code(transport: LocalTransport) -> None:
    assert await code_of(transport, "echo a; sleep 30", limit=1) == Code.TIME_LIMIT


@pytest.mark.timeout(40)
async def test_daemon_that_keeps_our_output_open_does_not_keep_us(
    transport: LocalTransport,
) -> None:
    result = await transport.run(HOST, "sleep 45 & echo started", limit=30)
    assert result.text == "started\n"


async def test_script_that_is_cut_off_does_nothing(tmp_path: Path) -> None:
    """A connection that dies while the script is sent must not run half of it."""
    whole = envelope(Marker(), f"touch {tmp_path}/done\n: a second line")
    assert await _exit_of(whole[: whole.index(": a second")]) != 0
    assert not (tmp_path / "done").exists()
    assert await _exit_of(whole) == 0
    assert (tmp_path / "done").exists()


async def _exit_of(script: str) -> int:
    process = await asyncio.create_subprocess_exec("sh", "-s", stdin=-1, stdout=-3, stderr=-3)
    await process.communicate(script.encode())
    assert process.returncode is not None
    return process.returncode


async def test_missing_ssh_client_is_said(tmp_path: Path) -> None:
    transport = SshTransport(client="no-such-ssh-client")
    assert await code_of(transport, "true") == Code.CLIENT
    await transport.close()
    assert not transport.sockets.directory.exists()


def test_destination_cannot_become_an_option() -> None:
    transport = SshTransport(config=Path("/etc/my_config"))
    host = Host(name="x", ssh="-oProxyCommand=evil", hostname="x")
    argv = list(transport.command(host, 60))
    assert argv[argv.index("--") + 1] == host.ssh
    assert argv[1:3] == ["-F", "/etc/my_config"]
    assert "-oBatchMode=yes" in argv
    assert "-oStrictHostKeyChecking=yes" in argv
    transport.sockets.remove()
