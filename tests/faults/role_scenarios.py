"""Histories that fork: nodes that lead one after the other, or beside each other, and are joined again."""

import time

from chaos import Mess
from nodes import wait_until
from scenario import scenario


@scenario(short=True)
def roles_swapped(stage):
    """REPLICAOF back and forth under load, without care: losses are allowed, but not parts of writes or differences."""
    one, other = stage.pair()
    load = stage.load(stage.leader_port(one, other))
    with load, stage.watcher(one, load.keys) as watcher, stage.watcher(other, load.keys) as second:
        for _ in range(stage.some(6)):
            load.progress(200)
            other.lead()
            time.sleep(stage.random.choice([0, 0, 0.05]))
            one.follow(other.port)
            if stage.random.random() < 0.5:
                stage.caught_up(other, one)
            one, other = other, one
        load.progress(200)
        load.stop()
    stage.check(load.history.surprises[:5])
    stage.in_step(one, other)
    for reader in (watcher, second):
        stage.whole(reader, load)


@scenario(short=True)
def roles_swapped_mess(stage):
    """Three nodes that each write whatever they may, while their roles change at random: all end equal."""
    nodes = [stage.node(name) for name in "abc"]
    writers = [Mess(f"{stage.seed}:{node.name}", node, keys=300, pause=0.002) for node in nodes]
    for writer in writers:
        writer.stubborn = True
        writer.start()
    for _ in range(stage.some(24)):
        one, other = stage.random.sample(nodes, 2)
        what = stage.random.random()
        if what < 0.35:
            one.lead()
        elif what < 0.9:
            one.follow(other.port)
        else:
            one.kill()
            one.restart()
        time.sleep(stage.random.choice([0, 0.02, 0.2, 0.5]))
    for writer in writers:
        writer.__exit__()
        stage.expect(writer.failed is None, f"the writer of {writer.node.name} failed: {writer.failed}")
    first, *rest = stage.random.sample(nodes, 3)
    first.lead()
    for node in rest:
        node.follow(first.port)
    stage.in_step(first, *rest)
    stage.note(f"{[writer.written for writer in writers]} commands")


@scenario(short=True)
def diverged(stage):
    """Two that led beside each other are joined, either way: what only the loser had is gone, the winner's is there."""
    one, other = stage.pair()
    for round_number in range(stage.some(3)):
        other.lead()
        same = stage.random.random() < 0.3  # nothing is written on one side
        with stage.load(one, name=f"x{round_number}.") as lost:
            lost.progress(1 if same else stage.random.randint(1, 500))
        before = lost.keys.snapshot(other)
        with stage.load(other, name=f"y{round_number}.") as kept:
            kept.progress(stage.random.randint(1, 500))
        one.follow(other.port)
        stage.in_step(other, one)
        stage.nothing_lost(kept, one, before)
        if stage.random.random() < 0.5:
            one, other = other, one
            one.follow(1)  # nobody is there
            other.lead()
            one.follow(other.port)
            stage.in_step(other, one)


@scenario(short=True)
def laggard_promoted(stage):
    """Of two followers the one that lags is promoted, and the other, which has more, follows it: both end equal."""
    leader, ahead, behind = stage.node("a"), stage.node("b"), stage.node("c")
    proxy = stage.proxy(leader)
    ahead.follow(leader.port)
    behind.follow(proxy.port)
    stage.in_step(leader, ahead, behind)
    load = stage.load(leader)
    with load:
        load.progress(500)
        proxy.cut()
        load.progress(500)
        leader.kill()
        load.stop()
    behind.lead()
    left, _ = stage.only_tail_lost(load, behind)
    if stage.random.random() < 0.5:  # its log gets as long as the other's, or longer
        with stage.load(behind, name="d") as load:
            load.progress(stage.random.randint(1, 2000))
        left = stage.nothing_lost(load, behind, left)
    ahead.follow(behind.port)
    leader.restart()
    leader.follow(ahead.port)
    with stage.load(behind, name="e") as load:
        load.progress(300)
        stage.caught_up(behind, ahead, leader)
    stage.in_step(behind, ahead, leader)
    stage.nothing_lost(load, behind, left)


@scenario(short=True)
def leader_empty(stage):
    """The leader dies and is back at once, empty, on its port: its followers end empty as well, or with what is new."""
    leader, follower = stage.pair()
    third = stage.node("c")
    third.follow(follower.port)
    for _ in range(stage.some(2)):
        with stage.load(leader) as load:
            load.progress(500)
            leader.kill()
            load.stop()
        leader.restart()
        leader.command("SET", "new", stage.random.random())
        stage.in_step(leader, follower, third)


@scenario(short=True)
def follows_itself(stage):
    """A node that follows itself, a ring of two, and a leader that nobody is at: the link stays down; all end well."""
    one, other = stage.pair()
    one.command("SET", "key", "value")
    one.follow(one.port)
    wait_until(lambda: one.info().get("master_link_down_reason"), "a node does not follow itself")
    stage.expect(one.command("GET", "key") == b"value", "a node that follows itself lost its data")
    one.follow(other.port)  # which follows it
    time.sleep(0.3)
    other.lead()
    stage.in_step(other, one)
    one.follow(1)
    wait_until(lambda: one.info().get("master_link_down_reason"), "INFO says that nobody is there")
    one.follow(other.port)
    stage.in_step(other, one)
