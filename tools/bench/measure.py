"""Runs a command to its end, its output going to a file, and says what it took.

    python tools/bench/measure.py FILE PROGRAM [ARGUMENT ...]

The memory of so small a parent as this is the least that can be told of its child.
"""

import os
import sys
import time

import worker

with open(sys.argv[1], "wb") as file:
    start = time.perf_counter()
    actions = [(os.POSIX_SPAWN_DUP2, file.fileno(), 1)]
    child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - start
worker.say(seconds=seconds, memory_mib=worker.mib(usage), exit=os.waitstatus_to_exitcode(status))
