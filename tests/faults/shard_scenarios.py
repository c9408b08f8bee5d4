"""Static shards: leaders that die or stand still, and others that take over by themselves."""

import time

from nodes import wait_until
from scenario import scenario


FULL = "full synchronisation of about"  # in the log of a follower


def one_sync_each(stage, shard):
    """Only a node that was started empty has needed everything, and once."""
    for node in shard.nodes:
        most = max(start.count(FULL) for start in node.log_text().split("--- "))
        stage.expect(most <= 1, f"{node.name} needed full synchronisation {most} times since it was started")


def take_over(stage, shard, load, old):
    """Waits until another node than `old` serves and clients go on with it."""
    leader = shard.leader(but=old)
    load.progress(200)
    stage.note(f"{leader.name} follows {old.name}")
    return leader


def all_kept(stage, shard, load):
    """At the end: nothing acknowledged is missing, all nodes live and are equal."""
    leader = shard.in_sync()
    load.progress(200)
    load.stop()
    leader = shard.leader()
    stage.nothing_lost(load, leader)
    stage.in_step(leader, *shard.followers(leader))
    return leader


@scenario(short=True)
def shard_leader_killed(stage):
    """A shard in isr mode: kill -9 of the leader under load, again and again; it comes back empty, at once or later."""
    shard = stage.shard("isr")
    load = stage.shard_load(shard)
    with load, stage.shard_watchers(shard, load.keys) as watchers:
        for _ in range(stage.some(6)):
            leader = shard.in_sync()
            load.progress(stage.random.randint(100, 1500))
            leader.kill()
            if stage.random.random() < 0.5:
                leader.restart()
                shard.leader()
            else:
                take_over(stage, shard, load, leader)
                leader.restart()
            load.progress(300)
        all_kept(stage, shard, load)
    one_sync_each(stage, shard)
    stage.all_whole(watchers, load)


@scenario(short=True)
def shard_leader_empty(stage):
    """The same where the leader is back within 50 ms, with no data: it must not be taken for the one that had them."""
    shard = stage.shard("isr")
    with stage.shard_load(shard) as load:
        for _ in range(stage.some(6)):
            leader = shard.in_sync()
            load.progress(stage.random.randint(100, 1500))
            leader.kill()
            leader.restart()
            load.progress(300)
        all_kept(stage, shard, load)
    one_sync_each(stage, shard)


@scenario(short=True)
def shard_leader_stopped(stage):
    """SIGSTOP of the leader for 0.3 to 5 s, then SIGCONT: it may answer nothing any more once another one has led."""
    shard = stage.shard("isr")
    with stage.shard_load(shard, pinned=2) as load:
        for _ in range(stage.some(4)):
            leader = shard.in_sync()
            load.progress(stage.random.randint(100, 1500))
            leader.pause()
            if stage.random.random() < 0.4:
                time.sleep(stage.random.uniform(0.3, 1.8))  # about when the other one takes over
            else:
                take_over(stage, shard, load, leader)
                time.sleep(stage.random.uniform(0, 1.5))
            leader.go_on()
            load.progress(300)
        all_kept(stage, shard, load)
    one_sync_each(stage, shard)


@scenario(short=True)
def shard_follower_lost(stage):
    """A follower stands still, then dies: writes go on without it, and it comes back."""
    shard = stage.shard("isr")
    with stage.shard_load(shard) as load:
        for _ in range(stage.some(2)):
            leader = shard.in_sync()
            follower = stage.random.choice(shard.followers(leader))
            follower.pause()
            load.progress(500)
            follower.go_on()
            load.progress(100)
            shard.in_sync()
            follower.kill()
            load.progress(500)
            follower.restart()
        all_kept(stage, shard, load)


@scenario()
def shard_two_killed(stage):
    """Two of three die, one after the other: min-isr 1 goes on with the last one, and nothing is lost."""
    shard = stage.shard("isr", "--min-isr", "1")
    with stage.shard_load(shard) as load:
        for _ in range(stage.some(2)):
            first = shard.in_sync()
            load.progress(500)
            first.kill()
            second = take_over(stage, shard, load, first)
            second.kill()
            last = take_over(stage, shard, load, second)
            stage.expect(last.name not in (first.name, second.name), "a dead node leads")
            first.restart()
            second.restart()
        all_kept(stage, shard, load)


