"""The pages in another language: what is asked for, and what is there."""

import re

import pytest

from salt_ext import settings
from salt_ext.settings import SettingsError
from tests.messages import messages
from webui import create_app
from webui.language import LANGUAGES, catalog, language, translated


def app_with(**options):
    return create_app(settings.resolve(("test", options)))


@pytest.mark.parametrize(
    ("asked", "given"),
    [("zh-CN,zh;q=0.9,en;q=0.5", "zh-CN"), ("de,en;q=0.5", "en"), ("", "en"), ("zh", "zh-CN")],
)
def test_a_browser_gets_the_language_that_it_asks_for_if_it_is_there(asked, given):
    with app_with().test_request_context(headers={"Accept-Language": asked}):
        assert language() == given


def test_the_setting_counts_more_than_the_browser():
    with app_with(language="zh-CN").test_request_context(headers={"Accept-Language": "en"}):
        assert language() == "zh-CN"


def test_a_language_that_is_not_there_stops_the_process_with_the_nearest():
    with pytest.raises(SettingsError, match="zh-CN"):
        app_with(language="zh_CN")


def test_a_percent_sign_in_a_text_begins_a_place():
    assert [text for text in messages() if re.search(r"%(?!\()", text.replace("%%", ""))] == []


def test_what_has_no_translation_stays_english():
    with app_with().test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert translated("%(number)s of nothing", number=3) == "3 of nothing"


@pytest.mark.parametrize("name", LANGUAGES[1:])
def test_a_translation_has_the_places_of_its_text(name):
    for text, there in catalog(name).items():
        assert sorted(re.findall(r"%\(\w+\)s", text)) == sorted(re.findall(r"%\(\w+\)s", there))


def test_no_text_has_a_percent_sign_that_begins_no_place():
    texts = {*messages(), *(there for name in LANGUAGES[1:] for there in catalog(name).values())}
    assert sorted(one for one in texts if "%" in re.sub(r"%(\(\w+\)s|%)", "", one)) == []


@pytest.mark.parametrize("name", LANGUAGES[1:])
def test_every_text_has_a_translation_and_no_translation_is_of_a_text_that_is_gone(name):
    assert sorted(messages() - set(catalog(name))) == []
    assert sorted(set(catalog(name)) - messages()) == []
