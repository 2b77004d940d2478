"""A key that a server makes for itself: one for all of its workers, and nobody else's."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from stat import S_IMODE

import pytest

from salt_ext.key_file import key
from salt_ext.settings import SettingsError


def test_workers_that_start_together_have_one_key_that_only_they_may_read(tmp_path):
    path = str(tmp_path / "session.key")
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(partial(key, setting="session_key_file"), [path] * 64))
    assert len(keys) == 1
    assert len(keys.pop()) == 64
    assert S_IMODE(os.stat(path).st_mode) == 0o600
    assert os.listdir(tmp_path) == ["session.key"]


def test_a_key_that_is_short_or_that_everybody_may_read_is_refused(tmp_path):
    path = tmp_path / "key"
    path.write_text("x" * 31)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="at least 32 characters"):
        key(str(path), "session_key_file")
    path.write_text("x" * 32)
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="everybody may read this key: chmod o= "):
        key(str(path), "session_key_file")
    path.chmod(0o640)
    assert key(str(path), "session_key_file") == "x" * 32


def test_a_key_that_cannot_be_made_is_an_error_that_names_the_setting(tmp_path):
    path = str(tmp_path / "nowhere" / "key")
    with pytest.raises(SettingsError, match=r"^session_key_file: .*nowhere/key: No such file"):
        key(path, "session_key_file")
