"""Networks that go wrong between nodes, and between clients and a node."""

import time

from chaos import Flood
from nodes import wait_until
from proxy import BACK, FORTH, Faults, Proxy
from scenario import scenario

FULL, PARTIAL = "full synchronisation of about", "partial synchronisation"  # in the log of a follower


def _links_lost(*nodes):
    """Log lines that say that a link between nodes has ended."""
    return sum(node.log_text().count(text) for node in nodes for text in ("the link is down: ", " is gone: "))


@scenario(short=True)
def cut_within_backlog(stage):
    """Links are closed and refused for a while: the follower goes on where it was, without full synchronisation."""
    leader, follower, proxy = stage.proxied_pair()
    full, partial = (follower.log_text().count(text) for text in (FULL, PARTIAL))
    rounds = stage.some(4)
    with stage.load(leader) as load, stage.watcher(follower, load.keys) as watcher:
        for _ in range(rounds):
            load.progress(300)
            proxy.cut()
            load.progress(stage.random.randint(1, 2000))
            proxy.heal()
            stage.caught_up(leader, follower)
        load.stop()
    stage.in_step(leader, follower)
    stage.nothing_lost(load, leader)
    stage.whole(watcher, load, ascending=True)
    stage.expect(follower.log_text().count(FULL) == full, "a full synchronisation although the backlog held everything")
    stage.expect(follower.log_text().count(PARTIAL) >= partial + rounds, "not each cut led to a partial synchronisation")


@scenario(short=True)
def cut_beyond_backlog(stage):
    """The same with a backlog that does not hold what is written meanwhile: full synchronisation, under load."""
    leader, follower, proxy = stage.proxied_pair("--repl-backlog-size", "64kb")
    with stage.load(leader, padding=2000) as load, stage.watcher(follower, load.keys) as watcher:
        for _ in range(stage.some(3)):
            load.progress(100)
            full, end = follower.log_text().count(FULL), leader.offset()
            proxy.cut()
            wait_until(lambda: leader.offset() > end + (2 << 20), "2 MB are written")
            proxy.heal()
            stage.caught_up(leader, follower)
            stage.expect(follower.logged(FULL, since=full), "no full synchronisation although the backlog was too small")
        load.stop()
    stage.in_step(leader, follower)
    stage.nothing_lost(load, leader)
    stage.whole(watcher, load, ascending=True)


@scenario(short=True)
def held(stage):
    """Nothing passes one way, or both, for shorter or longer than repl-timeout and than the backlog holds."""
    leader, follower, proxy = stage.proxied_pair("--repl-backlog-size", "256kb", "--repl-timeout", "1")
    with stage.load(leader, padding=500) as load, stage.watcher(follower, load.keys) as watcher:
        for ways in [(FORTH,), (BACK,), (FORTH, BACK)] * stage.some(1):
            load.progress(200)
            before = _links_lost(leader, follower)
            proxy.faults.hold(*ways)
            load.progress(stage.random.randint(100, 1000))
            if stage.random.random() < 0.6:
                wait_until(lambda: _links_lost(leader, follower) > before, f"the silence ({ways}) is noticed")
            proxy.heal()
            stage.caught_up(leader, follower)
        load.stop()
    stage.in_step(leader, follower)
    stage.nothing_lost(load, leader)
    stage.whole(watcher, load, ascending=True)


@scenario(short=True)
def corrupt(stage):
    """A bit flips on the way between nodes: the link is closed, one log line says so, nothing wrong is applied."""
    leader, follower, proxy = stage.proxied_pair("--repl-timeout", "2")
    with stage.load(leader, padding=200) as load, stage.watcher(follower, load.keys) as watcher:
        for way in [BACK, BACK, FORTH] * stage.some(2):
            load.progress(stage.random.randint(20, 300))
            before, corrupted = _links_lost(leader, follower), proxy.faults.corrupted
            proxy.faults.corrupt(way)
            wait_until(lambda: proxy.faults.corrupted > corrupted, "something passes")
            wait_until(lambda: _links_lost(leader, follower) > before, f"corrupt bytes ({way}) are noticed")
            stage.caught_up(leader, follower)
        load.stop()
    stage.in_step(leader, follower)
    stage.nothing_lost(load, leader)
    stage.whole(watcher, load, ascending=True)


@scenario()
def corrupt_sync(stage):
    """Bits flip during full synchronisation of a follower that starts empty each time."""
    leader, follower, proxy = stage.proxied_pair("--repl-timeout", "2")
    with Flood(leader, keys=20000, size=200) as flood:
        wait_until(lambda: flood.written > 20000, "there is something to send")
        for _ in range(stage.some(6)):
            follower.kill()
            follower.restart()
            proxy.faults.rate = 4e6
            follower.follow(proxy.port)
            time.sleep(stage.random.uniform(0, 0.5))
            before = _links_lost(leader, follower)
            proxy.faults.corrupt(BACK)
            wait_until(lambda: _links_lost(leader, follower) > before, "corrupt bytes are noticed")
            proxy.heal()
            stage.caught_up(leader, follower)
    stage.in_step(leader, follower)


