"""Machine care: held by many, begun by the first, restored by the last; and what it does where it is refused.

The systems' own programs are replaced by small ones that answer as they do: granted, refused, or never.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from onscope.runtime.care import SWITCH_INTERVAL_S, Care, _awake, _held, cared_for

PATIENCE_S = 10.0
GRANTS = 'trap : TERM; shift $(($# - 1)); "$@"; echo released >> {log}'
REFUSES = "echo 'Failed to inhibit: Access denied' >&2; exit 1"
ONLY_IDLE = f'case "$1" in *sleep*) {REFUSES} ;; esac; {GRANTS}'
HANGS = "exec sleep 100"


@pytest.fixture(autouse=True)
def interval(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    monkeypatch.setattr(_held, "_said", set())
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    yield before
    sys.setswitchinterval(before)


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Installs a program that behaves as `script` says; gives the file in which it notes that the lock is free."""

    def install(script: str) -> Path:
        log = tmp_path / "log"
        program = tmp_path / "inhibit"
        program.write_text("#!/bin/sh\n" + script.format(log=log) + "\n")
        program.chmod(0o755)
        commands = tuple((str(program), f"--what={what}") for what in ("sleep:idle", "idle"))
        monkeypatch.setitem(_awake.HOLDERS, sys.platform, commands)
        return log

    return install


def held() -> _awake.Awake:
    assert _held._awake is not None
    return _held._awake


def test_the_first_begins_and_the_last_restores(system: Callable[[str], Path]) -> None:
    log = system(GRANTS)
    said: list[str] = []
    first, second = Care(said.append), Care(said.append)
    awake = held()
    assert awake.held.wait(PATIENCE_S)
    assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)
    first.end()
    first.end()  # the same one again: the other still holds
    assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)
    assert not log.exists()
    second.end()
    assert sys.getswitchinterval() == pytest.approx(0.005)
    assert awake.over.wait(PATIENCE_S)
    assert log.read_text() == "released\n"
    assert said == []


def test_many_threads_hold_and_let_go(system: Callable[[str], Path]) -> None:
    system(GRANTS)

    seen: set[float] = set()

    def often() -> None:
        for _ in range(20):
            with cared_for():
                seen.add(round(sys.getswitchinterval(), 6))

    threads = [threading.Thread(target=often) for _ in range(4)]
    with cared_for():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == {SWITCH_INTERVAL_S}
        assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)
    assert sys.getswitchinterval() == pytest.approx(0.005)
    assert (_held._holders, _held._awake) == (0, None)


def test_shorter_turns_than_ours_are_left_alone(system: Callable[[str], Path]) -> None:
    system(GRANTS)
    sys.setswitchinterval(SWITCH_INTERVAL_S / 10)
    with cared_for():
        assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S / 10)
    assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S / 10)


def test_a_value_set_meanwhile_stays(system: Callable[[str], Path]) -> None:
    system(GRANTS)
    with cared_for():
        sys.setswitchinterval(0.003)
    assert sys.getswitchinterval() == pytest.approx(0.003)


def test_a_refusal_is_said_once(system: Callable[[str], Path]) -> None:
    system(REFUSES)
    said: list[str] = []
    for _ in range(3):
        with cared_for(said.append):
            awake = held()
            assert awake.over.wait(PATIENCE_S)
            assert not awake.held.is_set()
    assert len(said) == 1
    assert said[0].startswith("sleep is not inhibited (Failed to inhibit: Access denied)")


def test_where_sleep_is_refused_the_idle_action_is_blocked(system: Callable[[str], Path]) -> None:
    log = system(ONLY_IDLE)
    said: list[str] = []
    with cared_for(said.append):
        awake = held()
        assert awake.held.wait(PATIENCE_S)
    assert awake.over.wait(PATIENCE_S)
    assert log.read_text() == "released\n"
    assert said == []


def test_a_system_without_the_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_awake.HOLDERS, sys.platform, ((str(tmp_path / "none"),),))
    said: list[str] = []
    with cared_for(said.append):
        assert held().over.wait(PATIENCE_S)
    assert len(said) == 1
    assert "No such file" in said[0]


def test_a_system_that_never_answers_holds_nobody_up(system: Callable[[str], Path]) -> None:
    system(HANGS)
    said: list[str] = []
    with cared_for(said.append):
        awake = held()
    assert awake.over.wait(PATIENCE_S)
    assert not awake.held.is_set()
    assert said == []


def test_a_lock_that_is_taken_away_is_said(system: Callable[[str], Path]) -> None:
    system('exec head -n 1 || "$@"')  # answers once, then ends by itself
    said: list[str] = []
    with cared_for(said.append):
        awake = held()
        assert awake.over.wait(PATIENCE_S)
        assert awake.held.is_set()
    assert len(said) == 1


KILLED = """
import os, signal, sys
from onscope.runtime.care import Care, _awake, _held
_awake.HOLDERS[sys.platform] = ((sys.argv[1],),)
care = Care()
assert _held._awake.held.wait(10)
print("held", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_acquisition_keeps_no_machine_awake(system: Callable[[str], Path], tmp_path: Path) -> None:
    log = system(GRANTS)
    fifo = tmp_path / "released"
    log.with_name("inhibit").write_text(f'#!/bin/sh\ntrap : TERM; shift $(($# - 1)); "$@"; echo released > {fifo}\n')
    subprocess.run(["mkfifo", str(fifo)], check=True)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "inhibit")], capture_output=True, text=True, check=False
    )
    assert done.returncode == -9
    assert done.stdout == "held\n"
    assert fifo.read_text() == "released\n"  # blocks until the program has written it
