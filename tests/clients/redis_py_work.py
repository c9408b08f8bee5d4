"""What an application does with redis-py: redis_py_work.py PORT. Prints one line per check."""
import sys, threading

import redis

PORT = int(sys.argv[1])
client = redis.Redis(port=PORT, db=2, client_name="redis-py-test", decode_responses=True)


def sets_and_gets():
    assert client.set("session:1", "data", ex=100)
    assert client.get("session:1") == "data"
    assert 90 < client.ttl("session:1") <= 100
    assert client.set("session:1", "other", nx=True) is None
    assert client.getex("session:1", persist=True) == "data" and client.ttl("session:1") == -1


def counts():
    client.delete("n")
    assert [client.incr("n"), client.incrby("n", 41), client.decr("n")] == [1, 42, 41]
    assert client.incrbyfloat("n", 0.5) == 41.5


def pipelines_and_transactions():
    with client.pipeline() as pipe:
        assert pipe.set("a", 1).incr("a").get("a").execute() == [True, 2, "2"]
    with client.pipeline() as pipe:
        pipe.watch("a")
        client.set("a", "changed")
        pipe.multi()
        pipe.set("a", "mine")
        try:
            pipe.execute()
            raise AssertionError("the watched key changed, EXEC should have failed")
        except redis.WatchError:
            pass


def many_keys():
    client.flushdb()
    client.mset({"k%d" % i: i for i in range(1000)})
    assert client.mget("k1", "nothing", "k999") == ["1", None, "999"]
    assert len(set(client.scan_iter("k*", count=100))) == 1000 == client.dbsize()
    assert client.delete(*["k%d" % i for i in range(1000)]) == 1000


def locks():
    # redis-py's own lock releases with a script; acquiring is what a node without scripts can serve.
    lock = client.lock("lock:job", timeout=10)
    assert lock.acquire(blocking=False) and not client.lock("lock:job", timeout=10).acquire(blocking=False)


def errors():
    client.set("text", "abc")
    try:
        client.incr("text")
        raise AssertionError("INCR of a text should fail")
    except redis.ResponseError as problem:
        assert "not an integer" in str(problem)


def server_facts():
    info = client.info()
    assert info["redis_version"] == "7.2.4" and info["maxmemory_policy"] == "noeviction"
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert any(one["name"] == "redis-py-test" for one in client.client_list())
    assert client.command_count() > 50 and "get" in client.command()


def many_threads():
    pool = redis.ConnectionPool(port=PORT, db=2, max_connections=8)
    client.set("shared", 0)

    def work():
        mine = redis.Redis(connection_pool=pool)
        for _ in range(200):
            mine.incr("shared")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert int(client.get("shared")) == 800


failed = 0
for check in (sets_and_gets, counts, pipelines_and_transactions, many_keys, locks, errors, server_facts, many_threads):
    try:
        check()
        print("ok", check.__name__)
    except Exception as problem:  # a failed check must not hide the others
        failed += 1
        print("failed %s: %r" % (check.__name__, problem))
sys.exit(1 if failed else 0)
