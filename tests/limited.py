"""Limits of the tests: processor time, which a busy machine does not change, with room for one five times slower.

As a program, `limited.py COMMAND...` runs a whole suite under the limit; what it starts inherits it, each process for itself.
Who waits for ever, and takes no time, is ended by the watch of ctest.
"""
import os
import resource
import signal
import subprocess
import sys
import time

SLOWER = 5      # machines that the tests allow for
SECONDS = 60    # of one command of a test, on a machine as fast as ours
SUITE = 400     # of one process of a suite, likewise; the longest takes 300 with sanitizers
WATCH = 7200    # seconds by the clock, for what hangs


def limit(seconds):
    """For preexec_fn: the kernel ends the process (SIGXCPU) when it has taken so much processor time."""
    def begin():
        most = resource.getrlimit(resource.RLIMIT_CPU)[1]
        soft = seconds * SLOWER if most == resource.RLIM_INFINITY else min(seconds * SLOWER, most)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, most))
    return begin


def run(words, seconds=SECONDS, preexec_fn=None, **how):
    """As subprocess.run, under the limit."""
    def begin():
        limit(seconds)()
        if preexec_fn:
            preexec_fn()
    return subprocess.run([str(w) for w in words], preexec_fn=begin, timeout=WATCH, **how)


def wait_for(what):
    """What another process does next, however long a busy machine takes; given up by the watch."""
    end = time.monotonic() + WATCH
    while not (found := what()):
        if time.monotonic() > end:
            raise TimeoutError("it did not happen")
        time.sleep(0.01)
    return found


def spent(process):
    """Seconds of processor time that a process has taken so far: by them it is known how far it is."""
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    limit(SUITE)()
    # A shell has them ignored in what it starts in its background; tests of signals would wait for ever.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.execvp(sys.argv[1], sys.argv[1:])
