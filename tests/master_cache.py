"""The master's cache as Salt fills it, in the layout of each version."""


def keep(cache, kind, minion_id, value):
    """Put a mine or grains where a master of that version puts them; return bank and key."""
    if cache.one_bank_each:
        bank, key = f"minions/{minion_id}", "mine" if kind == "mine" else "data"
        value = value if kind == "mine" else {"grains": value}
    else:
        bank, key = kind, minion_id
    cache.cache.store(bank, key, value)
    return bank, key
