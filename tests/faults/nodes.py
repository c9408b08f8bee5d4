"""Server processes: started, killed, stopped, restarted empty on the same port."""

import os
import pathlib
import signal
import subprocess
import time

from client import BROKEN, Client, ErrorReply
from servers import ORACLE_ARGS, free_port, oracle_program

PATIENCE = 60.0  # seconds for anything that will happen soon on a machine with time
# A build with sanitizers: what lives until the end is no leak.
ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=0", **os.environ}


class Failure(Exception):
    """What had to happen did not."""


def wait_until(condition, what, patience=PATIENCE, pause=0.01):
    """Polls until condition() is true, and returns its value. `what` may be a function that tells more at the end."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"not within {patience:.0f} s: {what() if callable(what) else what}")
        time.sleep(pause)


class Node:
    """A magpie-server. What it logs is kept in folder/NAME.log."""

    kind = "magpie"
    host = "127.0.0.1"
    wrapper = ()  # a command that runs another one
    fixed = ["--bind", "127.0.0.1", "--threads", "2", "--node-port", "0", "--enable-debug-command", "yes"]

    def __init__(self, name, binary, folder, args=()):
        self.name = name
        self.binary = str(binary)
        self.folder = pathlib.Path(folder)
        self.args = [str(arg) for arg in args]
        self.log = self.folder / f"{name}.log"
        self.port = 0
        self.process = None
        self.killed = False
        self.crashed = []  # ends that nobody asked for

    def start(self, port=None, *more):
        """On a port from the kernel, or on the one given; another process may take it first, hence the attempts."""
        for _ in range(20):
            self.port = port or free_port()
            self._spawn(more)
            if self._comes_up():
                return self
            time.sleep(0.1)
        raise Failure(f"{self.name} does not start; see {self.log}")

    def _spawn(self, more):
        with open(self.log, "ab") as log:
            log.write(f"--- {self.name} starts on port {self.port}\n".encode())
            log.flush()
            self.killed = False
            self.process = subprocess.Popen(
                [*self.wrapper, self.binary, "--port", str(self.port), *self.fixed, *self.args, *map(str, more)],
                cwd=self.folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _comes_up(self):
        wait_until(lambda: self.process.poll() is not None or self._answers(), f"{self.name} answers")
        return self.process.poll() is None

    def _answers(self):
        try:
            with self.client(timeout=2) as client:
                return f"process_id:{self.process.pid}\r\n".encode() in client.command("INFO", "server")
        except (*BROKEN, TypeError):
            return False

    # --- faults ---

    def kill(self):
        self.note_crash()
        self.process.kill()
        self.process.wait()
        self.killed = True

    def restart(self, *more):
        """Empty, on the same port."""
        self.start(self.port, *more)

    def pause(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self):
        """Also if it was not stopped, or was started again since."""
        os.kill(self.process.pid, signal.SIGCONT)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def note_crash(self):
        if not self.killed and self.process is not None and self.process.poll() is not None:
            self.crashed.append(f"{self.name} ended by itself with status {self.process.returncode}; see {self.log}")

    def end(self):
        if self.process is None:
            return
        self.note_crash()
        if not self.alive():
            return
        self.go_on()
        self.killed = True  # whatever its end is like, it was asked for
        self.process.terminate()
        try:
            status = self.process.wait(PATIENCE)
            if status != 0:
                self.crashed.append(f"{self.name} ended with status {status} after SIGTERM; see {self.log}")
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.crashed.append(f"{self.name} did not end within {PATIENCE:.0f} s of SIGTERM; see {self.log}")

    # --- questions ---

    def client(self, timeout=PATIENCE):
        return Client(self.port, timeout, self.host)

    def command(self, *args, timeout=PATIENCE):
        with self.client(timeout) as client:
            reply = client.command(*args)
        if isinstance(reply, ErrorReply):
            raise Failure(f"{self.name} answers {' '.join(map(str, args))[:80]} with: {reply}")
        return reply

    def info(self, section="replication"):
        lines = self.command("INFO", section).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def offset(self):
        return int(self.info()["master_repl_offset"])

    def leads(self):
        try:
            with self.client(timeout=2) as client:
                return client.command("ROLE")[0] == b"master"
        except (*BROKEN, TypeError):
            return False

    def link_is_up(self):
        return self.info().get("master_link_status") == "up"

    def digest(self):
        return self.command("DEBUG", "DIGEST")

    def rss(self):
        """Bytes of memory that the process has."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def log_text(self):
        return self.log.read_text(errors="replace")

    def logged(self, text, since=0):
        return self.log_text().count(text) > since

    # --- roles ---

    def follow(self, port):
        self.command("REPLICAOF", "127.0.0.1", port)

    def lead(self):
        self.command("REPLICAOF", "NO", "ONE")


class RedisNode(Node):
    """A redis-server, to show that the checkers see what it loses."""

    kind = "redis"
    fixed = [*ORACLE_ARGS, "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"]

    def __init__(self, name, folder, args=()):
        super().__init__(name, oracle_program(folder), folder, ["--dbfilename", f"{name}.rdb", *args])

    def _spawn(self, more):
        (self.folder / f"{self.name}.rdb").unlink(missing_ok=True)  # a replica keeps what it got
        super()._spawn(more)
