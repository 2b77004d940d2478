"""
Programs of others read us, as they are installed everywhere: nothing here is made up.

Salt's own (pillar, node groups, salt-ssh with our roster) are in tests/integration, beside the
master that they need; ``./dev test consumers`` runs them too.
"""
