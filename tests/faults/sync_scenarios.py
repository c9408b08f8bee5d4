"""Full synchronisation while the data change, and data that are hard to synchronise."""

import time

from chaos import Flood, LargeValues, LongList, Mess, WideGroups
from client import Client
from load import Keys
from nodes import wait_until
from scenario import scenario


def _resync(stage, follower, proxy, how):
    """The follower begins anew: killed, or told to follow itself no more; at a rate that makes it last."""
    proxy.faults.rate = stage.random.choice([None, 3e6, 10e6])
    if how == "kill":
        follower.kill()
        follower.restart()
    else:
        follower.lead()
        follower.command("FLUSHALL")
        follower.command("SET", "its own", "1")
    follower.follow(proxy.port)


def _settle(stage, leader, follower, proxy, writer):
    proxy.heal()
    stage.expect(writer.failed is None, f"the writer failed: {writer.failed}")
    stage.in_step(leader, follower)


@scenario(short=True)
def sync_under_mess(stage):
    """Full synchronisation under FLUSHALL, SWAPDB, RENAME, COPY, lists, groups and keys that end soon."""
    leader, follower, proxy = stage.proxied_pair()
    with Mess(stage.seed, leader) as mess:
        wait_until(lambda: mess.written > 3000 or mess.failed, "some data are there")
        for _ in range(stage.some(6)):
            _resync(stage, follower, proxy, stage.random.choice(["kill", "lead"]))
            target = mess.written + stage.random.randint(100, 3000)
            wait_until(lambda: mess.written > target or mess.failed, "the writer goes on")
            if stage.random.random() < 0.6:
                proxy.heal()
                stage.caught_up(leader, follower)
    _settle(stage, leader, follower, proxy, mess)
    stage.note(f"{mess.written} commands, {leader.command('DBSIZE')} keys in database 0 at the end")


@scenario(short=True)
def sync_without_flush(stage):
    """The same with more data, none of it flushed, and databases that change places."""
    leader, follower, proxy = stage.proxied_pair()
    with Mess(stage.seed, leader, keys=20000, flushes=False) as mess:
        wait_until(lambda: mess.written > stage.some(20000) or mess.failed, "some data are there")
        for _ in range(stage.some(4)):
            _resync(stage, follower, proxy, "kill")
            target = mess.written + 2000
            wait_until(lambda: mess.written > target or mess.failed, "the writer goes on")
            proxy.heal()
            stage.caught_up(leader, follower)
    _settle(stage, leader, follower, proxy, mess)
    stage.note(f"{mess.written} commands, {leader.command('DBSIZE')} keys in database 0 at the end")


@scenario(short=True)
def long_lists(stage):
    """Lists of up to a million elements that change at both ends and within while they are sent."""
    leader, follower, proxy = stage.proxied_pair()
    sizes = [stage.some(660_000), 100_000]
    for key, size in zip(("long:a", "long:b"), sizes):
        LongList.fill(leader, key, size)
    stage.in_step(leader, follower)
    names = ["long:b", "long:c"]
    with LongList(stage.seed, leader, "long:a") as one, LongList(stage.seed + 1, leader, "long:b") as other:
        for _ in range(stage.some(3)):
            _resync(stage, follower, proxy, stage.random.choice(["kill", "lead"]))
            target = one.written + 400
            wait_until(lambda: one.written > target or one.failed, "the writer goes on")
            if stage.random.random() < 0.5:
                leader.command("RENAME", *names)
                names.reverse()
            proxy.heal()
            stage.caught_up(leader, follower)
    for writer in (one, other):
        stage.expect(writer.failed is None, f"the writer failed: {writer.failed}")
    stage.in_step(leader, follower)
    stage.note(f"{one.written + other.written} changes; {leader.command('LLEN', 'long:a')} elements")


