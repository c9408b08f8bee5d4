#!/usr/bin/python3
"""Compares a server with redis-server byte for byte: hand-written cases, documented replies, random commands."""

import argparse
import io
import pathlib
import secrets
import sys

import casefile
import servers
from caserun import CaseRunner
from randomrun import RandomRun
from report import Report

HERE = pathlib.Path(__file__).resolve().parent
DEFAULT_SERVER = HERE.parent.parent / "build/release/bin/magpie-server"
DEFAULT_SEED = 1
DEFAULT_RANDOM = 50000


def parse_args(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default=str(DEFAULT_SERVER), help="the server under test, or the word `oracle`")
    parser.add_argument("--resp", choices=["2", "3", "both"], default="both")
    parser.add_argument("--only", choices=["cases", "documented", "random"], help="one of the three parts")
    parser.add_argument("--filter", default="", help="only blocks whose file/title contains this; no random run unless --random is given")
    parser.add_argument("--random", type=int, default=None, metavar="N", help=f"random commands per RESP version ({DEFAULT_RANDOM})")
    parser.add_argument("--seed", type=int, default=None, help=f"of the random commands ({DEFAULT_SEED})")
    parser.add_argument("--fresh", action="store_true", help="a new seed, which is printed")
    parser.add_argument("--show", type=int, default=40, help="how many differences to print in full")
    parser.add_argument("--print", action="store_true", dest="show_all", help="every line of the blocks with the oracle's reply")
    parser.add_argument("--self-test", action="store_true", help="shows that the harness can pass and can fail")
    options = parser.parse_args(argv)
    options.versions = [2, 3] if options.resp == "both" else [int(options.resp)]
    if options.random is None:
        options.random = 0 if options.filter else DEFAULT_RANDOM
    if options.seed is None:
        options.seed = secrets.randbelow(2**31) if options.fresh else DEFAULT_SEED
    return options


def blocks_of(options, part):
    if options.only not in (None, part):
        return []
    paths = sorted((HERE / "cases").glob("*.txt")) if part == "cases" else [HERE / "documented.txt"]
    found = [block for path in paths for block in casefile.load(path)]
    return [block for block in found if options.filter.lower() in block.name.lower()]


def run_block(cases, block, version, pending):
    """A block that is known not to agree yet must not agree; see pending.txt."""
    reason = pending.get(block.name)
    if reason is None:
        return cases.run(block, version)
    report, cases.report = cases.report, Report(0, io.StringIO())
    cases.run(block, version)
    trial, cases.report = cases.report, report
    if version in block.resp:
        if trial.failed:
            report.skip(f"{block.name} RESP{version} ({reason})")
        else:
            report.difference(block.name, ["it agrees now: take it out of pending.txt"], "tests/compat/run.py")


def run_all(options, ours, theirs, report):
    """All parts that the options ask for, against two running servers."""
    repeat_with = "tests/compat/run.py" + (f" --server {options.server}" if options.server != str(DEFAULT_SERVER) else "")
    pending = casefile.load_pending(HERE / "pending.txt") if options.server != "oracle" else {}
    cases = CaseRunner(ours, theirs, report, repeat_with, options.show_all)
    for block in blocks_of(options, "cases"):
        for version in options.versions:
            run_block(cases, block, version, pending)
    if options.server != "oracle":
        documented = CaseRunner(ours, None, report, repeat_with, options.show_all)
        for block in blocks_of(options, "documented"):
            for version in options.versions:
                run_block(documented, block, version, pending)
    if options.random and options.only in (None, "random"):
        report.say(f"random commands: {options.random} per RESP version, seed {options.seed}")
        for version in options.versions:
            RandomRun(ours, theirs, report, repeat_with, options.seed, version).run(options.random)


def main(argv):
    options = parse_args(argv)
    if options.self_test:
        import selftest

        return selftest.main()
    report = Report(options.show)
    started = []
    try:
        started.append(servers.oracle("second") if options.server == "oracle" else servers.ours(options.server))
        started.append(servers.oracle())
        for server in started:
            server.start()
        run_all(options, *started, report)
    except (servers.ServerFailed, casefile.CaseError) as problem:
        report.difference("cannot run", str(problem).splitlines(), "tests/compat/run.py")
    finally:
        for server in started:
            server.stop()
    return report.end()


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except BrokenPipeError:
        code = 1
        sys.stdout = None  # `run.py | head`: nothing is left to flush to
    sys.exit(code)
