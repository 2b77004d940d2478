"""The engine as a process of its own: on a real cache and a real database, without a master."""

import salt.config
import salt.loader


def options(root, database_url, **cmdb):
    """The options of a master whose files are all below a directory, with these settings."""
    opts = salt.config.master_config(None)
    for name in ("cachedir", "extension_modules", "pki_dir", "root_dir", "sock_dir"):
        opts[name] = f"{root}/{name}"
    usual = {"database_url": database_url, "sweep_seconds": 0, "batch_size": 20}
    opts["cmdb"] = {**usual, **cmdb}
    return opts


def run(root, database_url, is_ready, cmdb=None):
    """Run the engine until this process is killed."""
    opts = options(root, database_url, **(cmdb or {}))
    start = salt.loader.engines(opts, {}, {}, {})["cmdb.start"]
    is_ready.set()
    start()
