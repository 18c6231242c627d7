"""Stable codes of everything that can go wrong between the controller and its hosts."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Each code with its meaning; never reused for something else."""

    UNREACHABLE = "SG-SSH-001"
    """ssh found no way to the host (refused, timed out, no route, unknown name)."""
    HOST_KEY_UNKNOWN = "SG-SSH-002"
    """No host key of this host is known."""
    HOST_KEY_CHANGED = "SG-SSH-003"
    """The host shows another key than the known one."""
    NOT_ADMITTED = "SG-SSH-004"
    """No key was accepted: the host asks for a password."""
    NO_ROOT = "SG-SSH-005"
    """The login is not root and has no sudo without password."""
    CONNECTION_LOST = "SG-SSH-006"
    """The connection broke while a command ran."""
    TIME_LIMIT = "SG-SSH-007"
    """The far side ended the command at its time limit."""
    GARBLED = "SG-SSH-008"
    """The answer lacks the markers that frame it."""
    CLIENT = "SG-SSH-009"
    """The ssh client itself did not run (missing, bad configuration)."""

    STEP_FAILED = "SG-RUN-001"
    """A step ended with a status other than 0."""
    DISK_FULL = "SG-RUN-002"
    """A step found no space left on a device."""
    MODULE_MISSING = "SG-RUN-003"
    """A step needs a kernel module that the host does not have."""
    COMMAND_MISSING = "SG-RUN-004"
    """A step needs a command that the host does not have."""
    READ_ONLY = "SG-RUN-005"
    """A step met a filesystem that is mounted read-only."""

    DRIFT = "SG-RUN-010"
    """The hosts changed since the plan was consented to."""
    NOT_CONVERGED = "SG-RUN-011"
    """All steps ended well and yet something is left to do."""
    BLOCKED = "SG-RUN-012"
    """A problem keeps the plan from running."""
    CONSENT_MISSING = "SG-RUN-013"
    """A step needs a consent by name that was not given."""
    NOT_CONFIRMED = "SG-RUN-014"
    """The question was answered no, or could not be asked."""
    INTERRUPTED = "SG-RUN-015"
    """The user stopped the run."""
    BUSY = "SG-RUN-016"
    """Steps of an earlier run are still under way on a host."""

    NOT_IN_FORCE = "SG-RUN-017"
    """Nothing is left to do, and yet a timeout in force is not the wanted one."""
    OVER_BUDGET = "SG-RUN-018"
    """A hard inequality of the timeouts fails with the values in force."""

    LOCKED = "SG-RUN-020"
    """Another run holds the cluster."""
    LOCK_LOST = "SG-RUN-021"
    """The lock on the cluster was lost in the middle."""
    LOCK_FAILED = "SG-RUN-022"
    """No storage server could keep the lock."""

    SECRETS_EXPOSED = "SG-RUN-030"
    """The secrets file can be read by others."""
    SECRETS_MALFORMED = "SG-RUN-031"
    """The secrets file is not what it should be."""
    SECRETS_UNWRITABLE = "SG-RUN-032"
    """The secrets file could not be read or written."""
    FENCE_PASSWORD_MISSING = "SG-RUN-033"
    """A fence device has no password in the secrets file."""

    NO_SUCH_THING = "SG-RUN-050"
    """The command line names a host or a volume that the file does not have."""
    NOT_GUARDED = "SG-RUN-051"
    """The verb needs the guarded mode."""
    CHANGE_FAILED = "SG-RUN-052"
    """A planned change of the open side did not come to its end."""

    JOURNAL_UNWRITABLE = "SG-RUN-040"
    """The journal could not be written."""
    JOURNAL_ABSENT = "SG-RUN-041"
    """There is no such journal."""


HOSTS_OUT_OF_REACH = frozenset(
    {
        Code.UNREACHABLE,
        Code.HOST_KEY_UNKNOWN,
        Code.HOST_KEY_CHANGED,
        Code.NOT_ADMITTED,
        Code.NO_ROOT,
        Code.CONNECTION_LOST,
    }
)
"""Codes that say "this host cannot be worked on"; exit status 4."""
REFUSALS = frozenset(
    {
        Code.DRIFT,
        Code.BLOCKED,
        Code.CONSENT_MISSING,
        Code.NOT_CONFIRMED,
        Code.LOCKED,
    }
)
"""Codes that say "nothing (more) was done, on purpose"; exit status 3."""
