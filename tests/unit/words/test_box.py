"""The short grammar of the search box: what it means, and where it cannot be understood."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salt_ext.words.box import Slip, as_text, filters, is_pattern, pieces, terms, words
from salt_ext.words.fields import FIELDS, MEANINGS

UUID = "4c4c4544-0058-5910-805a-b9c04f000001"
KINDS = {
    **dict.fromkeys(MEANINGS, "text"),
    **dict.fromkeys(("memory_bytes", "disk_bytes", "disks.size_bytes"), "size"),
    **dict.fromkeys(("processor_threads", "disk_count", "disks.count", "list.cost"), "number"),
    **dict.fromkeys(("last_seen", "first_seen", "changed_at"), "moment"),
    **dict.fromkeys(("kind", "freshness", "lifecycle", "mode"), "word"),
    **dict.fromkeys(("disks.model", "memory.manufacturer", "list.owner"), "text"),
    "temporary": "truth",
    "list.warranty": "day",
}


def meant(text):
    found = {}
    for term in terms(text):
        found.update(filters(term, KINDS) if term.field else {"word": term.value})
    return found


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("web01", {"word": "web01"}),
        ('"two words"', {"word": "two words"}),
        ("site:fra1", {"site__contains": "fra1"}),
        ("SITE:fra1", {"site__contains": "fra1"}),
        ("site=fra1", {"site": "fra1"}),
        ("site!=fra1", {"site__not": "fra1"}),
        ("-site:fra1", {"site__notcontains": "fra1"}),
        ("-site=fra1", {"site__not": "fra1"}),
        ('model:"PowerEdge R750"', {"product_name__contains": "PowerEdge R750"}),
        ('"model:x"', {"word": "model:x"}),
        ("site:fra1,ams1", {"site__contains": ["fra1", "ams1"]}),
        ('vendor:"Dell, Inc."', {"manufacturer__contains": "Dell, Inc."}),
        ("name:web0*", {"minion_id__glob": "web0*"}),
        ('rack:""', {"rack__isnull": "true"}),
        ('-rack:""', {"rack__isnull": "false"}),
        ("ram>=256", {"memory_bytes__gte": "256GiB"}),
        ("memory_bytes>=256GiB", {"memory_bytes__gte": "256GiB"}),
        ("disk<1.5", {"disk_bytes__lt": "1.5GB"}),
        ("disk<4TB", {"disk_bytes__lt": "4TB"}),
        ("ram=274877906944", {"memory_bytes": "274877906944"}),
        ("-ram>=256", {"memory_bytes__lt": "256GiB"}),
        ("cores>64", {"processor_threads__gt": "64"}),
        ("kernel>=6.1", {"kernel_release__gte": "6.1"}),
        ("seen<7d", {"last_seen__gt": "7d"}),
        ("seen>7d", {"last_seen__lt": "7d"}),
        ("-seen<7d", {"last_seen__lte": "7d"}),
        ("seen:24h", {"last_seen__gte": "24h"}),
        ("first_seen>2026-11-01", {"first_seen__gt": "2026-11-01"}),
        (
            "first_seen:2026-11-30",
            {"first_seen__gte": "2026-11-30", "first_seen__lt": "2026-12-01"},
        ),
        ("freshness:Stale", {"freshness": "stale"}),
        ("-kind:virtual", {"kind__not": "virtual"}),
        ("temporary:yes", {"temporary": "yes"}),
        ("disks.model:PM9A3", {"disks.model__contains": "PM9A3"}),
        ("disk.model:PM9A3", {"disks.model__contains": "PM9A3"}),
        ("dimm.vendor:samsung", {"memory.manufacturer__contains": "samsung"}),
        ("disk.size>=4TB", {"disks.size_bytes__gte": "4TB"}),
        ("owner:ann", {"list.owner__contains": "ann"}),
        ("list.owner:ann", {"list.owner__contains": "ann"}),
        ("warranty<90d", {"list.warranty__lt": "90d"}),
        ("aa:bb:cc:dd:ee:ff", {"word": "aa:bb:cc:dd:ee:ff"}),
        ("fe80::1", {"word": "fe80::1"}),
        ("abcd:ef01:2345:6789", {"word": "abcd:ef01:2345:6789"}),
        (f"urn:uuid:{UUID}", {"word": f"urn:uuid:{UUID}"}),
        ("10.0.0.1/16", {"word": "10.0.0.1/16"}),
        ("", {}),
        ("  ", {}),
        ("site:fra1 os:debian", {"site__contains": "fra1", "os__contains": "debian"}),
    ],
)
def test_a_text_means(text, means):
    assert meant(text) == means


@pytest.mark.parametrize(
    ("text", "wrong", "says"),
    [
        ("web sitee:fra1", "sitee", "did you mean 'site'?"),
        ("-sitee:fra1", "sitee", "did you mean 'site'?"),
        ("disks.modle:x", "disks.modle", "did you mean 'disks.model'?"),
        ("xyzzy:1", "xyzzy", "the page Help has all of them"),
        ("web site:", "site:", "A value is missing"),
        ('a "b c', '"b c', 'a second " is missing'),
        ("a -web", "-web", "needs a field"),
        ('a ""', '""', "nothing between the quotes"),
        ("a OR b", "OR", "write field:one,other"),
        ("NOT web", "NOT", "write -field:value"),
        ("-disks.model:PM9A3", "-disks.model:PM9A3", "only a field of the asset itself"),
        ("-site!=x", "-site!=x", "left out twice"),
        ("-name:web*", "-name:web*", "cannot be left out"),
        ("seen:yesterday", "yesterday", "a time span such as 7d"),
        ("seen:2026-02-31", "2026-02-31", "neither a day"),
        ("-seen:7d", "-seen:7d", "write seen<... or seen>... instead"),
        ("a " * 30 + "b", "b", "more than 30 terms"),
    ],
)
def test_what_cannot_be_understood_is_told_with_its_place(text, wrong, says):
    with pytest.raises(Slip, match=re.escape(says)) as caught:
        meant(text)
    assert text[caught.value.start : caught.value.end] == wrong
    shown = [*pieces(text, caught.value.start, caught.value.end)]
    assert "".join(piece for piece, _ in shown) == text
    assert [piece for piece, is_wrong in shown if is_wrong] == [wrong]


def test_every_word_of_people_leads_to_a_field():
    for typed, name in FIELDS.items():
        [field, *_] = filters(terms(f"{typed}>1")[0], KINDS)
        assert field.partition("__")[0] == name


PIECES = st.sampled_from(
    ["site", ":", "=", "!=", ">=", "<", '"', "-", " ", "ram", "256", "7d", "seen", ",", "*", "."]
)


@given(st.text(max_size=80) | st.lists(PIECES, max_size=20).map("".join))
def test_any_text_means_something_or_has_a_slip_inside_of_it(text):
    slip = None
    try:
        meant(text)
    except Slip as error:
        slip = error
    assert slip is None or (0 <= slip.start < slip.end <= len(text) and str(slip))


@given(st.text(max_size=80) | st.lists(PIECES, max_size=20).map("".join))
def test_words_are_the_same_words_when_they_are_written_again(text):
    try:
        searched = [one.value for one in terms(text) if not one.field and not is_pattern(one)]
    except Slip:
        return
    again = terms(as_text(searched))
    assert [one.value for one in again] == searched == words(as_text(searched))
    assert not any(one.field or is_pattern(one) for one in again)
    assert as_text(words(as_text(searched))) == as_text(searched)


@pytest.mark.parametrize(
    ("searched", "text"),
    [
        (["web01", "two words"], 'web01 "two words"'),
        (["site:fra1"], '"site:fra1"'),
        (["-web", "OR", "a*"], '"-web" "OR" "a*"'),
        (["aa:bb:cc:dd:ee:ff"], "aa:bb:cc:dd:ee:ff"),
    ],
)
def test_words_have_quotes_where_they_would_mean_something_else(searched, text):
    assert as_text(searched) == text
