"""Clients that write and read, and record what they did. Which commands they send depends on the seed alone."""

import itertools
import random
import threading
import time

from client import BROKEN, Client, ErrorReply
from history import NEVER, History, Op, Snapshot
from nodes import PATIENCE, Failure, wait_until

GROUP_SIZE = 3
# Nothing was done. EXECABORT: the reason was told before.
REFUSED = {"READONLY", "NOREPLICAS", "LOADING", "MASTERDOWN", "OOM", "EXECABORT"}
CONFIRM_MS = 1000
MOST_DEPTH = 16  # commands that are sent at once

KINDS = {"set": 35, "get": 20, "incr": 10, "push": 20, "group": 9, "look": 6}  # of a hundred


class Keys:
    """The keys of a load."""

    def __init__(self, prefix="", registers=16, counters=4, lists=4, groups=6):
        name = lambda kind, count: [f"{prefix}{kind}:{i}" for i in range(count)]
        self.registers, self.counters = name("register", registers), name("counter", counters)
        self.lists, self.groups = name("list", lists), name("group", groups)

    @staticmethod
    def parts(group):
        return [f"{group}:{part}" for part in range(GROUP_SIZE)]

    def of(self, kind):
        return {"set": self.registers, "get": self.registers, "incr": self.counters, "push": self.lists,
                "group": self.groups, "look": self.groups}[kind]

    def snapshot(self, node):
        """What they hold on a node."""
        with node.client() as client:
            ask = lambda commands: self._answers(client, commands)
            registers = ask([["GET", key] for key in self.registers])
            counters = ask([["GET", key] for key in self.counters])
            lists = ask([["LRANGE", key, 0, -1] for key in self.lists])
            groups = ask([["MGET", *self.parts(key)] for key in self.groups])
        return Snapshot(
            dict(zip(self.registers, map(unpad, registers))),
            {key: int(value or 0) for key, value in zip(self.counters, counters)},
            {key: [unpad(item) for item in items] for key, items in zip(self.lists, lists)},
            {key: tuple(map(unpad, values)) for key, values in zip(self.groups, groups)})

    @staticmethod
    def _answers(client, commands):
        replies = client.pipeline(commands)
        for command, reply in zip(commands, replies):
            if isinstance(reply, ErrorReply):
                raise Failure(f"{command[0]} {command[1]} answers: {reply}")
        return replies


def unpad(value):
    return None if value is None else value.split(b"~", 1)[0].decode()


class Worker(threading.Thread):
    """One client: a batch of commands, its replies, the next one; a new connection when one is lost."""

    refused = REFUSED

    def __init__(self, load, name):
        super().__init__(daemon=True, name=name)
        self.load, self.name = load, name
        self.random = random.Random(f"{load.seed}:{name}")
        self.padding = "~" + "x" * load.padding if load.padding else ""
        self.connections = 0
        self.written = 0
        self.client = None

    def run(self):
        while not self.load.over.is_set():
            batch = self._batch()
            if self.client is None and not self._connect():
                time.sleep(0.02)
            elif not self._send(batch):
                self._drop()
            elif self.load.pause:
                time.sleep(self.load.pause)
        self._drop()

    def _connect(self):
        port = self.load.target()
        if port is None:
            return False
        try:
            self.client = Client(port, self.load.timeout)
        except OSError:
            return False
        self.connections += 1
        return True

    def _drop(self):
        if self.client is not None:
            self.client.close()
            self.client = None

    def _batch(self):
        kinds = self.random.choices(list(KINDS), KINDS.values(), k=self.random.randint(1, MOST_DEPTH))
        return [self._operation(kind) for kind in kinds]

    def _operation(self, kind):
        """An Op that is to happen, and the commands that make it."""
        key = self.random.choice(self.load.keys.of(kind))
        op = Op(kind, key, None, 0.0, NEVER, self.name)
        if kind in ("set", "push", "group"):
            self.written += 1
            op.value = f"{self.name}.{self.written}"
        parts = self.load.keys.parts(key)
        text = f"{op.value}{self.padding}"
        in_one = self.random.random() < 0.5
        commands = {"set": [["SET", key, text]], "get": [["GET", key]], "incr": [["INCR", key]],
                    "push": [["RPUSH", key, text]]}.get(kind)
        if kind == "group":
            sets = [["SET", part, text] for part in parts]
            commands = [["MSET", *itertools.chain(*((part, text) for part in parts))]] if in_one else sets
        elif kind == "look":
            commands = [["MGET", *parts]] if in_one else [["GET", part] for part in parts]
        return op, commands if len(commands) == 1 else [["MULTI"], *commands, ["EXEC"]]

    def _send(self, batch):
        """False if the connection is of no use any more."""
        start = time.monotonic()
        for op, _ in batch:
            op.start, op.connection = start, self.connections
        ok, answered, done = True, 0, []
        try:
            self.client.send([command for _, commands in batch for command in commands])
            for op, commands in batch:
                replies = [self.client.receive() for _ in commands]
                answered += 1
                if self._take(op, replies):
                    done.append(op)
                elif any([self._lost(reply) for reply in replies if isinstance(reply, ErrorReply)]):
                    ok = False  # it is time to look for the leader
        except BROKEN:
            ok = False
        for op, _ in batch[answered:]:  # they may have happened, or may yet
            if op.kind in ("get", "look"):
                continue
            self.load.history.ops.append(op)
        return (not self.load.confirm or self._confirm(done)) and ok

    @staticmethod
    def _lost(reply):
        """Whether an error says to look elsewhere."""
        return reply.code in ("READONLY", "EXECABORT")

    def _take(self, op, replies):
        """Records an answered operation; false if it was refused."""
        end, reply = time.monotonic(), replies[-1]
        history = self.load.history
        if isinstance(reply, ErrorReply) and reply.code == "UNKNOWN":
            history.refusals[reply.code] += 1
            if op.kind not in ("get", "look"):
                history.ops.append(op)  # it has happened, but may be lost
            return False
        if isinstance(reply, ErrorReply):
            if reply.code not in self.refused:
                history.surprises.append(f"{self.name}: {op.kind} {op.key}: {reply}")
            history.refusals[reply.code] += 1
            return False
        op.end, op.confirmed = end, self.load.sure
        if op.kind in ("get", "incr"):
            op.value = unpad(reply) if op.kind == "get" else reply
        elif op.kind == "look":
            op.value = tuple(map(unpad, reply))
        history.ops.append(op)
        return True

    def _confirm(self, done):
        try:
            reply = self.client.command("WAIT", self.load.confirm, CONFIRM_MS)
        except BROKEN:
            return False
        if isinstance(reply, ErrorReply):
            return False
        if reply >= self.load.confirm:
            for op in done:
                op.confirmed = True
        return True


