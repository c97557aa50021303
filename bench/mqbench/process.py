# SPDX-License-Identifier: BSD-3-Clause
"""Child processes that speak in lines, and never outlive their time."""
import os
import select
import signal
import subprocess
import tempfile
import time


class TooLong(Exception):
    """A program was still running, or silent, at its limit."""


class Child:
    """A program in a session of its own, so that all of it can be ended."""

    def __init__(self, argv, env=None):
        self._errors = tempfile.TemporaryFile()
        self._rest = b""
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._errors, start_new_session=True,
            env=dict(os.environ, **(env or {})))

    @property
    def pid(self):
        return self.process.pid

    def line(self, seconds):
        """The next line within so many seconds; None at the end."""
        end = time.monotonic() + seconds
        stream = self.process.stdout
        while b"\n" not in self._rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                raise TooLong(f"nothing within {seconds:g} s")
            more = os.read(stream.fileno(), 65536)
            if not more:
                return None
            self._rest += more
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")

    def find(self, start, seconds):
        """The next line that begins so; None at the end."""
        end = time.monotonic() + seconds
        while True:
            line = self.line(max(end - time.monotonic(), 0))
            if line is None or line.startswith(start):
                return line

    def byte(self, seconds):
        """One byte within so many seconds; nothing at the end."""
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise TooLong(f"nothing within {seconds:g} s")
        return os.read(self.process.stdout.fileno(), 1)

    def say(self, text):
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended; what it printed tells why

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TooLong(f"still running after {seconds:g} s") from None

    def complaint(self):
        """The last line that it wrote to standard error."""
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _signal(self, number):
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass

    def stop(self):
        """Ends the program and all that it started."""
        self._signal(signal.SIGTERM)
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            pass
        self._signal(signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._errors):
            try:
                stream.close()
            except BrokenPipeError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Server(Child):
    """An mqload server; port is where it listens."""

    def __init__(self, mqload, words):
        super().__init__([mqload, *words, "--port", "0"])
        try:
            line = self.line(10)
            if line is None:
                raise OSError(f"mqload {words[0]} did not start: {self.complaint()}")
            self.port = int(line.split()[1])
        except BaseException:
            self.stop()
            raise


def output(*argv):
    """All that a program says, "" where it is not installed."""
    try:
        run = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.decode(errors="replace")


def first_line(*argv):
    """What a program says first, "" where it is not installed."""
    return output(*argv).split("\n")[0].strip()


def version(program, package):
    """What a program says of its version, or what Debian says of its package."""
    said = first_line(program, "--version")
    if "unknown" not in said:
        return said
    return first_line("dpkg-query", "-W", "-f", "${Package} ${Version}", package) or said
