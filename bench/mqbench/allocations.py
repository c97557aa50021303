# SPDX-License-Identifier: BSD-3-Clause
"""Heap allocations of mqvmm, counted by a library that is preloaded: one of the
tests', so only where mqvmm is in its build folder."""
import os
import struct

NAME = "heap allocations"


class Allocations:
    """A counter that programs share which are started with environment()."""

    def __init__(self, library, path):
        self.library = library
        self.path = path

    def environment(self):
        """Variables for a program to be counted; resets the counter."""
        if not self.library:
            return {}
        with open(self.path, "wb") as file:
            file.write(bytes(8))
        return {"LD_PRELOAD": self.library, "COUNT_ALLOCATIONS": self.path}

    def read(self):
        """How many there have been; None where they are not counted."""
        if not self.library:
            return None
        with open(self.path, "rb") as file:
            return struct.unpack("=q", file.read(8))[0]


def find(build):
    """The library in a build folder; None where it is not there."""
    path = os.path.join(build, "tests", "libcount_allocations.so")
    return os.path.abspath(path) if os.path.exists(path) else None


def difference(before, after, done):
    """Per transaction, where they are counted."""
    if before is None or after is None or not done:
        return {}
    return {NAME: round((after - before) / done, 3)}
