"""
Machines written into other systems, and kept there as they are here.

One push, step by step; each is a file:

- ``configured.py``: what the setting ``pushes`` says of it
- ``target.py``: what a system has to offer; that is all that is to be written for a new one,
  which ``SYSTEMS`` in ``configured.py`` then names
- ``plan.py``: from the machines, the ledger and what is there: what has to be done (pure)
- ``run.py``: one run: it reads, plans, writes in bulk, and keeps the ledger
- ``told.py``: what is told of a run
- ``web.py``: requests to a server: TLS, deadlines, and errors without secrets
- ``zabbix.py`` and others: one file for each system

An object there (a host, a device) is ours if it carries our mark, the id of its asset, and
the ledger (the table ``pushed``) does not name another one for this asset. The mark is
written together with the object: a run that was killed before it wrote the ledger finds by
it what it had made. Nothing else is touched; an object that somebody else made under the
name of a machine is told, and taken over only with ``adopt=True``.

Fields are compared with what is there, and only those that differ are written. Fields that
we do not write are not looked at.
"""