@scenario(short=True)
def expiry(stage):
    """Keys that end within milliseconds: the follower never ends one by itself, hides them in time, and ends equal."""
    leader, follower, proxy = stage.proxied_pair()
    with Client(leader.port) as client:
        for i in range(0, stage.some(20000), 100):
            client.pipeline([["SET", f"soon:{i + j}", "x", "PX", 1 + (i + j) * 7 % 1500] for j in range(100)])
    proxy.faults.hold("back")  # the follower hears of no end, and of no time
    wait_until(lambda: leader.command("DBSIZE") == 0, "all keys have ended on the leader")
    with Client(follower.port) as client:
        seen = [i for i in range(stage.some(20000)) if client.command("GET", f"soon:{i}") is not None]
    stage.expect(not seen, f"the follower still shows {len(seen)} keys that have ended")
    stage.expect(follower.command("DBSIZE") > 0, "the follower has ended all keys by itself")
    proxy.heal()
    with Mess(stage.seed, leader, keys=500, flushes=False) as mess:
        for _ in range(stage.some(3)):
            _resync(stage, follower, proxy, "kill")
            target = mess.written + 1500
            wait_until(lambda: mess.written > target or mess.failed, "the writer goes on")
    _settle(stage, leader, follower, proxy, mess)


@scenario(short=True)
def eviction(stage):
    """Eviction on the leader: the follower, with half of its maxmemory, evicts nothing by itself and ends equal."""
    leader = stage.node("a", "--maxmemory", "24mb", "--maxmemory-policy", "allkeys-lru")
    follower = stage.node("b", "--maxmemory", "12mb", "--maxmemory-policy", "allkeys-lru")
    proxy = stage.proxy(leader)
    follower.follow(proxy.port)
    with Flood(leader, keys=40000, size=1000) as flood:
        for _ in range(stage.some(3)):
            evicted = int(leader.info("stats")["evicted_keys"])
            wait_until(lambda: int(leader.info("stats")["evicted_keys"]) > evicted + 2000 or flood.failed,
                       "the leader evicts")
            _resync(stage, follower, proxy, "kill")
            time.sleep(0.2)
            proxy.heal()
            stage.caught_up(leader, follower)
    _settle(stage, leader, follower, proxy, flood)
    evicted, there = (int(node.info("stats")["evicted_keys"]) for node in (leader, follower))
    stage.expect(there <= evicted, f"the follower evicted {there} keys, the leader {evicted}")
    stage.note(f"{evicted} keys evicted by the leader, {follower.command('DBSIZE')} left")


@scenario(short=True)
def sync_interrupted(stage):
    """Full synchronisation that is cut off in the middle: nobody sees the half of it that is there."""
    leader, follower, proxy = stage.proxied_pair()
    load = stage.load(leader, keys=Keys(registers=2000, groups=4000, lists=10), padding=300)
    with load:
        load.progress(stage.some(20000))
    writes = load.history.by_key("group")
    everything = [group for group in load.keys.groups if group in writes]
    stage.in_step(leader, follower)
    with stage.watcher(follower, load.keys) as watcher:
        watcher.only = everything
        for _ in range(stage.some(4)):
            follower.kill()
            follower.restart()
            proxy.faults.rate = 1e6
            follower.follow(proxy.port)
            wait_until(lambda: int(follower.info().get("master_sync_read_keys", 0)) > 500, "a part has come")
            began = time.monotonic()
            proxy.cut()
            seen = len(watcher.looks)
            time.sleep(0.5)
            torn = [look for look in watcher.looks[seen:] if look.start > began and None in look.value]
            stage.expect(not torn, f"{len(torn)} reads of the half that was there, of {len(watcher.looks) - seen}")
            proxy.heal()
            stage.caught_up(leader, follower)
    stage.in_step(leader, follower)
    stage.nothing_lost(load, leader)
    stage.whole(watcher, load)


@scenario(short=True)
def groups_whole(stage):
    """Wide groups at full speed, cut off in the middle too: each read of all keys from the follower sees one value."""
    leader, follower, proxy = stage.proxied_pair()
    reads = 0
    clients = [Client(follower.port) for _ in range(8)]  # on all threads of the node, whichever replication runs on
    with WideGroups(leader) as writer:
        for round_number in range(stage.some(3000)):
            values = writer.seen_by(clients[round_number % len(clients)])
            reads += bool(values)
            if len(values) > 1:
                stage.problems.append(f"read {round_number} saw parts of several groups: {sorted(map(str, values))[:5]}")
                break
            if round_number % 300 == 299:
                proxy.cut()
                proxy.heal()
    for client in clients:
        client.close()
    _settle(stage, leader, follower, proxy, writer)
    stage.note(f"{writer.written} groups, {reads} reads")


