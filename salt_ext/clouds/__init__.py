"""
Clouds beside the inventory: what a cloud has and what reports, and what the cloud says of it.

One run, step by step; each is a file:

- ``configured.py``: what the setting ``clouds`` says of it
- ``instance.py``: what a driver tells of each instance, made harmless
- ``listing.py``: everything is listed before anything is compared: a list that is not whole is
  an error, and says nothing about any machine
- ``compare.py``: which machine is which instance, and what is left over on both sides (pure)
- ``ec2.py`` and others: one driver a file

A driver is a function ``instances(options)`` that yields an :class:`Instance` for each; a site
names one of its own by its dotted path. It raises whatever it likes, :class:`CloudFailed` where
it has advice, and yields nothing that it is not sure of: fewer instances than the cloud counts
are an error.
"""
