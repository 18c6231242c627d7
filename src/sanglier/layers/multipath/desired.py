"""multipath.conf(5): only LIO disks, one map per WWID, groups by ALUA priority, queue for ever."""

from __future__ import annotations

from sanglier.layers.base import Goal
from sanglier.layers.files import HEADER, WantedFile
from sanglier.spec.cluster import ApplicationServer, Timings, Volume

PATH = "/etc/multipath.conf"
DAEMON = "multipathd.service"


def _defaults(timings: Timings) -> str:
    return f"""defaults {{
    user_friendly_names no
    find_multipaths greedy
    polling_interval {timings.polling_s}
    max_polling_interval {timings.polling_s}
    checker_timeout {timings.checker_timeout_s}
}}
"""


ONLY_LIO = """blacklist {
    device {
        vendor ".*"
        product ".*"
    }
}
blacklist_exceptions {
    device {
        vendor "LIO-ORG"
        product ".*"
    }
}
"""


def _device(timings: Timings) -> str:
    """How LIO's paths are grouped and tried.

    ``tur``: a standby side answers it and shows as ghost; ``directio`` would call it failed.
    """
    return f"""devices {{
    device {{
        vendor "LIO-ORG"
        product ".*"
        hardware_handler "1 alua"
        prio "alua"
        prio_args "exclusive_pref_bit"
        detect_prio no
        path_grouping_policy "group_by_prio"
        path_selector "service-time 0"
        failback immediate
        detect_checker no
        path_checker "tur"
        fast_io_fail_tmo {timings.recovery_s}
        no_path_retry queue
        flush_on_last_del yes
    }}
}}
"""


def settings(timings: Timings) -> dict[str, str]:
    """What multipathd must run with for LIO's disks, by its keywords, as it tells it."""
    return {
        "polling_interval": str(timings.polling_s),
        "max_polling_interval": str(timings.polling_s),
        "checker_timeout": str(timings.checker_timeout_s),
        "fast_io_fail_tmo": str(timings.recovery_s),
        "no_path_retry": "queue",
        "path_checker": "tur",
        "path_grouping_policy": "group_by_prio",
        "prio": "alua",
        "failback": "immediate",
    }


QUEUES = "on"
"""``queueing`` of a map that waits for a path for ever, multipathd(8) ``show maps json``."""


def _alias(volume: Volume) -> str:
    return f"""    multipath {{
        wwid "{volume.wwid}"
        alias "{volume.alias}"
    }}
"""


def conf_file(goal: Goal) -> WantedFile:
    """Build multipath.conf; one keyword per line, closing braces alone (the parser insists)."""
    aliases = "".join(_alias(volume) for volume in goal.cluster.volumes)
    timings = goal.cluster.timings
    content = (
        HEADER + _defaults(timings) + ONLY_LIO + _device(timings) + f"multipaths {{\n{aliases}}}\n"
    )
    return WantedFile(path=PATH, content=content)


def paths_wanted(goal: Goal, volume: Volume, app: ApplicationServer) -> int:
    """Number of paths of a volume's map: one per portal of each server that it logs in to."""
    servers = goal.cluster.target_servers(app)
    return sum(len(s.san) for s in servers if s.name in volume.devices)
