"""Clients of a shard: like the others, but they find the leader as clients of a cluster do."""

import re
import time

from chaos import EXPECTED, Mess
from client import BROKEN, Client, ErrorReply
from load import REFUSED, Load, Watcher, Worker

# Nothing was done, and nothing is known to serve here.
AWAY = {"MOVED", "CLUSTERDOWN", "READONLY", "LOADING", "MASTERDOWN", "EXECABORT"}


class ShardWorker(Worker):
    """After -MOVED it goes where it was sent; when a connection is lost or nobody serves, to the next node."""

    refused = REFUSED | AWAY

    def __init__(self, load, name):
        super().__init__(load, name)
        self.at = self.random.randrange(len(load.addresses))
        self.timeout = self.random.choice(load.timeouts)
        self.moved = None

    def _connect(self):
        (host, port), self.moved = self.moved or self.load.addresses[self.at], None
        try:
            self.client = Client(port, self.timeout, host)
            self._greet()
        except BROKEN:
            self._drop()
            return False
        self.connections += 1
        return True

    def _greet(self):
        for command in self.load.greeting:
            reply = self.client.command(*command)
            if reply != "OK":
                self.load.history.surprises.append(f"{self.name}: {' '.join(command)}: {reply}")

    def _next(self):
        self.at = (self.at + 1) % len(self.load.addresses)

    def _drop(self):
        super()._drop()
        if self.moved is None:
            self._next()

    def _lost(self, reply):
        """Whether an error says to look elsewhere."""
        found = re.match(r"MOVED \d+ (.*):(\d+)$", reply)
        if found:
            self.moved = found[1], int(found[2])
        return reply.code in AWAY


class Pinned(ShardWorker):
    """Talks to one node, whoever leads, and waits for its replies as long as they take: a node that answers although it
    leads no longer is found by it."""

    def __init__(self, load, name, at):
        super().__init__(load, name)
        self.at, self.timeout = at, load.patience

    def _next(self):
        time.sleep(0.02)

    def _lost(self, reply):
        time.sleep(0.005)
        return False


class ShardLoad(Load):
    """`clients` that look for the leader, and `pinned` more at each node, or at one only."""

    worker = ShardWorker

    def __init__(self, seed, shard, clients=4, pinned=1, timeouts=(0.3, 1.0, 5.0), name="c", only=None, greeting=(), **options):
        self.greeting = greeting  # what each connection says first
        self.addresses, self.timeouts, self.patience = shard.addresses(), timeouts, 20.0
        super().__init__(seed, None, clients=clients, name=name, **options)
        self.workers += [Pinned(self, f"{name}-at-{node.name}{i}", at)
                         for at, node in enumerate(shard.nodes) if only in (None, node)
                         for i in range(pinned)]


class FollowerWatcher(Watcher):
    """Reads groups from a node, mostly while it follows."""

    def _look(self, client):
        if not getattr(client, "readonly", False):
            client.readonly = not isinstance(client.command("READONLY"), ErrorReply)
        super()._look(client)


class Watchers:
    """One at each node of a shard."""

    def __init__(self, seed, shard, keys):
        self.all = [FollowerWatcher(seed, node, keys) for node in shard.nodes]

    def __enter__(self):
        for watcher in self.all:
            watcher.start()
        return self

    def __exit__(self, *_):
        for watcher in self.all:
            watcher.__exit__()


class ShardMess(Mess):
    """Whatever changes keys, sent to whoever leads; nobody judges the replies."""

    expected = EXPECTED | AWAY | {"NOREPLICAS", "ERR MOVE is not allowed", "ERR SWAPDB is not allowed"}

    def __init__(self, seed, shard, **options):
        super().__init__(seed, shard.nodes[0], databases=1, **options)
        self.shard, self.stubborn = shard, True

    def _judge(self, command, reply):
        if isinstance(reply, ErrorReply) and reply.code in AWAY:
            self.node = self.random.choice(self.shard.nodes)
            raise ConnectionError(reply)
        super()._judge(command, reply)
