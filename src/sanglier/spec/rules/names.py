"""Rules about names: each tool underneath has its own idea of a good one."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.spec import patterns
from sanglier.spec.draft import Draft
from sanglier.spec.mistake import Found, show
from sanglier.spec.rules.base import rule

_DRBD_WORDS = """
    address after all ask common connection device disk fencing floating global handlers
    host hosts include inside ipv4 ipv6 minor net no on options outside path port protocol
    proxy rate resource sci sdp size skip ssocks startup syncer timeout via volume yes
"""

DRBD_WORDS = frozenset(_DRBD_WORDS.split())
"""Words at which drbdadm 9.22 (8.4 or 9 parser) stops when they are a resource or host
name, tried one by one; and ``all``, which drbdadm takes for every resource."""

MAX_IQN_PREFIX = 120
MAX_HOSTNAME = 64
MAX_SECRETS_PATH = 255


@rule("SG-SPEC-020")
def cluster_name(draft: Draft) -> Iterator[Found]:
    """The cluster name is one that o2cb takes

    o2cb allows up to 16 letters and digits and nothing else (ocfs2.cluster.conf(5)).
    Sanglier wants lower case and a letter first, because the name becomes part of the
    iSCSI names. The name is written into every filesystem, so choose it for good.
    """
    if draft.cluster and not patterns.matches(patterns.CLUSTER, draft.cluster.value):
        what = f"not a cluster name: {show(draft.cluster.value)}"
        yield Found(draft.cluster.path, what, "write 1 to 16 of a-z and 0-9, a letter first")


@rule("SG-SPEC-021")
def iqn_prefix(draft: Draft) -> Iterator[Found]:
    """The iSCSI name prefix is a valid IQN

    RFC 7143 section 4.2.7: `iqn.`, four digits of a year, `-`, two digits of a month, `.`, and
    a domain name backwards, which was yours in that month. Lower case only; at most
    120 characters, because the whole name may have 223. A doubled letter (`iiqn`) or a
    typographic dash pasted from a web page ends up here too.
    """
    iqn = draft.iqn
    if iqn is None:
        return
    if len(iqn.value) > MAX_IQN_PREFIX or not patterns.matches(patterns.IQN, iqn.value):
        what = f"not the first part of an IQN: {show(iqn.value)}"
        fix = "write iqn.YEAR-MONTH.DOMAIN with the domain backwards: iqn.2009-02.fr.guiguiabloc"
        yield Found(iqn.path, what, fix)


@rule("SG-SPEC-022")
def host_name(draft: Draft) -> Iterator[Found]:
    """A server name is a lower-case host name

    A label of RFC 1123: letters, digits and inner dashes, at most 63 characters. It names the
    server everywhere in Sanglier and becomes part of its iSCSI name.
    """
    for host in draft.servers:
        name = host.name.value
        if name == "localhost" or not patterns.matches(patterns.HOST, name):
            what = f"not a server name: {show(name)}"
            fix = "write a-z, 0-9 and inner dashes, at most 63 characters, such as disk-a"
            yield Found(host.name.path, what, fix, key=True)


@rule("SG-SPEC-023")
def kernel_hostname(draft: Draft) -> Iterator[Found]:
    """A hostname is what the server's kernel can bear

    It is compared with `uname -n` by drbdadm(8), and with gethostname(2) by o2cb(8): at most
    64 characters, labels of letters, digits and inner dashes, with dots between them.
    """
    hosts = (*draft.servers, *((draft.witness,) if draft.witness else ()))
    for hostname in (host.hostname for host in hosts):
        if not hostname.written:
            continue
        good = patterns.matches(patterns.HOSTNAME, hostname.value)
        if not good or len(hostname.value) > MAX_HOSTNAME or hostname.value == "localhost":
            what = f"not a hostname: {show(hostname.value)}"
            yield Found(hostname.path, what, "write what `uname -n` prints on that server")


@rule("SG-SPEC-024")
def volume_name(draft: Draft) -> Iterator[Found]:
    """A volume name is short and plain

    It names the DRBD resource, the LIO backstore, the multipath map and the target, and
    LIO and device mapper differ in what else they would take. 16 lower-case letters, digits and
    dashes, a letter first, are good everywhere.
    """
    for volume in draft.volumes or ():
        if not patterns.matches(patterns.VOLUME, volume.name.value):
            what = f"not a volume name: {show(volume.name.value)}"
            fix = "write 1 to 16 of a-z, 0-9 and dashes, a letter first"
            yield Found(volume.name.path, what, fix, key=True)


@rule("SG-SPEC-025")
def reserved_name(draft: Draft) -> Iterator[Found]:
    """A name is not a word of drbd.conf

    drbdadm(8) reads `resource disk` and `on disk` as a syntax error, and takes `all` for every
    resource. Its words are refused as names of volumes and hostnames of storage servers.
    """
    for volume in draft.volumes or ():
        if volume.name.value in DRBD_WORDS:
            what = f"{show(volume.name.value)} is a word of DRBD's configuration"
            yield Found(volume.name.path, what, "choose another name for the volume", key=True)
    for server in draft.storage or ():
        if server.hostname.value in DRBD_WORDS:
            what = f"{show(server.hostname.value)} is a word of DRBD's configuration"
            fix = "give the server another hostname"
            yield Found(server.hostname.path, what, fix)


@rule("SG-SPEC-026")
def ssh_destination(draft: Draft) -> Iterator[Found]:
    """An ssh destination cannot be taken for an option or a command

    ssh(1) takes an alias, user@host or ssh://user@host:port. A leading dash would make it
    an option, and host:port without ssh:// would be taken for a name. Characters that a shell
    reads are refused, because ssh puts host and user into the ProxyCommand and `Match exec` of
    your ssh_config. For anything unusual, write a `Host` entry in ssh_config and give its
    alias here.
    """
    hosts = (*draft.servers, *((draft.witness,) if draft.witness else ()))
    for ssh in (host.ssh for host in hosts):
        if ssh and not patterns.matches(patterns.SSH, ssh.value):
            what = f"not an ssh destination: {show(ssh.value)}"
            fix = "write an alias of ssh_config, user@host, or ssh://user@host:port"
            yield Found(ssh.path, what, fix)


@rule("SG-SPEC-027")
def secrets_path(draft: Draft) -> Iterator[Found]:
    """The path of the secrets file is printable

    A path on this machine, relative to the cluster file, of at most 255 characters, without
    control characters and without a leading dash.
    """
    if draft.secrets is None:
        return
    path = draft.secrets.value
    if not path.isprintable() or not 0 < len(path) <= MAX_SECRETS_PATH or path.startswith("-"):
        what = f"not a path: {show(path)}"
        yield Found(draft.secrets.path, what, "write a path such as lab.secrets")


RULES = (
    cluster_name,
    iqn_prefix,
    host_name,
    kernel_hostname,
    volume_name,
    reserved_name,
    ssh_destination,
    secrets_path,
)
