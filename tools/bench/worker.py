"""What all peers have in common.

A worker says one line of JSON once its first step is done, then answers every line of JSON on standard input with one
of its own, until that ends. Nothing runs in between, so that workers can take turns on one machine.

What is timed is a callable that does `steps` steps per call and returns the loss of the last.
"""

import json
import resource
import statistics
import sys
import time


def say(**values) -> None:
    print(json.dumps(values), flush=True)


def serve(train) -> None:
    """Does a step and says so, then answers requests {"seconds": s}."""
    train()
    say(memory_mib=memory_mib())
    for line in sys.stdin:
        times, loss = timed(train, json.loads(line)["seconds"])
        say(ms=times, loss=loss, memory_mib=memory_mib())


def timed(train, seconds: float):
    """Milliseconds per step of each call, as many as fit into `seconds`, two at least; and the last loss."""
    times, end = [], time.perf_counter() + seconds
    while len(times) < 2 or time.perf_counter() < end:
        start = time.perf_counter()
        loss = train()
        times.append(1e3 * (time.perf_counter() - start) / train.steps)
    return times, loss


def trial(settings: dict) -> None:
    """Says the median milliseconds per step of each way to do the same thing, measured in turns."""
    times = {name: [] for name in settings}
    for train in settings.values():
        timed(train, 0.5)  # compilation, caches
    for _ in range(3):
        for name, train in settings.items():
            times[name] += timed(train, 0.5)[0]
    say(trial={name: statistics.median(values) for name, values in times.items()})


def memory_mib() -> float:
    """The most memory that this process ever had."""
    return mib(resource.getrusage(resource.RUSAGE_SELF))


def mib(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 2**20
