"""Static shards in the modes async and semi, and what single clients may ask for."""

import time

from load import Keys
from nodes import wait_until
from scenario import scenario
from shard_load import ShardMess
from shard_scenarios import all_kept, take_over
from shard_sessions import Session


def _sessions(stage, mode):
    shard = stage.shard(mode)
    with Session(stage.seed, shard) as session:
        for _ in range(stage.some(4)):
            leader = shard.in_sync()
            count = len(session.written)
            wait_until(lambda: len(session.written) > count + 50, "a session writes")
            stop = stage.random.random() < 0.5
            leader.pause() if stop else leader.kill()
            shard.leader(but=leader)
            leader.go_on() if stop else leader.restart()
        count = session.here
        wait_until(lambda: session.here > count + 50, "a session finds what it has written")
    stage.note(f"{len(session.written)} writes, {session.here} times there, {session.elsewhere} times not")
    stage.check(session.problems[:5])


@scenario()
def shard_sessions(stage):
    """Reads on followers of what was written before, with CLIENT LSN and CLIENT AWAIT, across failovers."""
    _sessions(stage, "isr")


@scenario()
def shard_sessions_async(stage):
    """The same in the mode async, where writes are lost: what is not there is not told to be there."""
    _sessions(stage, "async")


def _killed_or_stopped(stage, mode, stop):
    """Rounds in which the leader dies or stands still: what is missing on the next one is a tail, and in the mode semi
    nothing that was acknowledged."""
    shard = stage.shard(mode, "--maxmemory-policy", "noeviction")
    left = None
    for round_number in range(stage.some(4)):
        leader = shard.in_sync()
        padding = stage.random.choice([0, 1000, 5000])
        # Of this node only: the next one may lead before these clients know that they are to end.
        load = stage.shard_load(shard, clients=0, pinned=5, only=leader, padding=padding, pause=0, sure=mode == "semi",
                                name=f"c{round_number}.")
        with load:
            load.progress(stage.random.randint(200, 1500))
            leader.pause() if stop else leader.kill()
            load.over.set()
            new = shard.leader(but=leader)
            with stage.shard_load(shard, clients=1, pinned=0, keys=Keys("other:"), name=f"o{round_number}.") as others:
                others.progress(50)  # the new leader has acknowledged something, beside what is judged
            since = time.monotonic()
            leader.go_on() if stop else leader.restart()
            load.stop()
        left, lost = stage.only_tail_lost(load, new, left)
        late = [op for op in lost if op.end > since]
        stage.expect(not late, f"{len(late)} writes were acknowledged by a leader of the past, and are lost: {late[:3]}")
    stage.in_step(shard.in_sync(), *shard.followers())


@scenario(short=True)
def shard_async_killed(stage):
    """A shard in async mode, leader killed: only a tail is lost."""
    _killed_or_stopped(stage, "async", stop=False)


@scenario(short=True)
def shard_async_stopped(stage):
    """The same where it stands still and goes on: it acknowledges nothing any more, and gives up the tail."""
    _killed_or_stopped(stage, "async", stop=True)


@scenario(short=True)
def shard_semi_killed(stage):
    """A shard in semi mode, leader killed: nothing that was acknowledged is lost."""
    _killed_or_stopped(stage, "semi", stop=False)


@scenario()
def shard_semi_stopped(stage):
    """The same where it stands still and goes on."""
    _killed_or_stopped(stage, "semi", stop=True)


ALL_CONFIRMED = [["CLIENT", "DURABILITY", "ISR"], ["CLIENT", "READS", "STRICT"]]


@scenario()
def shard_durability(stage):
    """A shard in async mode with clients that want CLIENT DURABILITY ISR and CLIENT READS STRICT: as in the mode isr."""
    shard = stage.shard("async")
    with stage.shard_load(shard, greeting=ALL_CONFIRMED) as load:
        for _ in range(stage.some(4)):
            leader = shard.in_sync()
            load.progress(stage.random.randint(100, 1000))
            if stage.random.random() < 0.5:
                leader.kill()
                take_over(stage, shard, load, leader)
                leader.restart()
            else:
                leader.pause()
                take_over(stage, shard, load, leader)
                leader.go_on()
        all_kept(stage, shard, load)


def _mess(stage, mode, *args, flushes=True):
    """Leaders and followers fail under a mess of commands: all nodes end equal."""
    shard = stage.shard(mode, *args)
    with ShardMess(stage.seed, shard, keys=300, flushes=flushes) as mess, \
            ShardMess(stage.seed + 1, shard, keys=300, flushes=flushes) as more:
        for _ in range(stage.some(8)):
            leader = shard.in_sync()
            written = mess.written
            wait_until(lambda: mess.written > written + 500 or mess.failed, "a mess is made")
            node = stage.random.choice([leader, leader, *shard.nodes])
            if stage.random.random() < 0.5:
                node.kill()
                time.sleep(stage.random.choice([0, 0.3]))
                node.restart()
            else:
                node.pause()
                time.sleep(stage.random.uniform(0, 3))
                node.go_on()
        shard.in_sync()
    for writer in (mess, more):
        stage.expect(writer.failed is None, f"the writer failed: {writer.failed}")
    stage.note(f"{mess.written + more.written} commands")
    leader = shard.in_sync()
    stage.in_step(leader, *shard.followers(leader))


@scenario()
def shard_mess(stage):
    """Faults under a mess of commands, all that can change keys, in the mode isr: all nodes end equal."""
    _mess(stage, "isr")


@scenario()
def shard_mess_async(stage):
    """The same in the mode async, where former leaders give up what they have written: with FLUSHALL and SWAPDB by full
    synchronisation."""
    _mess(stage, "async")


@scenario()
def shard_mess_repair(stage):
    """The same without commands that change whole databases: by fetching keys; and with a log that is often too short."""
    _mess(stage, "async", flushes=False)
    stage.close()
    _mess(stage, "async", "--repl-backlog-size", "128kb", flushes=False)


@scenario(short=True)
def shard_memory(stage):
    """A follower with less maxmemory than its leader is kept up, but not in sync until it has as much (R22)."""
    shard = stage.shard("isr", "--maxmemory", "100mb")
    leader = shard.in_sync()
    small = stage.random.choice(shard.followers(leader))
    small.kill()
    small.restart("--maxmemory", "99mb")
    refusal = f"{small.name} cannot join the in-sync replicas"
    wait_until(lambda: leader.logged(refusal), "the leader says why it does not join")
    leader.command("SET", "kept", "up")
    wait_until(lambda: small.digest() == leader.digest(), "it has the data all the same")
    stage.check([f"{small.name} is in sync"] if small.name in shard.names_in_sync(leader) else [])
    small.command("CONFIG", "SET", "maxmemory", "100mb")
    shard.in_sync()
