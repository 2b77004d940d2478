"""
Print as JSON what a master's configuration has besides the file that the formula writes.

    python own_configuration.py /etc/salt/master /etc/salt/master.d/cmdb.conf cmdb engines

What an included file says under a key takes the place of what the main file says under it, lists
and mappings too; those of several included files add up. So what the main file has under a key
of ours is repeated in our file, unless another included file has taken its place already.
"""

import glob
import json
import os
import sys

import salt.config
import salt.utils.dictupdate

path, ours, *keys = sys.argv[1:]
effective = salt.config.master_config(path)
main = salt.config.load_config(path, "", "")
included = {}
for one in sorted(glob.glob(os.path.join(os.path.dirname(path), effective["default_include"]))):
    if one != ours:
        said = salt.config.include_config(one, path, verbose=False)
        salt.utils.dictupdate.update(included, said, True, True)
last = salt.config.include_config(main.get("include", []), path, verbose=False)

print(
    json.dumps(
        {
            "cachedir": effective["cachedir"],
            "pidfile": effective["pidfile"],
            "user": effective["user"],
            # What our file has to repeat.
            "repeated": {key: main[key] for key in keys if key in main and key not in included},
            # What has the last word, whatever our file says.
            "last": [key for key in keys if key in last],
        }
    )
)
