"""
The hash of a password, for ``login: users`` in the settings: ``python -m webui.password``.

The password is asked for twice on a terminal, or read as the one line of standard input.
"""

from __future__ import annotations

import getpass
import sys

from argon2 import PasswordHasher

LEAST = 12


def main() -> int:
    """Print the hash; return the exit status."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            print("these are two passwords", file=sys.stderr)
            return 1
    else:
        password = sys.stdin.readline().rstrip("\n")
    if len(password) < LEAST:
        print(f"a password has at least {LEAST} characters", file=sys.stderr)
        return 1
    print(PasswordHasher().hash(password))
    return 0


if __name__ == "__main__":
    sys.exit(main())