@scenario()
def shard_too_few(stage):
    """Two of three die with min-isr 2: the last one refuses writes until there is another one; nothing is lost."""
    shard = stage.shard("isr")
    with stage.shard_load(shard) as load:
        first = shard.in_sync()
        load.progress(500)
        first.kill()
        second = take_over(stage, shard, load, first)
        refused = load.history.refusals["NOREPLICAS"]
        second.kill()
        shard.leader()
        wait_until(lambda: load.history.refusals["NOREPLICAS"] > refused + 10, "writes are refused")
        second.restart()
        load.progress(300)
        first.restart()
        all_kept(stage, shard, load)


def _kill_all(stage, policy):
    """All nodes of a shard die under load, and come back empty."""
    shard = stage.shard("isr", "--on-total-loss", policy)
    with stage.shard_load(shard, name="lost.") as load:
        load.progress(500)
        for node in shard.nodes:
            node.kill()
        load.stop()
    for node in shard.nodes:
        node.restart()
    return shard


@scenario()
def shard_all_killed(stage):
    """All die at once and come back empty, with on-total-loss restart: they begin anew, and say so."""
    shard = _kill_all(stage, "restart")
    with stage.shard_load(shard, name="new.") as load:
        load.progress(500)
        all_kept(stage, shard, load)
    stage.expect(any("nobody has them any more" in node.log_text() for node in shard.nodes), "no node says that data are lost")


@scenario()
def shard_all_killed_stop(stage):
    """The same with on-total-loss stop: nobody serves."""
    shard = _kill_all(stage, "stop")
    time.sleep(20 * shard.scale)
    stage.expect(not any(node.serves() for node in shard.nodes), "a node serves although all data are lost")


@scenario(short=True)
def shard_arbiter_killed(stage):
    """The arbiter dies: data are served, nobody takes over from a dead leader; once it is back, somebody does."""
    shard = stage.shard("isr")
    with stage.shard_load(shard) as load:
        leader = shard.in_sync()
        shard.arbiter.kill()
        load.progress(500)
        shard.arbiter.start()
        load.progress(300)
        leader = shard.in_sync()
        shard.arbiter.kill()
        leader.kill()
        time.sleep(2 * shard.scale * 0.8 * stage.size)
        stage.expect(not any(node.alive() and node.serves() for node in shard.nodes), "a node took over without the arbiter")
        shard.arbiter.start()
        take_over(stage, shard, load, leader)
        leader.restart()
        all_kept(stage, shard, load)


@scenario()
def shard_arbiter_stopped(stage):
    """The arbiter stands still for a moment, or dies and comes back, just when a leader or a follower fails: what it was
    asked may be done late, or twice, or its answer may get lost."""
    shard = stage.shard("isr")
    with stage.shard_load(shard, pinned=2) as load:
        for _ in range(stage.some(5)):
            leader = shard.in_sync()
            load.progress(stage.random.randint(100, 500))
            victim = stage.random.choice([leader, leader, *shard.followers(leader)])
            victim.pause()
            time.sleep(stage.random.uniform(0, 2 * shard.scale))
            shard.arbiter.pause()
            if stage.random.random() < 0.5:
                victim.go_on()
            time.sleep(stage.random.uniform(0, 1.5 * shard.scale))
            if stage.random.random() < 0.3:
                shard.arbiter.kill()
                shard.arbiter.start()
            shard.arbiter.go_on()
            victim.go_on()
        all_kept(stage, shard, load)


@scenario()
def shard_chain(stage):
    """Leaders stand still one after the other, and come back: whoever has kept its data goes on without a full
    synchronisation."""
    shard = stage.shard("isr")
    load = stage.shard_load(shard, clients=3)
    with load, stage.shard_watchers(shard, load.keys) as watchers:
        shard.in_sync()
        full = [node.log_text().count(FULL) for node in shard.nodes]
        for _ in range(stage.some(6)):
            leader = shard.in_sync()
            load.progress(stage.random.randint(100, 500))
            leader.pause()
            take_over(stage, shard, load, leader)
            leader.go_on()
            load.progress(100)
        all_kept(stage, shard, load)
    stage.all_whole(watchers, load)
    for node, before in zip(shard.nodes, full):
        stage.expect(node.log_text().count(FULL) == before, f"{node.name} needed full synchronisation")


