import fcntl
import os
import pty
import re
import struct
import termios

from utils.progress import progress


def test_a_bar_fits_a_narrow_terminal():
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    with os.fdopen(slave, "w") as terminal:
        bar = progress(range(3), "setting 2, final training", file=terminal, total=3, initial=1, mininterval=0)
        for _ in bar:
            bar.set_postfix(loss="12.3456", refresh=False)
        terminal.flush()
        shown = os.read(master, 100_000).decode()
    os.close(master)
    lines = [line for line in re.split(r"[\r\n]|\x1b\[[0-9;]*[A-Za-z]", shown) if line.strip()]
    assert len(lines) > 2
    assert max(map(len, lines)) <= 40


def test_a_file_gets_no_bar(tmp_path):
    with (tmp_path / "log.txt").open("w", encoding="utf-8") as file:
        assert list(progress(range(3), "epoch 1", file=file)) == [0, 1, 2]
    assert (tmp_path / "log.txt").read_text(encoding="utf-8") == ""
