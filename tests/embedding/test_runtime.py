"""Loading is silent and offline: nothing is sent, written or fetched, and few threads are used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aimem_tui.embedding import runtime
from aimem_tui.embedding.model import Embedder, ModelChoice
from aimem_tui.errors import Refused

EMBED = """
from aimem_tui.embedding.model import Embedder, ModelChoice
Embedder(ModelChoice.bundled(), threads={threads}).embed(["a text", "another one"])
"""


def run(code: str, home: Path) -> str:
    """What a fresh Python prints, in an environment that says nothing of tests or of opting out."""
    own = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-c", code], env=own, capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    return ended.stdout


def test_onnxruntime_is_told_to_report_nothing_before_it_is_loaded(home: Path) -> None:
    watch = """
import os, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print(os.environ.get("ORT_DISABLE_TELEMETRY"))
sys.meta_path.insert(0, Watch())
"""
    assert run(watch + EMBED.format(threads=1), home) == "1\n"


def test_embedding_leaves_nothing_behind_at_home(home: Path) -> None:
    run(EMBED.format(threads=1), home)
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_nothing_that_speaks_to_a_network_is_loaded(home: Path) -> None:
    listing = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = set(run(EMBED.format(threads=1) + listing, home).split())
    assert {"onnxruntime", "tokenizers"} <= loaded
    assert loaded & {"aiohttp", "fsspec", "huggingface_hub", "hf_xet", "httpx2", "socket"} == set()


def test_choosing_a_model_loads_neither_numpy_nor_the_libraries_that_run_it(home: Path) -> None:
    code = "from aimem_tui.embedding.choice import ModelChoice; ModelChoice.bundled().identity\n"
    listing = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    assert set(run(code + listing, home).split()) & {"numpy", "onnxruntime", "tokenizers"} == set()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no list of threads here")
def test_one_processor_means_no_thread_of_its_own(home: Path) -> None:
    count = "print(len(os.listdir('/proc/self/task')))"
    code = f"import os, numpy\n{count}\n{EMBED.format(threads=1)}\n{count}"
    before, after = run(code, home).split()
    assert before == after


def test_half_the_processors_are_used_and_two_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    for processors, threads in ((1, 1), (2, 1), (3, 1), (4, 2), (64, 2)):
        monkeypatch.setattr(
            os, "sched_getaffinity", lambda _pid, some=processors: set(range(some)), raising=False
        )
        assert runtime.default_threads() == threads


def test_a_warning_while_loading_does_not_reach_the_screen_where_one_would_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "card0" / "device").mkdir(parents=True)
    monkeypatch.setattr(runtime, "_ADAPTERS", tmp_path)
    with runtime._without_warnings():
        os.write(2, b"lost")
    os.write(2, b"seen ")
    (tmp_path / "card0" / "device" / "vendor").write_text("0x10de")
    with runtime._without_warnings():
        os.write(2, b"seen too")
    assert capfd.readouterr().err == "seen seen too"


@pytest.mark.parametrize("library", ["onnxruntime", "tokenizers"])
def test_a_system_without_the_libraries_is_told_what_still_works(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(Refused) as raised:
        Embedder(ModelChoice.bundled())
    assert "Search by meaning is not available" in raised.value.what
    assert "words" in raised.value.hint