class Load:
    """Some clients of the node whose port `target()` tells; None: they wait for a while."""

    worker = Worker

    def __init__(self, seed, target, keys=None, clients=4, confirm=0, padding=0, timeout=10.0, pause=0.002, sure=False,
                 name="c"):
        self.seed, self.target, self.keys = seed, target, keys or Keys()
        self.confirm, self.padding, self.timeout, self.pause = confirm, padding, timeout, pause
        self.sure = sure  # a reply itself says that a replica has it (replication-mode semi)
        self.history = History()
        self.over = threading.Event()
        self.workers = [self.worker(self, f"{name}{i}") for i in range(clients)]

    def __enter__(self):
        for worker in self.workers:
            worker.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.over.set()
        for worker in self.workers:
            worker.join(PATIENCE)
            if worker.is_alive():
                raise Failure(f"client {worker.name} does not end")
        return self.history

    def progress(self, count, confirmed=False):
        """Waits until so many more operations have been acknowledged."""
        before = len(self.history.ops)

        def enough():
            fresh = self.history.ops[before:]
            return sum(op.confirmed if confirmed else op.known for op in fresh) >= count

        wait_until(enough, f"{count} more operations are acknowledged ({dict(self.history.refusals)})")


class Watcher(threading.Thread):
    """Reads groups from a follower, in MULTI/EXEC and by MGET, over and over."""

    def __init__(self, seed, node, keys):
        super().__init__(daemon=True)
        self.random = random.Random(f"{seed}:watcher:{node.name}")
        self.node, self.keys = node, keys
        self.looks = []
        self.only = keys.groups
        self.over = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join(PATIENCE)

    def run(self):
        while not self.over.is_set():
            try:
                with self.node.client(timeout=5) as client:
                    for _ in range(50):  # and then on another thread of the node, perhaps
                        if not self.over.is_set():
                            self._look(client)
            except BROKEN:
                time.sleep(0.02)

    def _look(self, client):
        group = self.random.choice(self.only)
        parts = self.keys.parts(group)
        one = self.random.random() < 0.3
        start = time.monotonic()
        commands = [["MGET", *parts]] if one else [["MULTI"], *(["GET", part] for part in parts), ["EXEC"]]
        reply = client.pipeline(commands)[-1]
        if isinstance(reply, list) and not any(isinstance(value, ErrorReply) for value in reply):
            self.looks.append(Op("look", group, tuple(map(unpad, reply)), start, time.monotonic(), self.node.name))
        time.sleep(0.001)
