"""Strangers at the port for nodes, and leaders that are none: nothing is applied, and the log says what was wrong."""

import random
import socket
import threading
import time

from client import Client
from nodes import PATIENCE, wait_until
from proxy import BACK, FORTH
from scenario import scenario


def _talk(port, data, patience=PATIENCE):
    """Sends bytes to a port for nodes and reads until it closes. True if it did."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as end:
        try:
            end.sendall(data)
            while end.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
    return True


@scenario(short=True)
def strangers(stage):
    """Garbage, parts of a real conversation, and a whole one again at a leader's port for nodes, under load."""
    leader, follower, proxy = stage.proxied_pair("--repl-timeout", "2")
    recorded = proxy.faults.record()
    follower.kill()
    follower.restart()
    follower.follow(proxy.port)
    draw = random.Random(stage.seed)
    with stage.load(leader) as load:
        stage.caught_up(leader, follower)
        load.progress(500)
        said = bytes(recorded[FORTH])
        port = int(leader.info("server")["node_port"])
        kinds = {
            "random bytes": lambda: draw.randbytes(draw.randint(1, 5000)),
            "a conversation again": lambda: said,
            "the beginning of one": lambda: said[: draw.randint(1, min(len(said), 300))],
            "one with a wrong byte": lambda: _spoiled(said[:2000], draw),
            "a client's command": lambda: b"*1\r\n$4\r\nPING\r\n",
            "HTTP": lambda: b"GET / HTTP/1.1\r\n\r\n",
            "an endless frame": lambda: b"\xff\xff\xff\xff" + bytes(1000),
            "what leaders say": lambda: bytes(recorded[BACK][:100000]),
        }
        for what, make in kinds.items():
            for _ in range(stage.some(2)):
                stage.expect(_talk(port, make()), f"{what}: the connection was not closed")
        load.stop()
    stage.expect(leader.info()["connected_slaves"] == "1", f"{leader.info()['connected_slaves']} followers, not 1")
    stage.expect(leader.info("server")["process_id"] == str(leader.process.pid), "the leader is another process")
    stage.in_step(leader, follower)
    stage.nothing_lost(load, leader)


def _spoiled(data, draw):
    data = bytearray(data)
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(data)


class Impostor:
    """Answers INFO as a node would, and at the port that it names says what it was given."""

    def __init__(self, says):
        self.says = says
        self.front, self.rear = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
        self.port = self.front.getsockname()[1]
        for listener, answer in ((self.front, self._info), (self.rear, lambda: self.says)):
            threading.Thread(target=self._serve, args=(listener, answer), daemon=True).start()

    def _info(self):
        text = b"# Server\r\nserver_name:magpie\r\nnode_port:%d\r\n" % self.rear.getsockname()[1]
        return b"$%d\r\n%b\r\n" % (len(text), text)

    @staticmethod
    def _serve(listener, answer):
        while True:
            try:
                end, _ = listener.accept()
                with end:
                    end.settimeout(PATIENCE)
                    if end.recv(65536):
                        end.sendall(answer())
                    while end.recv(65536):
                        pass
            except OSError:
                if listener.fileno() < 0:
                    return

    def close(self):
        for listener in (self.front, self.rear):
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


@scenario(short=True)
def impostors(stage):
    """A follower of something that repeats what a leader once said, or says nonsense: its data stay as they are."""
    leader, follower, proxy = stage.proxied_pair("--repl-timeout", "1")
    recorded = proxy.faults.record()
    follower.kill()
    follower.restart()
    leader.command("MSET", "a", "1", "b", "2")
    follower.follow(proxy.port)
    stage.in_step(leader, follower)
    digest = follower.digest()
    said, draw = bytes(recorded[BACK]), random.Random(stage.seed)
    stage.expect(len(said) > 50, f"only {len(said)} bytes were recorded")
    for says in (said, said[: len(said) // 2], _spoiled(said, draw), draw.randbytes(2000), b"\xff" * 2000,
                 b"-ERR unknown\r\n", b"x"):
        impostor = Impostor(says)
        follower.follow(impostor.port)
        wait_until(lambda: follower.info().get("master_link_down_reason"), "the follower notices")
        time.sleep(0.05)
        stage.expect(not follower.link_is_up(), f"the link is up to one who says {says[:40]}")
        stage.expect(follower.digest() == digest, f"the data have changed by {says[:40]}")
        impostor.close()
    follower.follow(leader.port)
    leader.command("SET", "c", "3")
    stage.in_step(leader, follower)


@scenario(short=True)
def idle(stage):
    """Nothing is written for longer than repl-timeout: the link stays up."""
    leader, follower = stage.pair("--repl-timeout", "1")
    time.sleep(2.5)
    for node in (leader, follower):
        text = node.log_text()
        stage.expect("the link is down" not in text and "is gone" not in text, f"{node.name} lost an idle link")
    leader.command("SET", "a", "1")
    stage.in_step(leader, follower)


@scenario()
def many_cuts(stage):
    """Hundreds of cuts, with clients at work: memory, descriptors and followers do not pile up on either side."""
    leader, follower, proxy = stage.proxied_pair("--repl-backlog-size", "16mb")

    def held(node):
        return len(list((node.folder.parent / f"/proc/{node.process.pid}/fd").iterdir())), node.rss()

    with stage.load(leader, padding=200) as load:
        for round_number in range(stage.some(200)):
            if round_number == 40:
                load.stop()
                stage.in_step(leader, follower)
                before = [held(node) for node in (leader, follower)]
            proxy.cut()
            with Client(leader.port) as client:
                client.pipeline([["SET", f"filler:{i % 100}", "x" * 10000] for i in range(stage.random.choice([1, 1, 3000]))])
            proxy.heal()
            stage.caught_up(leader, follower)
    stage.in_step(leader, follower)
    stage.expect(leader.info()["connected_slaves"] == "1", f"{leader.info()['connected_slaves']} followers, not 1")
    for node, (files, rss) in zip((leader, follower), before):
        now_files, now_rss = held(node)
        stage.note(f"{node.name}: {files} to {now_files} descriptors, {rss >> 20} to {now_rss >> 20} MB")
        stage.expect(now_files <= files + 4, f"{node.name} has {now_files} descriptors, before {files}")
        stage.expect(now_rss < rss + (40 << 20), f"{node.name} has {now_rss} bytes of memory, before {rss}")
