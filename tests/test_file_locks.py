"""One process at a time: locks that end with the process that holds them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from headstart.file_locks import lock_file

HOLDER = """
import sys, time
from pathlib import Path
from headstart.file_locks import lock_file
with lock_file(Path(sys.argv[1])) as acquired:
    print(acquired, flush=True)
    time.sleep(60)
"""


def test_a_lock_of_a_killed_process_is_free_again(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline().strip() == "True"
    with lock_file(path) as acquired:
        assert not acquired
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    with lock_file(path, wait_seconds=10) as acquired:
        assert acquired


def test_waiting_gets_the_lock_when_the_other_block_ends(tmp_path: Path) -> None:
    with lock_file(tmp_path / "lock") as first:
        assert first
    with lock_file(tmp_path / "lock", wait_seconds=1) as second:
        assert second
