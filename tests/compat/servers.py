"""Starting and stopping the servers under comparison, each in a folder of its own."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from resp import Closed, Connection, NotResp, ReplyTimeout

ORACLE_ARGS = ["--save", "", "--appendonly", "no", "--enable-debug-command", "yes"]
ORACLE_PLACES = ["redis-server", "redis-check-rdb", "redis-check-aof"]  # one program; its name decides what it does


class ServerFailed(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, name, binary, args=()):
        self.name = name
        self.binary = str(binary)
        self.args = list(args)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"compat-{name}-"))
        self.process = None
        self.port = 0

    def start(self, attempts=5, patience=20.0):
        """Starts the program on a port from the kernel; another program may take the port first, hence attempts."""
        for _ in range(attempts):
            self.port = free_port()
            with open(self.folder / "log", "ab") as log:
                self.process = subprocess.Popen(
                    [self.binary, "--port", str(self.port), *self.args],
                    cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            if self._ready(time.monotonic() + patience):
                return self
            self._end_process()
        raise ServerFailed(f"{self.name} does not start: {self.binary}\n{self.log_tail()}")

    def _ready(self, deadline):
        while time.monotonic() < deadline and self.alive():
            if self._answers() and self.alive():
                return True
            time.sleep(0.02)
        return False

    def _answers(self):
        try:
            connection = Connection(self.port, timeout=5)
        except OSError:
            return False
        try:
            return bool(connection.command("PING"))
        except (OSError, Closed, ReplyTimeout, NotResp):
            return False
        finally:
            connection.close()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def ensure_alive(self):
        """Starts it again if it has ended or does not answer; returns what is known of that, or None."""
        if self.alive() and self._answers():
            return None
        if self.alive():
            self._end_process(patience=1)
        code, tail = self.process.returncode, self.log_tail()
        self.start()
        return f"{self.name} ended with code {code} (after a wait, if it did not answer); its last log lines:\n{tail}"

    def restart(self):
        """For a server that runs but does not answer."""
        self._end_process()
        self.start()

    def log_tail(self, lines=30):
        try:
            text = (self.folder / "log").read_text(errors="replace")
        except OSError:
            return "(no log)"
        return "\n".join("    " + line for line in text.splitlines()[-lines:])

    def stop(self):
        self._end_process()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end_process(self, patience=5):
        if self.process is None:
            return
        try:
            self.process.wait(0.05)  # it may be ending by itself
        except subprocess.TimeoutExpired:
            self.process.terminate()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def oracle_program(folder):
    """A link named redis-server in `folder` to whichever program of the package holds the server."""
    for place in ORACLE_PLACES:
        found = shutil.which(place)
        if found:
            link = pathlib.Path(folder) / "redis-server"
            if not link.exists():
                link.symlink_to(os.path.realpath(found))
            return link
    raise ServerFailed("no redis-server and no redis-check-rdb here: install redis-tools")


def oracle(name="oracle"):
    server = Server(name, "", ORACLE_ARGS)
    server.binary = str(oracle_program(server.folder))
    return server


def ours(binary, extra=()):
    path = pathlib.Path(binary).absolute()
    if not path.exists():
        raise ServerFailed(f"no server at {path}: build it, or give --server")
    return Server("magpie", path, ["--enable-debug-command", "yes", *extra])
