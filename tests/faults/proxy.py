"""A TCP proxy that lets a network go wrong, and one for the way between two nodes."""

import random
import re
import socket
import threading
import time

import client  # noqa: F401  (the way to resp)
from resp import NotResp, frame_end

FORTH, BACK = "forth", "back"  # from whoever connected, and to it
CHUNK = 65536


class Faults:
    """What is wrong at the moment, for all connections of a proxy. Any thread."""

    def __init__(self, seed=0):
        self._changed = threading.Condition()
        self._random = random.Random(f"{seed}:proxy")
        self._held = set()
        self.mute = False  # new connections are accepted and nothing else happens
        self.refusing = False  # new connections are closed at once
        self.delay = 0.0  # seconds, each way
        self.rate = None  # bytes a second, each way
        self._corrupt = {FORTH: 0, BACK: 0}
        self.corrupted = 0
        self.recorded = None  # or bytes that have passed, by way

    def hold(self, *ways):
        """Nothing passes these ways; what was sent waits, as in a network that is cut for a while."""
        with self._changed:
            self._held = set(ways)
            self._changed.notify_all()

    def heal(self):
        """All is well from now on."""
        self.mute = self.refusing = False
        self.delay, self.rate = 0.0, None
        self._corrupt = {FORTH: 0, BACK: 0}
        self.hold()

    def record(self):
        self.recorded = {FORTH: bytearray(), BACK: bytearray()}
        return self.recorded

    def corrupt(self, way, chunks=1):
        """One bit of each of the next chunks flips."""
        self._corrupt[way] += chunks

    def pass_on(self, way, data, open_):
        """The data as they are to arrive, after a while perhaps."""
        with self._changed:
            while way in self._held and open_():
                self._changed.wait(0.1)
        if self.recorded is not None:
            self.recorded[way] += data
        if self._corrupt[way] > 0:
            self._corrupt[way] -= 1
            self.corrupted += 1
            data = bytearray(data)
            data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)
        pause = self.delay + (len(data) / self.rate if self.rate else 0)
        if pause:
            time.sleep(pause)
        return bytes(data)

    def most(self):
        """Bytes to read at a time."""
        return CHUNK if self.rate is None else max(256, min(CHUNK, int(self.rate / 20)))


class Proxy:
    """Listens on a port of its own and passes on to the one that `target()` tells. `change_back` sees what comes back:
    given a connection's state (a dict) and new bytes, it returns the bytes to pass on."""

    def __init__(self, target, faults, change_back=None):
        self.target, self.faults, self.change_back = target, faults, change_back
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._lock = threading.Lock()
        self._pairs = []
        threading.Thread(target=self._accept, daemon=True).start()

    def sever(self):
        """Closes all connections."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                _shut(end)

    def heal(self):
        self.faults.heal()

    def close(self):
        _shut(self.listener)
        self.listener.close()
        self.sever()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.faults.refusing:
                near.close()
                continue
            if self.faults.mute:
                with self._lock:
                    self._pairs.append((near,))
                continue
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near):
        far = socket.socket()
        far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)  # what waits here is to be felt by the sender
        try:
            far.connect(("127.0.0.1", self.target()))
        except OSError:
            near.close()
            far.close()
            return
        pair = (near, far)
        for end in pair:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._pairs.append(pair)
        state = {}
        threading.Thread(target=self._copy, args=(pair, near, far, FORTH, state), daemon=True).start()
        self._copy(pair, far, near, BACK, state)

    def _copy(self, pair, source, sink, way, state):
        still_open = lambda: source.fileno() >= 0 and pair in self._pairs
        try:
            while data := source.recv(self.faults.most()):
                if way == BACK and self.change_back is not None:
                    data = self.change_back(state, data)
                if data:
                    sink.sendall(self.faults.pass_on(way, data, still_open))
        except OSError:
            pass
        for end in pair:
            _shut(end)
        with self._lock:
            if pair in self._pairs:
                self._pairs.remove(pair)


def _shut(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class NodeProxy:
    """Stands before a node for its followers: they ask the client port for `node_port` by INFO, and are told that of
    the second proxy, which leads to the node's port for nodes."""

    def __init__(self, node, seed=0):
        self.faults = Faults(seed)
        self._node_port = 0
        self.rear = Proxy(lambda: self._node_port, self.faults)
        self.front = Proxy(lambda: node.port, Faults(), self._rewrite)
        self.port = self.front.port

    def _rewrite(self, state, data):
        """Whole replies only, each with the port changed and the length that it then has."""
        waiting = state.setdefault("waiting", bytearray())
        waiting += data
        out = bytearray()
        try:
            while waiting and (end := frame_end(waiting, 0)) >= 0:
                out += self._rewritten(bytes(waiting[:end]))
                del waiting[:end]
        except NotResp:
            out += waiting
            waiting.clear()
        return bytes(out)

    def _rewritten(self, reply):
        found = re.search(rb"\r\nnode_port:(\d+)\r\n", reply)
        if not found or not reply.startswith(b"$"):
            return reply
        self._node_port = int(found[1])
        body = reply[reply.index(b"\r\n") + 2 : -2].replace(found[0], b"\r\nnode_port:%d\r\n" % self.rear.port)
        return b"$%d\r\n%b\r\n" % (len(body), body)

    def cut(self):
        """Both ports: what is open is closed, and nobody gets in."""
        self.faults.refusing = self.front.faults.refusing = True
        self.front.sever()
        self.rear.sever()

    def mute(self):
        """Both ports accept and never answer."""
        self.faults.mute = self.front.faults.mute = True
        self.front.sever()
        self.rear.sever()

    def heal(self):
        """What was accepted and never answered stays so; the node that waits there will try again."""
        self.faults.heal()
        self.front.faults.heal()

    def close(self):
        self.front.close()
        self.rear.close()
