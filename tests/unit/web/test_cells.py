"""
The cells of tables: whatever a machine says stays text, and stays in its cell.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from salt_ext import settings
from salt_ext.words.values import NOTHING
from webui import cells, create_app

HOSTILE = "\u202e<b>&\"'"
TURNED = "&lt;U+202E&gt;&lt;b&gt;&amp;&#34;&#39;"


def _cell(given: Any, column: str) -> str:
    [head] = cells.heads([column])
    return str(cells.td(given, head, timezone.utc))


@pytest.mark.parametrize("column", ["site", "disk_count"])
def test_a_text_is_isolated_escaped_and_seen_in_every_column(column: str) -> None:
    assert f"<bdi>{TURNED}</bdi></td>" in _cell(HOSTILE, column)


def test_a_name_of_a_column_that_people_made_up_cannot_leave_its_attribute() -> None:
    assert _cell("x", HOSTILE).startswith(f'<td data-label="{TURNED}">')


def test_a_moment_to_come_says_in_how_long_it_is() -> None:
    soon = datetime.now(timezone.utc) + timedelta(minutes=53, seconds=30)
    assert ">in 53m</time>" in _cell(soon, "expires_at")
    assert ">0s ago</time>" in _cell(soon, "last_seen")
    assert ">5m ago</time>" in _cell(soon - timedelta(minutes=59), "expires_at")


@pytest.mark.parametrize("column", ["freshness", "severity", "state"])
def test_a_word_that_is_none_of_ours_is_escaped_too(column: str) -> None:
    assert "<b>" not in _cell(HOSTILE, column)


def test_numbers_have_their_units_and_stand_to_the_right() -> None:
    assert _cell(1 << 30, "memory_bytes").endswith(' class="number">1\N{NO-BREAK SPACE}GiB</td>')


def test_a_moment_tells_its_age_and_has_itself_as_title() -> None:
    then = datetime.now(timezone.utc) - timedelta(days=3, minutes=1)
    found = _cell(then, "last_seen")
    assert f'title="{then:%Y-%m-%d %H:%M} UTC">3d ago</time>' in found


def test_what_is_not_known_is_a_dash() -> None:
    assert [_cell(None, one) for one in ("site", "freshness", "severity")] == [
        f'<td data-label="{title}">{NOTHING}</td>' for title in ("Site", "Freshness", "Severity")
    ]


def test_a_state_is_in_the_language_of_the_page() -> None:
    app = create_app(settings.resolve(("test", {"language": "zh-CN"})))
    with app.test_request_context():
        assert "已许可" in _cell("permitted", "state")
        assert "a cloud's own" in _cell("a cloud's own", "state").replace("&#39;", "'")
