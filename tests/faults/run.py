#!/usr/bin/python3
"""Faults between real nodes, under load, and checkers of what clients saw: tests/faults/run.py --scenario NAME

Without --scenario all of them run, with --short those of the short form. The last line is "N passed, M failed". A
failure prints the command that repeats it and keeps the nodes' logs.
"""

import argparse
import pathlib
import secrets
import shutil
import sys
import tempfile
import time
import traceback

import crash_scenarios  # noqa: F401  (they register themselves)
import network_scenarios  # noqa: F401
import partition_scenarios  # noqa: F401
import role_scenarios  # noqa: F401
import selftest
import shard_mode_scenarios  # noqa: F401
import shard_scenarios  # noqa: F401
import sync_scenarios  # noqa: F401
import tamper_scenarios  # noqa: F401
import wire_scenarios  # noqa: F401
from client import BROKEN
from netns import NotHere
from nodes import Failure
from scenario import SCENARIOS, Stage

HERE = pathlib.Path(__file__).resolve().parent
DEFAULT_SERVER = HERE.parent.parent / "build/release/bin/magpie-server"
SIZES = {True: 0.5, False: 1.5}  # of the short and of the long form


def parse_args(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=str(DEFAULT_SERVER))
    parser.add_argument("--scenario", action="append", choices=sorted(SCENARIOS), metavar="NAME", help="may be repeated")
    parser.add_argument("--seed", type=int, help="of the first round; a new one, which is printed, by default")
    parser.add_argument("--rounds", type=int, default=1, help="each with the next seed")
    parser.add_argument("--short", action="store_true", help="less of everything")
    parser.add_argument("--list", action="store_true", help="the scenarios")
    parser.add_argument("--self-test", action="store_true", help="only the checkers, on histories that are known")
    parser.add_argument("--keep", action="store_true", help="keep the logs of good rounds too")
    return parser.parse_args(argv)


def list_scenarios():
    for name, function in SCENARIOS.items():
        mark = "short" if function.short else "known" if function.known else ""
        print(f"{name:25} {mark:6} {' '.join(function.__doc__.split())}")
        if function.known:
            print(f"{'':32} (not mended: {function.known})")
    return 0


def run_round(options, name, seed):
    """True if all was well."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"faults-{name}-{seed}-"))
    stage = Stage(pathlib.Path(options.server).resolve(), folder, seed, SIZES[options.short])
    began = time.monotonic()
    try:
        SCENARIOS[name](stage)
    except NotHere as reason:
        stage.note(f"left out: {reason}")
    except (Failure, *BROKEN) as problem:
        stage.problems.append(f"{type(problem).__name__}: {problem} ({_place()})")
    except Exception:  # a mistake of the test: its rest must still be cleared away
        stage.problems.append(traceback.format_exc())
    finally:
        stage.close()
    seconds = time.monotonic() - began
    print(f"{'FAILED' if stage.problems else 'ok'} {name} (seed {seed}, {seconds:.1f} s)", flush=True)
    for note in stage.notes:
        print(f"    {note}")
    if stage.problems:
        for problem in stage.problems[:20]:
            print(f"  ! {problem}")
        short = " --short" if options.short else ""
        server = "" if options.server == str(DEFAULT_SERVER) else f" --server {options.server}"
        print(f"  repeat: tests/faults/run.py --scenario {name} --seed {seed}{short}{server}\n  logs: {folder}", flush=True)
    if options.keep or stage.problems:
        print(f"    logs: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return not stage.problems


def _place():
    """Where in a scenario the present exception arose."""
    for frame in reversed(traceback.extract_tb(sys.exc_info()[2])):
        if "_scenarios" in frame.filename:
            return f"{pathlib.Path(frame.filename).name}:{frame.lineno}"
    return "?"


def main(argv):
    options = parse_args(argv)
    sys.setswitchinterval(0.0005)  # many threads that each do little
    if options.list:
        return list_scenarios()
    passed, failed = selftest.run()
    if not options.self_test:
        names = options.scenario or [name for name, function in SCENARIOS.items()
                                     if function.short or not (options.short or function.known)]
        seed = options.seed if options.seed is not None else secrets.randbelow(2**31)
        for round_number in range(options.rounds):
            for name in names:
                good = run_round(options, name, seed + round_number)
                passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