@scenario()
def shard_sync_killed(stage):
    """The leader dies while a follower that was empty gets everything from it."""
    shard = stage.shard("isr")
    leader = shard.leader()
    for part in range(stage.some(20)):  # one large command would take too long for a lease
        leader.command("DEBUG", "POPULATE", 10000, f"fill{part}", 100)
    load = stage.shard_load(shard)
    with load, stage.shard_watchers(shard, load.keys) as watchers:
        for _ in range(stage.some(3)):
            leader = shard.in_sync()
            empty = stage.random.choice(shard.followers(leader))
            empty.kill()
            full = empty.log_text().count(FULL)
            empty.restart()
            wait_until(lambda: empty.logged(FULL, since=full), "full synchronisation begins")
            time.sleep(stage.random.uniform(0, 0.3))
            leader.kill()
            take_over(stage, shard, load, leader)
            leader.restart()
        all_kept(stage, shard, load)
    stage.all_whole(watchers, load)


@scenario()
def shard_mixed(stage):
    """Any fault at any node at any time, one at a time, in the mode isr."""
    shard = stage.shard("isr")
    load = stage.shard_load(shard, pinned=2)
    with load, stage.shard_watchers(shard, load.keys) as watchers:
        for _ in range(stage.some(8)):
            shard.in_sync()
            load.progress(stage.random.randint(20, 600))
            node = stage.random.choice([shard.leader(), shard.leader(), *shard.nodes])
            if stage.random.random() < 0.5:
                node.kill()
                time.sleep(stage.random.choice([0, 0, 0.02, 0.2, 1]))
                node.restart()
            else:
                node.pause()
                time.sleep(stage.random.choice([0.1, 0.5, 1, 1.5, 2, 3]))
                node.go_on()
        all_kept(stage, shard, load)
    stage.all_whole(watchers, load)


@scenario()
def shard_storm(stage):
    """Nodes and the arbiter stand still and go on, several at a time, and one dies in each round, in the mode isr."""
    shard = stage.shard("isr")
    with stage.shard_load(shard, pinned=2) as load:
        for _ in range(stage.some(5)):
            shard.in_sync()
            load.progress(200)
            still, victim = set(), stage.random.choice([*shard.nodes, None])  # two would be all that is in sync, perhaps
            for _ in range(stage.random.randint(3, 12)):
                one = stage.random.choice([*shard.nodes, *shard.nodes, shard.arbiter])
                if one in still:
                    one.go_on()
                elif one is victim and stage.random.random() < 0.5:
                    one.kill()
                    time.sleep(stage.random.choice([0, 0.1]))
                    one.restart()
                    victim = None
                    continue
                else:
                    one.pause()
                still ^= {one}
                time.sleep(stage.random.choice([0, 0.1, 0.5, 1, 2]))
            for one in still:
                one.go_on()
        all_kept(stage, shard, load)


@scenario()
def shard_leader_ends(stage):
    """SIGTERM of the leader, a rolling restart of all: nothing is lost."""
    shard = stage.shard("isr")
    with stage.shard_load(shard) as load:
        for _ in range(stage.some(4)):
            leader = shard.in_sync()
            load.progress(stage.random.randint(100, 500))
            leader.end()
            began = time.monotonic()
            take_over(stage, shard, load, leader)
            stage.note(f"{time.monotonic() - began:.2f} s until 200 more operations are acknowledged")
            leader.restart()
        all_kept(stage, shard, load)


@scenario()
def shard_twin(stage):
    """A second process with the name of a node: the first one ends, nothing is lost."""
    shard = stage.shard("isr")
    with stage.shard_load(shard) as load:
        leader = shard.in_sync()
        load.progress(300)
        old = leader.process
        try:
            leader.node_port = 0
            leader.start()  # on other ports
            load.addresses = shard.addresses()
            wait_until(lambda: old.poll() is not None, "the process whose name another one has taken ends")
        finally:
            old.kill()
        load.progress(300)
        all_kept(stage, shard, load)
