#!/usr/bin/python3
"""Measures what a node costs beside its data: start-up, empty, idle connections, readers that never read.

    node_limits.py [SERVER_BINARY] [start|idle|slow|dropped ...]      (default: all of them)

start    seconds from exec to the first PONG (median of 9) and the resident memory of the empty node
idle     resident bytes per connection of 10,000 idle ones
slow     2,000 clients that each ask 16 times for a 1 MB value and never read: resident growth against
         (one value + 64 KB) x clients, and whether another client is served meanwhile
dropped  the same with client-output-buffer-limit normal 1mb 0 0: how many were disconnected
"""
import os, resource, socket, statistics, subprocess, sys, tempfile, time

MEGABYTE = 1 << 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Node:
    def __init__(self, binary, *options):
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory()
        self.log = open(self.folder.name + "/log", "w")
        self.started = time.monotonic()
        self.process = subprocess.Popen([binary, "--port", str(self.port), *options], stdout=self.log, cwd=self.folder.name)
        self.first_pong = self.wait()

    def wait(self):
        while True:
            if self.process.poll() is not None:
                raise SystemExit("the server did not start: " + open(self.log.name).read())
            try:
                with self.connect() as client:
                    if self.ask(client, b"PING") == b"+PONG\r\n":
                        return time.monotonic() - self.started
            except ConnectionRefusedError:
                time.sleep(0.0005)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port))

    @staticmethod
    def ask(client, *words):
        client.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return client.recv(1 << 16)

    def resident(self):
        for line in open("/proc/%d/status" % self.process.pid):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024

    def info(self, field):
        with self.connect() as client:
            text = self.ask(client, b"INFO").decode()
        return int(dict(l.split(":", 1) for l in text.split("\r\n") if ":" in l)[field])

    def stop(self):
        self.process.terminate()
        self.process.wait()


def settled(read, pause=0.3):
    """The value once it has stopped growing."""
    last = read()
    while True:
        time.sleep(pause)
        now = read()
        if abs(now - last) < 64 * 1024:
            return now
        last = now


def start(binary):
    times = []
    for _ in range(9):
        node = Node(binary)
        times.append(node.first_pong)
        resident = node.resident()
        node.stop()
    print("start first_pong_ms %.1f resident_mb %.1f" % (statistics.median(times) * 1000, resident / MEGABYTE))


def idle(binary, count=10000):
    node = Node(binary, "--maxclients", str(count + 100))
    before = node.resident()
    clients = [node.connect() for _ in range(count)]
    for client in clients:
        client.sendall(b"PING\r\n")
    for client in clients:
        client.recv(64)
    print("idle connections %d bytes_each %d" % (count, (settled(node.resident) - before) / count))
    for client in clients:
        client.close()
    node.stop()


def slow(binary, count=2000, *options):
    node = Node(binary, *options)
    with node.connect() as setter:
        node.ask(setter, b"SET", b"big", b"x" * MEGABYTE)
    before = node.resident()
    clients = []
    for _ in range(count):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", node.port))
        client.sendall(b"GET big\r\n" * 16)
        clients.append(client)
    growth = settled(node.resident) - before
    with node.connect() as other:
        served = node.ask(other, b"PING") == b"+PONG\r\n"
    if options:
        left = sum(1 for line in node_clients(node) if b"cmd=get" in line)
        print("dropped clients %d still_connected %d resident_growth_mb %.0f others_served %s" % (count, left, growth / MEGABYTE, served))
    else:
        bound = (MEGABYTE + 65536) * count
        print("slow clients %d growth_mb %.0f bound_mb %.0f ratio %.3f others_served %s" % (count, growth / MEGABYTE, bound / MEGABYTE, growth / bound, served))
    for client in clients:
        client.close()
    node.stop()


def node_clients(node):
    with node.connect() as client:
        client.sendall(b"CLIENT LIST\r\n")
        client.settimeout(2)
        text = b""
        while not text.endswith(b"\r\n") or len(text) < 20:
            text += client.recv(1 << 20)
        return text.split(b"\n")


def main():
    words = sys.argv[1:]
    binary = os.path.abspath(words.pop(0) if words and os.path.exists(words[0]) else "build/release/bin/magpie-server")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 40000), hard))
    for word in words or ["start", "idle", "slow", "dropped"]:
        if word == "dropped":
            slow(binary, 2000, "--client-output-buffer-limit", "normal", "1mb", "0", "0")
        else:
            {"start": start, "idle": idle, "slow": slow}[word](binary)


main()
