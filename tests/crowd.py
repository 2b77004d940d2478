"""
Many minions in one process: they speak Salt's channel, and know one function.

``python -m tests.crowd CONFIG NUMBER`` prints ``ready`` once it hears the master.
Each minion has its own session with the master; all of them have the same key.
"""

import asyncio
import copy
import queue
import sys
import threading
from datetime import datetime, timezone

import salt.channel.client
import salt.config
import salt.minion
import salt.utils.mine

from salt_ext.report.envelope import MINE_FUNCTION
from tests.machines import report, server


def names(number):
    return [f"sim{one:04d}" for one in range(number)]


def options(path, name):
    opts = salt.config.minion_config(path, minion_id=name)
    opts["id"] = name
    opts.update(salt.minion.resolve_dns(opts))
    return opts


def answer(opts, number, jid):
    """Do what cmdb.collect does on a minion: report by the mine, then return."""
    name = opts["id"]
    said = report(server(number), name, datetime.now(timezone.utc), mode="salt")
    data = salt.utils.mine.wrap_acl_structure(said, allow_tgt=name, allow_tgt_type="list")
    returned = {"return": {"sent": True}, "success": True, "retcode": 0, "fun": "cmdb.collect"}
    with salt.channel.client.ReqChannel.factory(opts) as channel:
        channel.send({"cmd": "_mine", "id": name, "data": {MINE_FUNCTION: data}}, timeout=30)
        channel.send({"cmd": "_return", "id": name, "jid": jid, "fun_args": [], **returned})


def work(opts, numbers, jobs):
    while True:
        load = jobs.get()
        if load.get("fun") != "cmdb.collect":
            continue
        for name in load["tgt"]:
            if name in numbers:
                mine = copy.copy(opts)
                mine["id"] = name
                answer(mine, numbers[name], load["jid"])


async def listen(opts, jobs):
    channel = salt.channel.client.AsyncPubChannel.factory(opts)
    await channel.connect()

    async def heard(payload):
        if payload and "load" in payload:
            jobs.put(payload["load"])

    channel.on_recv(heard)
    print("ready", flush=True)
    await asyncio.Event().wait()


def main(path, number):
    everybody = names(int(number))
    opts = options(path, everybody[0])
    jobs = queue.SimpleQueue()
    numbers = {name: 1000 + one for one, name in enumerate(everybody)}
    threading.Thread(target=work, args=(opts, numbers, jobs), daemon=True).start()
    asyncio.run(listen(opts, jobs))


if __name__ == "__main__":
    main(*sys.argv[1:])
