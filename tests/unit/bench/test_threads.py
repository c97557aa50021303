# SPDX-License-Identifier: BSD-3-Clause
"""What the kernel accounts to a system's threads."""
import os
import subprocess
import sys
import unittest

from mqbench import threads

# Says when it has worked and slept, with a thread beside, and waits for its end.
SYSTEM = """
import sys, threading, time
def work():
    for _ in range(50):
        time.sleep(0.0005)
    end = time.thread_time() + 0.05
    while time.thread_time() < end:
        pass
    print("done", flush=True)
    sys.stdin.readline()
threading.Thread(target=work).start()
work()
"""


class Threads(unittest.TestCase):
    def start(self, *argv):
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.kill)
        return process

    def test_all_threads_of_a_session_are_counted(self):
        process = self.start(sys.executable, "-c", SYSTEM)
        for _ in range(2):
            process.stdout.readline()
        counts = threads.difference({}, threads.read({process.pid}), 10)
        self.assertGreaterEqual(counts["context switches"], 10)
        self.assertGreaterEqual(counts["CPU µs"], 10000)

    def test_other_sessions_and_clients_are_not(self):
        process = self.start("sh", "-c", "echo; read -r end")
        process.stdout.readline()
        self.assertEqual(threads.read({process.pid}), {})
        self.assertNotIn(str(os.getpid()), threads.read({process.pid}))

    def test_only_what_came_in_between_counts(self):
        before = {"1": (10, 100.0), "2": (5, 50.0)}
        after = {"1": (30, 400.0), "3": (20, 100.0)}
        self.assertEqual(threads.difference(before, after, 20),
                         {"context switches": 2.0, "CPU µs": 20.0})

    def test_a_number_that_was_given_again_is_another_thread(self):
        self.assertEqual(threads.difference({"1": (90, 900.0)}, {"1": (20, 100.0)}, 10),
                         {"context switches": 2.0, "CPU µs": 10.0})

    def test_without_transactions_there_are_none(self):
        self.assertEqual(threads.difference({}, {"1": (1, 1.0)}, 0), {})


if __name__ == "__main__":
    unittest.main()
