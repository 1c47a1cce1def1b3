"""Locks on open files, which the system releases when a process ends, however it ends.

A lock belongs to the open file, not to the process: it also excludes other threads that open the file themselves.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from typing import Final

__all__ = ["lock", "unlock"]

# Errors of file systems without locks.
_NO_LOCKS: Final = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.EBADF)

if sys.platform == "win32":
    import msvcrt

    _OFFSET: Final = 1 << 30  # beyond the contents, which others must be able to read
    _PAUSE_S: Final = 0.01

    def lock(descriptor: int, *, wait: bool) -> bool | None:
        """Lock an open file: True; False if another one has locked it; None if the file system has no locks."""
        while True:
            os.lseek(descriptor, _OFFSET, os.SEEK_SET)
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                return True
            except OSError:
                if not wait:
                    return False
                time.sleep(_PAUSE_S)
            finally:
                os.lseek(descriptor, 0, os.SEEK_SET)

    def unlock(descriptor: int) -> None:
        """Release the lock of an open file."""
        os.lseek(descriptor, _OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def lock(descriptor: int, *, wait: bool) -> bool | None:
        """Lock an open file: True; False if another one has locked it; None if the file system has no locks.

        Locking a file that the same descriptor has locked already has no effect.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return None
            raise
        return True

    def unlock(descriptor: int) -> None:
        """Release the lock of an open file, also if a child process has inherited the file."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)
