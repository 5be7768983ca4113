"""Memory: refusing what this machine cannot hold before it is taken, and letting go of mapped pages."""

import mmap
import sys
from pathlib import Path

from limbeck.errors import SourceError

__all__ = ["check_room", "let_go"]


def check_room(path: str | Path, size: int) -> None:
    """SourceError where ``size`` bytes from ``path`` are more than half of the memory that is free."""
    import psutil

    free = int(psutil.virtual_memory().available)
    if size > free // 2:
        raise SourceError(
            f"'{path}' unpacks to {size / 2**30:.1f} GiB, but {free / 2**30:.1f} GiB of memory are free: "
            "use a smaller set, or give it as an np.memmap through limbeck.data.arrays."
        )


def let_go(mapped: mmap.mmap) -> None:
    """Unmaps the pages that were read from a file, so that they no longer count as resident; they can be read again."""
    if sys.platform != "win32":
        mapped.madvise(mmap.MADV_DONTNEED)
