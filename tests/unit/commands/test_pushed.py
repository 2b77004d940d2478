"""How a push prints."""

from salt_ext.commands.printing.push import pushed

ANSWER = {
    "push": "dcim",
    "dry_run": True,
    "counts": {"refused": 1},
    "unchanged": 2,
    "missing": 0,
    "calls": 9,
    "made_first": ["site fra1", "rack R07"],
    "made_first_total": 12,
    "rows": [{"what": "refused", "name": "web01", "changes": [], "why": "too long"}],
    "total": 1,
}


def test_what_is_made_first_is_told_before_the_machines_and_how_much_more():
    assert pushed(ANSWER) == [
        "would be made first: site fra1, rack R07, 10 more",
        "refused  web01  too long",
        "dcim, dry run: nothing was written: 1 refused, 2 as they shall be (9 requests)",
    ]
    done = pushed({**ANSWER, "dry_run": False, "made_first_total": 2})
    assert done[0] == "made first: site fra1, rack R07"
    assert len(pushed({**ANSWER, "made_first": [], "made_first_total": 0})) == 2
