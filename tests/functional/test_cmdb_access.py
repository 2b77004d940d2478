"""``cmdb.token``: a token is told once, to whoever asked, and is no part of an answer."""

import json
import os
import pty
import re
import subprocess
import sys
from stat import S_IMODE

from salt_ext import store
from tests.functional.test_salt_run import SALT_RUN, salt_run  # noqa: F401


def test_a_token_goes_into_a_file_of_its_own_and_not_into_the_answer(cmdb, database, tmp_path):
    path = tmp_path / "token"
    answer, status, text = cmdb("token", "grafana", expires="52w", out_file=str(path))
    assert status == 0, text
    token = path.read_text().removesuffix("\n")
    assert store.token_of(database, token)["state"] == "valid"
    assert S_IMODE(path.stat().st_mode) == 0o600
    # Salt puts answers on its event bus and into its job cache.
    assert token not in json.dumps(answer)
    assert f"the token is {path}, and cannot be shown again" in text


def test_tokens_are_listed_and_revoked_by_name(cmdb, database, tmp_path):
    path = tmp_path / "token"
    cmdb("token", "grafana", role="auditor", out_file=str(path))
    answer, _, text = cmdb("token")
    assert [row[:3] for row in answer["rows"]] == [["grafana", "auditor", "valid"]]
    assert re.search("^grafana +auditor +valid +in 89d +[0-9]+s ", text, re.M), text
    answer, status, _ = cmdb("token", "grafana", revoke=True)
    assert (status, answer["rows"][0][0]) == (0, "grafana")
    assert store.token_of(database, path.read_text().strip())["state"] == "revoked"
    assert [row[2] for row in cmdb("token")[0]["rows"]] == ["revoked"]


def test_a_file_that_is_there_is_left_as_it_is(cmdb, database, tmp_path):
    path = tmp_path / "token"
    path.write_text("precious")
    answer, status, _ = cmdb("token", "grafana", out_file=str(path))
    assert (status, answer["error"]) == (
        2,
        f"{path}: File exists: give out_file=, a new file that only you may read",
    )
    assert path.read_text() == "precious"
    assert store.tokens(database)[1] == 0


def test_a_token_that_was_not_made_leaves_no_file(cmdb, tmp_path):
    path = tmp_path / "token"
    for wrong in ({"role": "root"}, {"expires": "0s"}, {"expires": "soon"}, {"nmae": "x"}):
        answer, status, _ = cmdb("token", "grafana", out_file=str(path), **wrong)
        assert status == 2, answer
        assert not path.exists()
    assert cmdb("token", revoke=True)[1] == 2


def test_a_time_without_a_unit_is_told_how_to_write_it(cmdb, database):
    answer, status, _ = cmdb("token", "grafana", expires=52)
    assert (status, answer["error"]) == (2, "expires is 52, and of what? write 52w, 52d or 52h")


def read_to_the_end(descriptor):
    """Return what a program wrote on the terminal whose other end this is."""
    text = b""
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:  # the program has ended
            return text.decode()
        if not piece:
            return text.decode()
        text += piece


def test_a_token_is_shown_on_the_terminal_and_not_where_the_answer_goes(
    salt_run,  # noqa: F811
    database,
    tmp_path,
):
    answer = tmp_path / "answer"
    argv = [sys.executable, str(SALT_RUN), "--config-dir", str(tmp_path), "cmdb.token", "grafana"]
    pid, terminal = pty.fork()
    if pid == 0:
        with answer.open("w") as file:
            os.dup2(file.fileno(), 1)
        os.execv(argv[0], [*argv, "--out=json"])
    shown = read_to_the_end(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    (token,) = [word for word in shown.split() if word.startswith("cmdb_")]
    assert store.token_of(database, token)["state"] == "valid"
    assert json.loads(answer.read_text())["cmdb"]["rows"][0][0] == "grafana"
    assert token not in answer.read_text()


def test_without_a_terminal_a_file_is_asked_for(salt_run, database, tmp_path):  # noqa: F811
    argv = [sys.executable, str(SALT_RUN), "--config-dir", str(tmp_path), "cmdb.token", "grafana"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, start_new_session=True)
    assert done.returncode == 2
    assert "there is no terminal to show it on: give out_file=" in done.stdout
    assert store.tokens(database)[1] == 0
