#!/usr/bin/env python3
"""Job control on a terminal: the launcher as a shell's foreground job, and as the leader of a session of its own.

terminal.py ENGINE
"""
import os
import pty
import re
import select
import signal
import sys
import time

ENGINE = os.path.realpath(sys.argv[1])
GUEST = f"{ENGINE} --rootfs / --"


class Terminal:
    """A program on a new pseudo-terminal, whose session it leads."""

    def __init__(self, *argv):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1="prompt> ", HISTFILE="", TERM="dumb")
            os.execv(argv[0], argv)
        self.text = ""
        self.transcript = ""
        self.end = False

    def read(self, deadline):
        """Takes what the program has written, once there is something or the deadline has passed."""
        readable, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
        if readable:
            try:
                chunk = os.read(self.master, 4096).decode(errors="replace")
            except OSError:
                chunk = ""
            self.end = not chunk
            self.text += chunk
            self.transcript += chunk

    def expect(self, pattern):
        """Reads until `pattern` appears behind everything expected before."""
        deadline = time.monotonic() + 20
        while not (found := re.search(pattern, self.text)):
            if self.end or time.monotonic() > deadline:
                sys.exit(f"not ok: {pattern!r} did not come; there is {self.text!r} of\n{self.transcript}")
            self.read(deadline)
        before, self.text = self.text[: found.start()], self.text[found.end() :]
        return before

    def bring_to_foreground(self):
        """Types "fg" and waits until another process group has the terminal."""
        deadline = time.monotonic() + 20
        before = os.tcgetpgrp(self.master)
        self.type("fg\n")
        while os.tcgetpgrp(self.master) == before:
            if time.monotonic() > deadline:
                sys.exit(f"not ok: the job did not get the terminal; there is\n{self.transcript}")
            self.read(time.monotonic() + 0.01)

    def type(self, text):
        os.write(self.master, text.encode())

    def wait(self):
        self.type("")
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


# Says when it runs and when it runs again, so that keys are typed neither too early nor into the shell. The handler
# uses os.write: a second SIGCONT may come while print is still in its buffer, where Python allows no other print.
PROGRAM = (
    f"{sys.executable} -c 'import os, signal; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    'signal.signal(signal.SIGCONT, lambda *_: os.write(1, b"continued\\n")); '
    'print("started", flush=True); [signal.pause() for _ in iter(int, 1)]\''
)
SHELL = ("/bin/bash", "--norc", "--noprofile", "-i")


def control_a_job(terminal, start):
    """Stops, continues in the background and the foreground, and interrupts `start`, which prints "started"."""
    terminal.type(start + "\n")
    terminal.expect('started(?!")')
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.expect("prompt> ")
    terminal.type("bg\n")
    terminal.expect("continued\r")
    terminal.type("jobs\n")
    terminal.expect("Running")
    terminal.expect("prompt> ")
    terminal.bring_to_foreground()
    terminal.type("\x03")
    terminal.expect("prompt> ")
    terminal.type("echo status=$?\n")
    terminal.expect("status=130")
    terminal.expect("prompt> ")


def foreground_job():
    terminal = Terminal(*SHELL)
    terminal.expect("prompt> ")
    control_a_job(terminal, f"{GUEST} {PROGRAM}")
    # Reading from the terminal in the background stops the job, and the shell hears of it.
    terminal.type("set -b\n")
    terminal.expect("prompt> ")
    terminal.type(f"{GUEST} /bin/cat &\n")
    terminal.expect("Stopped")
    terminal.bring_to_foreground()
    terminal.type("echoed\n")
    terminal.expect("echoed\r\nechoed")
    terminal.type("\x04")
    terminal.expect("prompt> ")
    terminal.type(f"{GUEST} /bin/bash --norc --noprofile -i\n")
    shell_in_guest(terminal)
    terminal.type("exit 5\n")
    terminal.expect("prompt> ")
    terminal.type("echo status=$?\n")
    terminal.expect("status=5")
    terminal.type("exit\n")
    terminal.wait()


def shell_in_guest(terminal):
    before = terminal.expect("prompt> ")
    if "terminal process group" in before or "job control" in before:
        sys.exit(f"not ok: the guest's shell complains: {before!r}")
    control_a_job(terminal, PROGRAM)


def session_leader():
    terminal = Terminal(*GUEST.split(), *SHELL)
    shell_in_guest(terminal)
    terminal.type("exit 6\n")
    if (code := terminal.wait()) != 6:
        sys.exit(f"not ok: the session ended with {code} instead of 6")


def hang_up():
    """The terminal goes away: the guest's shell, which would lead the session natively, is told."""
    terminal = Terminal(*GUEST.split(), "/bin/sh", "-c", "trap 'exit 7' HUP; echo ready; while :; do sleep 1; done")
    terminal.expect("ready")
    os.close(terminal.master)
    if (code := os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1])) != 7:
        sys.exit(f"not ok: after a hang-up the run ended with {code} instead of 7")


if __name__ == "__main__":
    signal.alarm(120)
    foreground_job()
    session_leader()
    hang_up()
    print("job control: ok")
