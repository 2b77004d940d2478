"""
Play simulations from the command line: ``python -m tests.simulation --seed 7``.

With ``--shrink`` it looks for the shortest story that still breaks the same rule.
"""

import argparse
import sys

from tests.simulation import run


def main(arguments):
    """Play one seed or several; exit with 1 when something was found."""
    options = parsed(arguments)
    bad = False
    with run.server() as new:
        for seed in range(options.seed, options.seed + options.seeds):
            wanted = run.Options(
                seed,
                options.machines,
                options.weeks,
                options.masters,
                options.rate,
                frozenset(filter(None, options.without.split(","))),
                options.order,
            )
            played = run.play(new(), wanted)
            print(f"\nseed {seed}", *played.figures(), sep="\n", flush=True)
            shown = [one for one in played.findings if options.rule in one.rule]
            bad = bad or bool(shown)
            if options.orders:
                bad = _other_orders(new, played, options.orders) or bad
            if options.shrink and shown:
                played = shrunk(new, played, shown[0].rule)
                shown = [one for one in played.findings if one.rule == shown[0].rule]
            for one in shown[: options.stories]:
                print(f"\n{played.story(one)}", flush=True)
    return 1 if bad else 0


def _other_orders(new, played, count):
    """Play the same with other orders of delivery, and print how the ends differ."""
    first = run.dump(played)
    bad = False
    for order in range(1, count + 1):
        other = run.play(new(), played.options._replace(order=order))
        found = run.dump(other)
        for name in first:
            for mark, these, those in (("-", first, found), ("+", found, first)):
                for line in [one for one in these[name] if one not in those[name]]:
                    print(f"order {order} {mark} {name} {line}")
                    bad = True
    return bad


def shrunk(new, played, rule):
    """Leave out what is not needed for a rule to be broken: features, weeks, machines."""

    def broken(options):
        nonlocal played
        again = run.play(new(), options)
        if any(one.rule == rule for one in again.findings):
            played = again
            print(f"still: {options.line()}", flush=True)
            return True
        return False

    for feature in run.FEATURES:
        broken(played.options._replace(without=played.options.without | {feature}))
    while played.options.weeks > 1 and broken(
        played.options._replace(weeks=played.options.weeks - 1)
    ):
        pass
    size = played.options.machines
    while size > 2:
        size = max(2, size // 2)
        if not broken(played.options._replace(machines=size)):
            break
    return played


def parsed(arguments):
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="so many, from this one on")
    parser.add_argument("--machines", type=int, default=60)
    parser.add_argument("--weeks", type=int, default=5)
    parser.add_argument("--masters", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1.0, help="of all that happens")
    parser.add_argument("--order", type=int, default=0, help="deliver in this other order")
    parser.add_argument("--orders", type=int, default=0, help="so many other orders, and compare")
    parser.add_argument("--without", default="", help=", ".join(run.FEATURES))
    parser.add_argument("--rule", default="", help="show findings of this rule only")
    parser.add_argument("--stories", type=int, default=3, help="so many findings as stories")
    parser.add_argument("--shrink", action="store_true", help="look for the shortest story")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
