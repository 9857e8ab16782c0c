"""Who may come in, and the certificate by which machines know each other."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aimem_tui.errors import StorageError
from aimem_tui.sync.peer import tls
from aimem_tui.sync.peer.admission import Admissions
from crdt.wire.messages import Role


def test_nobody_is_let_in_by_default(tmp_path: Path) -> None:
    admissions = Admissions(tmp_path)
    assert admissions.all() == []
    assert admissions.find(b"", 0) is None
    assert admissions.find(b"anything", 0) is None


def test_a_token_opens_until_its_time_is_over(tmp_path: Path) -> None:
    admissions = Admissions(tmp_path)
    token, ann = admissions.issue("Ann", Role.READER, now=10, expires=20)
    assert admissions.find(token.encode(), 19) == ann
    assert ann.role is Role.READER
    assert admissions.find(token.encode(), 20) is None
    assert admissions.find(token.encode() + b"x", 19) is None


def test_a_token_without_an_end_opens_for_ever(tmp_path: Path) -> None:
    token, ann = Admissions(tmp_path).issue("Ann", Role.WRITER, now=10, expires=0)
    assert Admissions(tmp_path).find(token.encode(), 1 << 60) == ann


def test_who_reads_the_file_cannot_come_in_by_it(tmp_path: Path) -> None:
    admissions = Admissions(tmp_path)
    token, ann = admissions.issue("Ann", Role.WRITER, now=0, expires=0)
    assert token not in admissions.file.read_text()
    assert admissions.find(ann.digest.encode(), 0) is None


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("not on Windows")
    Admissions(tmp_path).issue("Ann", Role.WRITER, now=0, expires=0)
    certificate = tls.device_certificate(tmp_path)
    for file in (Admissions(tmp_path).file, certificate.file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len([*tmp_path.iterdir()]) == 2


def test_who_is_forgotten_stays_out_and_the_others_stay_in(tmp_path: Path) -> None:
    admissions = Admissions(tmp_path)
    ann, _ = admissions.issue("Ann", Role.WRITER, now=0, expires=0)
    ben, _ = admissions.issue("Ben", Role.WRITER, now=0, expires=0)
    assert admissions.forget("Ann")
    assert not admissions.forget("Ann")
    assert admissions.find(ann.encode(), 0) is None
    assert admissions.find(ben.encode(), 0) is not None


def test_two_of_one_name_are_told_apart(tmp_path: Path) -> None:
    admissions = Admissions(tmp_path)
    names = [admissions.issue("Ann\n", Role.WRITER, now=0, expires=0)[1].name for _ in range(3)]
    assert names == ["Ann", "Ann 2", "Ann 3"]


def test_a_list_that_is_damaged_lets_nobody_in_and_says_so(tmp_path: Path) -> None:
    admissions = Admissions(tmp_path)
    token, _ = admissions.issue("Ann", Role.WRITER, now=0, expires=0)
    admissions.file.write_text('[{"name": "Ann"}]')
    with pytest.raises(StorageError, match="damaged"):
        admissions.find(token.encode(), 0)


def test_a_device_has_one_certificate(tmp_path: Path) -> None:
    first = tls.device_certificate(tmp_path / "data")
    assert tls.device_certificate(tmp_path / "data") == first
    assert len(first.fingerprint) == 32
    assert tls.device_certificate(tmp_path / "other").fingerprint != first.fingerprint
    tls.server_context(first)


def test_two_programs_that_start_together_go_by_one_certificate(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: tls.device_certificate(tmp_path), range(8)))
    assert len({one.fingerprint for one in made}) == 1
    assert [path.name for path in tmp_path.iterdir()] == [tls.FILE_NAME]


def test_a_damaged_certificate_is_explained(tmp_path: Path) -> None:
    tls.device_certificate(tmp_path).file.write_text("nothing")
    with pytest.raises(StorageError, match="pair"):
        tls.device_certificate(tmp_path)
