"""What the operating system says of this process, on platforms that say it."""

from __future__ import annotations

import os
import sys


def cpu_times() -> dict[str, float]:
    """Seconds of CPU: sys, user, of children, and of the main thread, in INFO's order."""
    try:
        import resource
    except ImportError:  # Windows
        times = os.times()
        return {
            "sys": times.system, "user": times.user, "sys_children": times.children_system,
            "user_children": times.children_user, "sys_main_thread": times.system, "user_main_thread": times.user,
        }  # fmt: skip
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    main = resource.getrusage(resource.RUSAGE_THREAD) if hasattr(resource, "RUSAGE_THREAD") else own
    return {
        "sys": own.ru_stime, "user": own.ru_utime, "sys_children": children.ru_stime,
        "user_children": children.ru_utime, "sys_main_thread": main.ru_stime, "user_main_thread": main.ru_utime,
    }  # fmt: skip


def resident_bytes() -> int:
    """Resident set size now, or its peak where only that is known; 0 if nothing is."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def total_memory() -> int:
    """Physical memory of the machine in bytes, 0 if unknown."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return 0
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def trim_heap() -> bool:
    """Give free memory back to the operating system; false where the C library cannot."""
    import ctypes

    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return True  # nothing to purge, as with Redis on another allocator than jemalloc
    trim(0)
    return True
