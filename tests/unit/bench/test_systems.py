# SPDX-License-Identifier: BSD-3-Clause
"""Which systems can be measured here, with programs that only pretend."""
import os
import pathlib
import tempfile
import unittest
from unittest import mock

from mqbench import cli, machine, tables


class Skipped(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "cpl3-initramfs.gz").touch()
        self.install("qemu-system-x86_64", "")
        patch = mock.patch.dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}")
        patch.start()
        self.addCleanup(patch.stop)

    def install(self, name, says):
        program = self.folder / name
        program.write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
        program.chmod(0o755)

    def missing(self, name):
        tools = machine.Tools("", "", "", str(self.folder), str(self.folder), 2, guest="cpl3")
        return cli.SYSTEMS[name](tools).missing()

    def test_passt_without_vhost_user_is_skipped_with_a_line(self):
        self.install("passt", "  -s, --socket PATH")
        self.assertIsNone(self.missing("qemu-passt"))
        self.assertRegex(self.missing("qemu-passt-vhost"), "has no --vhost-user$")

    def test_passt_with_vhost_user_is_measured(self):
        self.install("passt", "  --vhost-user  Enable vhost-user mode")
        self.assertIsNone(self.missing("qemu-passt-vhost"))

    def test_qemu_before_mqvmm_is_skipped_with_a_line(self):
        self.assertRegex(self.missing("qemu-mqvmm"), "^mqvmm has no")
        self.assertFalse(tables.ours("qemu-mqvmm"))


if __name__ == "__main__":
    unittest.main()
