"""A network of nodes in namespaces of Linux, in which the way between any two of them can be cut, each way by itself.

Needs to be root, and `ip`. Whatever is sent to a node that is cut off goes to a hardware address that nobody has: it is
lost in silence, as in a network that is broken. All is in a namespace of its own, so the machine's network stays as it is.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess

CLONE_NEWNET = 0x40000000
NOBODY = "02:00:00:00:ff:ff"


class NotHere(Exception):
    """This machine or user has no namespaces of the network."""


def _ip(*words):
    subprocess.run(["ip", *map(str, words)], check=True, capture_output=True)


def _enter(namespace):
    if ctypes.CDLL(None).setns(namespace, CLONE_NEWNET) != 0:
        raise RuntimeError("there is no way back to the machine's network")


class Network:
    """A switch, to which the thread that makes it is connected (as are threads that it starts), and hosts.
    close() brings the thread back to where it was."""

    def __init__(self, names):
        if os.geteuid() != 0 or shutil.which("ip") is None:
            raise NotHere("it needs to be root, and ip of iproute2")
        self.before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.prefix = f"faults-{os.getpid()}-"
        self.addresses = {}
        if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
            raise NotHere("it may not make a namespace of the network")
        try:
            self._make(names)
        except BaseException:
            self.close()
            raise

    def _make(self, names):
        _ip("link", "set", "lo", "up")
        _ip("link", "add", "switch", "type", "bridge")
        _ip("addr", "add", "10.9.0.1/24", "dev", "switch")
        _ip("link", "set", "switch", "up")
        for number, name in enumerate(names):
            self._add(name, f"10.9.0.{number + 10}", f"port{number}")

    def _add(self, name, address, port):
        namespace = self.prefix + name
        _ip("netns", "add", namespace)
        self.addresses[name] = address
        _ip("link", "add", port, "type", "veth", "peer", "name", "net0", "netns", namespace)
        _ip("link", "set", port, "master", "switch", "up")
        _ip("-n", namespace, "link", "set", "lo", "up")
        _ip("-n", namespace, "addr", "add", f"{address}/24", "dev", "net0")
        _ip("-n", namespace, "link", "set", "net0", "up")

    def wrapper(self, name):
        """What runs a command on a host."""
        return ["ip", "netns", "exec", self.prefix + name]

    def cut_way(self, source, target):
        """Nothing gets from one to the other any more; the way back is not changed."""
        _ip("-n", self.prefix + source, "neigh", "replace", self.addresses[target], "lladdr", NOBODY, "dev", "net0", "nud",
            "permanent")

    def cut(self, one, *others):
        for other in others:
            self.cut_way(one, other)
            self.cut_way(other, one)

    def slow_down(self, name, kilobits):
        """What a host sends gets no faster, and what waits for too long is lost; None: as fast as ever."""
        how = ["root", "tbf", "rate", f"{kilobits}kbit", "burst", "16kb", "latency", "300ms"] if kilobits else ["root"]
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("netns", "exec", self.prefix + name, "tc", "qdisc", "replace" if kilobits else "del", "dev", "net0", *how)

    def heal(self):
        for source in self.addresses:
            self.slow_down(source, None)
            for target in self.addresses:
                with contextlib.suppress(subprocess.CalledProcessError):
                    _ip("-n", self.prefix + source, "neigh", "del", self.addresses[target], "dev", "net0")

    def close(self):
        for name in self.addresses:
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", self.prefix + name)
        self.addresses = {}
        if self.before is not None:
            _enter(self.before)
            os.close(self.before)
            self.before = None