@scenario(short=True)
def slow_follower(stage):
    """A follower that gets a fraction of what is written: the leader's memory stays within bounds, and it catches up."""
    backlog = 4 << 20
    leader, follower, proxy = stage.proxied_pair("--repl-backlog-size", backlog)
    most, size = 0, 10000
    with Flood(leader, keys=200, size=size) as flood:
        wait_until(lambda: flood.written > 1000, "all keys are there")
        memory, rss = int(leader.info("memory")["used_memory"]), leader.rss()
        proxy.faults.rate = 200_000
        end = flood.written + stage.some(16000)  # 160 MB
        while flood.written < end and flood.failed is None:
            most = max(most, int(leader.info("memory")["used_memory"]) - memory)
            rss = max(rss, leader.rss())
            time.sleep(0.02)
        stage.expect(flood.failed is None, f"the writer failed: {flood.failed}")
    bound = backlog + (8 << 20) + (8 << 20)  # the backlog, the window towards a follower, and what is in work
    stage.note(f"{flood.written * size >> 20} MB written; used_memory rose by {most >> 20} MB, at most; "
               f"RSS at most {rss >> 20} MB")
    stage.expect(most < bound, f"used_memory of the leader rose by {most} bytes, more than {bound}")
    stage.expect(rss < 256 << 20, f"the leader's RSS rose to {rss} bytes")
    proxy.heal()
    stage.in_step(leader, follower)


@scenario(short=True)
def half_open(stage):
    """The leader's client port, or its port for nodes, accepts and never answers: INFO says so, and it ends well."""
    leader, follower, proxy = stage.proxied_pair("--repl-timeout", "1")
    with stage.load(leader) as load:
        for whole in (True, False):
            load.progress(200)
            if whole:
                proxy.mute()
            else:
                proxy.faults.mute = True
                proxy.rear.sever()
            reason = lambda: follower.info().get("master_link_down_reason", "")
            wait_until(lambda: "does not answer" in reason(), lambda: f"INFO says that nobody answers, not '{reason()}'")
            stage.expect(follower.info()["master_link_status"] == "down", "the link is up to a node that never answers")
            load.progress(200)
            proxy.heal()
            stage.caught_up(leader, follower)
        load.stop()
    stage.in_step(leader, follower)
    stage.nothing_lost(load, leader)


@scenario(short=True)
def clients_cut(stage):
    """Connections of clients are closed and held again and again: outcomes are unknown, histories linearizable."""
    leader, follower = stage.pair()
    proxy = Proxy(lambda: leader.port, Faults(stage.seed))
    stage.proxies.append(proxy)
    with stage.load(lambda: proxy.port, timeout=0.5) as load, stage.watcher(follower, load.keys) as watcher:
        for _ in range(stage.some(8)):
            load.progress(stage.random.randint(1, 300))
            if stage.random.random() < 0.7:
                proxy.sever()
                continue
            unknown = load.history.unknown()
            proxy.faults.hold(stage.random.choice([FORTH, BACK]))
            wait_until(lambda: load.history.unknown() > unknown, "clients give up")
            proxy.heal()
        load.stop()
    proxy.sever()
    _calm(leader)
    stage.in_step(leader, follower)
    stage.nothing_lost(load, leader)
    stage.whole(watcher, load, ascending=True)


def _calm(leader):
    """What clients that gave up had sent may still be executed: until nobody is connected any more."""
    wait_until(lambda: leader.info("clients")["connected_clients"] == "1", "all clients are gone")


@scenario(short=True)
def redis_as_leader(stage):
    """REPLICAOF a redis-server: the link stays down, log and INFO say why, and it leads again when told."""
    redis, node = stage.redis("r"), stage.node("a")
    node.command("SET", "mine", "1")
    node.follow(redis.port)
    wait_until(lambda: node.info().get("master_link_down_reason"), "INFO says why the link is down")
    info = node.info()
    stage.expect(info["master_link_status"] == "down" and info["role"] == "slave", f"INFO has {info}")
    stage.expect("Redis" in info["master_link_down_reason"], f"the reason is '{info['master_link_down_reason']}'")
    wait_until(lambda: node.logged("replicating from Redis is not possible yet"), "the log says why the link is down")
    stage.expect(node.command("GET", "mine") == b"1", "its data are gone although nothing came")
    node.lead()
    stage.expect(node.command("SET", "mine", "2") == "OK", "it does not lead again")