@scenario(short=True)
def large_values(stage):
    """Values of megabytes, larger than the backlog, while links are cut in the middle of them and bits flip."""
    leader, follower, proxy = stage.proxied_pair("--repl-backlog-size", "1mb")
    with LargeValues(stage.seed, leader) as writer:
        for _ in range(stage.some(8)):
            target = writer.written + stage.random.randint(1, 30)
            wait_until(lambda: writer.written > target or writer.failed, "the writer goes on")
            if stage.random.random() < 0.5:
                proxy.faults.rate = stage.random.choice([5e6, 50e6])
                time.sleep(stage.random.uniform(0, 0.3))
            if stage.random.random() < 0.5:
                proxy.cut()
            else:
                proxy.faults.corrupt("back")
            time.sleep(stage.random.uniform(0, 0.1))
            proxy.heal()
            if stage.random.random() < 0.5:
                stage.caught_up(leader, follower)
    _settle(stage, leader, follower, proxy, writer)
    stage.note(f"{writer.written} commands")


@scenario()
def many_followers(stage):
    """Four followers, one of them behind another, each with a network of its own that goes wrong, under mess."""
    leader, followers, proxies = stage.node("a", "--repl-backlog-size", "2mb"), [], []
    for name in "bcde":
        node = stage.node(name, "--repl-backlog-size", "2mb", "--repl-timeout", "3")
        proxy = stage.proxy(followers[0] if name == "e" else leader)
        node.follow(proxy.port)
        followers.append(node)
        proxies.append(proxy)
    with Mess(stage.seed, leader, keys=5000) as mess:
        for _ in range(stage.some(30)):
            proxy, way = stage.random.choice(proxies), stage.random.choice(["forth", "back"])
            stage.random.choice([proxy.cut, proxy.heal, proxy.heal, lambda: proxy.faults.hold(way),
                                 lambda: proxy.faults.corrupt(way)])()
            proxy.faults.rate = stage.random.choice([None, None, 1e6])
            time.sleep(stage.random.uniform(0, 0.2))
    for proxy in proxies:
        proxy.heal()
    stage.expect(mess.failed is None, f"the writer failed: {mess.failed}")
    stage.in_step(leader, *followers)
    stage.note(f"{mess.written} commands")


def _sync_ends(stage, backlog, fill):
    """Full synchronisation of what `fill` makes, under 50 MB/s of writes: it ends, in a few attempts."""
    leader, follower = (stage.node(name, "--repl-backlog-size", backlog) for name in "ab")
    fill(leader)
    with Flood(leader, keys=5000, size=5000, rate=50e6) as flood:
        wait_until(lambda: flood.written > 5000 or flood.failed, "all keys are there")
        began, before = time.monotonic(), flood.written
        follower.follow(leader.port)
        try:
            stage.caught_up(leader, follower)
        finally:
            seconds = time.monotonic() - began
            tries = leader.log_text().count("needs everything")
            stage.note(f"{tries} full synchronisations in {seconds:.1f} s; "
                       f"{(flood.written - before) * 5000 / seconds / 1e6:.0f} MB/s were written meanwhile")
    stage.expect(flood.failed is None, f"the writer failed: {flood.failed}")
    stage.expect(tries < 5, f"{tries} attempts until a full synchronisation ended")
    stage.in_step(leader, follower)


@scenario()
def sync_small_backlog(stage):
    """Full synchronisation of 25 MB under 50 MB/s of writes, with a backlog of 1 MB as redis has by default."""
    _sync_ends(stage, "1mb", lambda leader: None)


@scenario(short=True)
def sync_small_backlog_lists(stage):
    """The same with a list of 20 MB among the data."""
    _sync_ends(stage, "1mb", lambda leader: LongList.fill(leader, "long", 200_000, 100))


@scenario()
def sync_large_list(stage):
    """Full synchronisation of a list of 200 MB under 50 MB/s of writes, with the default backlog of 64 MB."""
    _sync_ends(stage, "64mb", lambda leader: LongList.fill(leader, "long", 2_000_000, 100))
