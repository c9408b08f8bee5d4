"""A static shard: an arbiter and nodes that fail over by themselves."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile

from client import BROKEN, ErrorReply
from nodes import ENVIRONMENT, PATIENCE, Failure, Node, wait_until
from servers import free_port

LEASES = {"--lease-heartbeat": 100, "--lease-serve": 600, "--lease-takeover": 800}  # ms, the defaults
NAME = "faults"


class Arbiter:
    """`magpiectl arbiter`. Its data outlive it."""

    host = "127.0.0.1"
    wrapper = ()

    def __init__(self, binary, folder, args=()):
        self.binary, self.args = str(binary), [str(arg) for arg in args]
        self.folder = pathlib.Path(folder)
        self.data = tempfile.mkdtemp(prefix="arbiter-", dir=folder)
        self.log = self.folder / "arbiter.log"
        self.port = 0
        self.process = None

    def start(self):
        before = self._ready()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, self.binary, "arbiter", "--data", self.data, "--port", str(self.port),
                 "--cluster", NAME, *self.args],
                cwd=self.folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: len(self._ready()) > len(before) or self.process.poll() is not None, "the arbiter is ready")
        if self.process.poll() is not None:
            raise Failure(f"the arbiter does not start; see {self.log}")
        self.port = int(self._ready()[-1])
        return self

    def _ready(self):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return re.findall(r"event=ready port=(\d+)", text)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.go_on()
            self.process.terminate()
            self.process.wait(PATIENCE)


class ShardNode(Node):
    """A node of a shard: the same ports and the same name each time it starts, and no data."""

    fixed = ["--threads", "2", "--enable-debug-command", "yes"]

    def __init__(self, name, binary, folder, args=()):
        super().__init__(name, binary, folder, args)
        self.node_port = 0

    def _spawn(self, more):
        self.node_port = self.node_port or free_port()
        super()._spawn(["--bind", self.host, "--node-port", self.node_port, "--advertise", f"{self.host}:{self.port}",
                        "--node-id", self.name, *more])
        if not self.alive():
            self.node_port = 0

    def serves(self):
        """It leads, and a strict read is answered."""
        try:
            with self.client(timeout=2) as client:
                return client.pipeline([["CLIENT", "READS", "STRICT"], ["GET", "nothing"]])[1] is None
        except BROKEN:
            return False


class Shard:
    """Nodes a, b and c of one shard; a leads first. In a Network, or on one host."""

    names = ("a", "b", "c")

    def __init__(self, server, folder, mode="isr", scale=2, args=(), network=None):
        self.mode, self.scale = mode, scale
        self.arbiter = Arbiter(pathlib.Path(server).parent / "magpiectl", folder)
        leases = [word for option, ms in LEASES.items() for word in (option, int(ms * scale))]
        self.args = ["--cluster", NAME, "--shard-nodes", " ".join(self.names), "--replication-mode", mode, *leases,
                     "--replication-timeout", int(1500 * scale), *args]
        self.nodes = [ShardNode(name, server, folder) for name in self.names]
        if network is not None:
            self._place(network, pathlib.Path(folder) / "secret")

    def _place(self, network, secret):
        secret.write_text("of the shard")
        self.args += ["--cluster-secret-file", str(secret), "--protected-mode", "no"]
        self.arbiter.args += ["--secret-file", str(secret), "--bind", network.addresses["arbiter"]]
        for name, one in [("arbiter", self.arbiter), *zip(self.names, self.nodes)]:
            one.host, one.wrapper = network.addresses[name], network.wrapper(name)

    def start(self):
        self.arbiter.start()
        for node in self.nodes:
            node.args = [str(arg) for arg in ["--arbiter", f"{self.arbiter.host}:{self.arbiter.port}", *self.args]]
            node.start()
        self.in_sync()
        return self

    def leader(self, but=None, patience=PATIENCE):
        """Whoever serves, once somebody does; `but` is not asked."""
        return wait_until(lambda: next((node for node in self.nodes if node is not but and node.alive() and node.serves()), None),
                          lambda: f"somebody serves; {self.state()}", patience)

    def followers(self, leader=None):
        leader = leader or self.leader()
        return [node for node in self.nodes if node is not leader and node.alive()]

    def in_sync(self):
        """Waits until all that live are followers in sync, and tells who leads."""
        leader = self.leader()
        wanted = sorted(node.name for node in self.nodes if node.alive())
        wait_until(lambda: self.names_in_sync(leader) == wanted, lambda: f"{wanted} are in sync; {self.state()}")
        return leader

    @staticmethod
    def names_in_sync(node):
        """As its log tells last."""
        lines = re.findall(r"Shard: in sync are (.*)", node.log_text().rsplit("--- ", 1)[-1])
        return sorted(lines[-1].split()) if lines else []

    def state(self):
        """For a failure: what each node says of itself."""
        told = []
        for node in self.nodes:
            try:
                with node.client(timeout=2) as client:
                    role, get = client.command("ROLE"), client.command("GET", "nothing")
                told.append(f"{node.name}: {role if isinstance(role, ErrorReply) else role[:1]}, GET {get}")
            except (*BROKEN, TypeError) as problem:
                told.append(f"{node.name}: {type(problem).__name__}")
        return "; ".join(told)

    def addresses(self):
        return [(node.host, node.port) for node in self.nodes]

    def node_at(self, address):
        return next(node for node in self.nodes if (node.host, node.port) == address)

    def end(self):
        for node in self.nodes:
            node.end()
        self.arbiter.end()
