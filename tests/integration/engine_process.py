"""The engine as a process of its own: on a real cache and a real database, without a master."""

import salt.config
import salt.loader


def options(root, database_url):
    """The options of a master whose files are all below a directory."""
    opts = salt.config.master_config(None)
    for name in ("cachedir", "extension_modules", "pki_dir", "root_dir", "sock_dir"):
        opts[name] = f"{root}/{name}"
    opts["cmdb"] = {"database_url": database_url, "sweep_seconds": 0, "batch_size": 20}
    return opts


def run(root, database_url, is_ready):
    """Run the engine until this process is killed."""
    start = salt.loader.engines(options(root, database_url), {}, {}, {})["cmdb.start"]
    is_ready.set()
    start()
