#!/usr/bin/python3
"""Runs real clients against a node: tests/clients/run.py [--server BIN]. The last line is "N passed, M failed[, K skipped]".

redis-cli and redis-benchmark, redis-py, hiredis (compiled here), and ioredis from the npm registry, locked to a version and
skipped by name where the registry does not answer; a program that is missing is a failure. Programs print "ok NAME" or "failed NAME: why", one line per check.
"""
import argparse, os, re, shutil, socket, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
START_SECONDS = 20
passed, failed, skipped = [], [], []


def note(name, holds, why=""):
    (passed if holds else failed).append(name)
    print("%s %s%s" % ("ok" if holds else "FAILED", name, "" if holds else ": " + str(why)[-600:]))


def skip(name, why):
    skipped.append(name)
    print("skipped %s: %s" % (name, why))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(binary, folder):
    port = free_port()
    log = open(os.path.join(folder, "node.log"), "w")
    process = subprocess.Popen([binary, "--port", str(port), "--threads", "2"], cwd=folder, stdout=log, stderr=log)
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit("the node did not start: " + open(log.name).read())
        try:
            ping = subprocess.run(["redis-cli", "-p", str(port), "ping"], capture_output=True, text=True, timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            break
        if ping.stdout == "PONG\n":
            return process, port
        time.sleep(0.02)
    process.kill()
    process.wait()
    sys.exit("the node did not answer PING within %d s: %s" % (START_SECONDS, open(log.name).read()))


def program(name, command, **options):
    """A program that prints a line per check."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    except subprocess.TimeoutExpired:
        return note(name, False, "no answer within 120 s")
    for line in run.stdout.splitlines():
        if line.startswith("ok "):
            note("%s %s" % (name, line[3:]), True)
        elif line.startswith("failed "):
            note("%s %s" % (name, line[7:]), False, "see above")
    if run.returncode != 0 and "failed " not in run.stdout:
        note(name, False, run.stderr or run.stdout)


def redis_cli(port):
    def cli(*arguments, stdin=None, timeout=30):
        return subprocess.run(["redis-cli", "-p", str(port), *arguments], input=stdin, capture_output=True, text=True, timeout=timeout).stdout

    def live(*arguments, wanted, during=None):
        """A mode that runs until it is ended: waits for what must appear."""
        process = subprocess.Popen(["stdbuf", "-oL", "redis-cli", "-p", str(port), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(process.stdout.fileno(), False)
        seen, end = "", time.monotonic() + 20
        while not re.search(wanted, seen) and time.monotonic() < end:
            if during:
                during()
            seen += (process.stdout.read() or b"").decode()
            time.sleep(0.05)
        process.kill()
        process.wait()
        return seen

    cli("flushall")
    out = cli(stdin="set key value\nget key\nincr n\nmget key nothing\nhello 3\nget nothing\n")
    note("redis-cli interactive", '"value"' in out or "value" in out and "redis" in out, out)
    pipe = "".join("*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$1\r\nx\r\n" % (len(k), k) for k in ("pipe:%d" % i for i in range(5000)))
    out = cli("--pipe", stdin=pipe)
    note("redis-cli --pipe", "errors: 0, replies: 5000" in out, out)
    out = cli("--bigkeys")
    note("redis-cli --bigkeys", re.search(r"500[0-9] strings", out), out)
    out = cli("--memkeys")
    note("redis-cli --memkeys", re.search(r"Sampled 500[0-9] keys", out), out)
    out = cli("--scan", "--pattern", "pipe:*")
    note("redis-cli --scan", len(set(out.split())) == 5000, len(out.split()))
    out = live("--stat", wanted=r"\n500[0-9] ")
    note("redis-cli --stat", re.search(r"\n500[0-9] ", out), out)
    out = live("--latency", "-i", "1", "--raw", wanted=r"\d")
    note("redis-cli --latency", re.search(r"\d", out), out)
    out = live("monitor", wanted=r'"get" "seen"', during=lambda: cli("get", "seen"))
    note("redis-cli monitor", re.search(r'"get" "seen"', out), out)
    out = cli("-3", "hello")
    note("redis-cli -3", "proto" in out, out)


def redis_benchmark(port):
    tests = "ping_inline,ping_mbulk,set,get,incr,mset"
    run = subprocess.run(["redis-benchmark", "-p", str(port), "-t", tests, "-n", "20000", "-P", "8", "-r", "1000", "--csv"], capture_output=True, text=True, timeout=120)
    rows = [line for line in run.stdout.splitlines() if re.match(r'"(PING|SET|GET|INCR|MSET)', line)]
    note("redis-benchmark string tests", len(rows) == 6 and "rror" not in run.stderr, run.stdout + run.stderr)


def hiredis(port, folder):
    compiler = shutil.which("cc")
    binary = os.path.join(folder, "hiredis_work")
    build = subprocess.run([compiler, "-O1", "-o", binary, os.path.join(HERE, "hiredis_work.c"), "-lhiredis"], capture_output=True, text=True)
    if build.returncode != 0:
        return note("hiredis", False, build.stderr)
    program("hiredis", [binary, str(port)])


def ioredis(port, folder):
    if shutil.which("npm") is None:
        return note("ioredis", False, "npm is not installed: scripts/packages.sh test")
    work = os.path.join(folder, "ioredis")
    shutil.copytree(os.path.join(HERE, "ioredis"), work)
    try:
        install = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=work, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return skip("ioredis (the npm registry did not answer)", "no answer within 120 s")
    if install.returncode != 0:
        return skip("ioredis (the npm registry did not answer)", install.stderr[-300:])
    program("ioredis", ["node", "usual_work.mjs", str(port)], cwd=work)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="build/release/bin/magpie-server")
    binary = os.path.abspath(parser.parse_args().server)
    with tempfile.TemporaryDirectory() as folder:
        process, port = start(binary, folder)
        try:
            redis_cli(port)
            redis_benchmark(port)
            program("redis-py", ["/usr/bin/python3", os.path.join(HERE, "redis_py_work.py"), str(port)])
            hiredis(port, folder)
            ioredis(port, folder)
        finally:
            process.terminate()
            status = process.wait(timeout=20)
        note("the node shuts down cleanly", status == 0, "exit status %d" % status)
    print("%d passed, %d failed%s" % (len(passed), len(failed), ", %d skipped" % len(skipped) if skipped else ""))
    sys.exit(1 if failed else 0)


main()
