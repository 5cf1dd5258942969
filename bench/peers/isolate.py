"""Runs a command in namespaces of its own: a network with only `lo` up, because Ray binds every interface, and a process
tree of which nothing outlives its first process, whatever the command has started or detached.
"""

import os
import shutil
import signal
import subprocess
import sys

ENTER = ("unshare", "--net", "--pid", "--fork", "--kill-child=KILL", "--mount-proc")
# Without this the command would outlive a run that was killed and could not clean up.
WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")
TIMED_OUT = 124


def command(words):
    """The command line that runs `words` isolated. Without root, a user namespace gives the rights to make the others."""
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    return [*WITH_PARENT, ENTER[0], *user, *ENTER[1:], "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *words]


def check():
    """None when isolation works, otherwise what is in the way. Nothing is run without it."""
    missing = [tool for tool in ("unshare", "setpriv", "ip") if not shutil.which(tool)]
    if missing:
        return f"{', '.join(missing)} not found (Debian: util-linux, iproute2)"
    shown = subprocess.run(command(["ip", "-o", "link", "show", "up"]), capture_output=True, text=True, check=False)
    if shown.returncode != 0:
        return f"no namespaces here: {shown.stderr.strip()}"
    names = [line.split(": ")[1] for line in shown.stdout.splitlines()]
    return None if names == ["lo"] else f"expected only lo inside the namespace, found {names}"


def run(words, timeout_s, environment=None, errors=None):
    """Runs isolated and returns the exit status, TIMED_OUT after the timeout. On any way out, Ctrl-C too, everything that
    was started is gone. Standard output joins our standard error, where progress is told.
    """
    process = subprocess.Popen(command(words), env=environment, stdout=sys.stderr, stderr=errors, stdin=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return TIMED_OUT
    finally:
        end(process)


def end(process):
    """Kills all of the namespace. unshare itself returns once the last process in it is gone, so nothing is left behind that
    still writes; should it be killed instead, its end kills the rest, but nobody waits for that.
    """
    if process.poll() is not None:
        return
    for first in children(process.pid):
        os.kill(first, signal.SIGKILL)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []
