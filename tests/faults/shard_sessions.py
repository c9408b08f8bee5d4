"""Clients that read on followers what they have written before, with CLIENT LSN and CLIENT AWAIT."""

import random
import re
import threading
import time

from client import BROKEN, Client
from nodes import PATIENCE

AWAIT_MS = 200


class Session(threading.Thread):
    """Writes keys that are all its own, each once, and looks at any node whether it has them. Where CLIENT AWAIT tells that
    a write is there it must be, also long after, whoever led meanwhile and whatever was lost."""

    def __init__(self, seed, shard, name="s"):
        super().__init__(daemon=True)
        self.random = random.Random(f"{seed}:{name}")
        self.addresses, self.name = shard.addresses(), name
        self.written = []  # (key, term, lsn) of what was acknowledged
        self.here, self.elsewhere = 0, 0  # answers of CLIENT AWAIT
        self.problems = []
        self.over = threading.Event()
        self.count = 0
        self.at = self.addresses[0]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join(PATIENCE)

    def run(self):
        while not self.over.is_set():
            for step in (self._write, self._look):
                try:
                    step()
                except BROKEN:
                    self.at = self.random.choice(self.addresses)
                    time.sleep(0.01)

    def _write(self):
        host, port = self.at
        with Client(port, 1.0, host) as client:
            for _ in range(5):
                self.count += 1
                key = f"{self.name}:{self.count}"
                reply, position = client.pipeline([["SET", key, "there"], ["CLIENT", "LSN"]])
                moved = re.match(r"MOVED \d+ (.*):(\d+)$", reply)
                if moved:
                    self.at = moved[1], int(moved[2])
                    return
                if reply == "OK":
                    self.written.append((key, *position[1:]))

    def _look(self):
        if not self.written:
            return
        host, port = self.random.choice(self.addresses)
        with Client(port, 2.0, host) as client:
            if client.command("READONLY") != "OK":
                return
            for key, term, lsn in [*self.written[-2:], *self.random.choices(self.written, k=5)]:
                there, value = client.pipeline([["CLIENT", "AWAIT", term, lsn, AWAIT_MS], ["GET", key]])
                if there == 1 and value is None:
                    self.problems.append(f"{port} has term {term}, LSN {lsn}, as it says, but not {key}")
                self.here += there == 1
                self.elsewhere += there == 0
