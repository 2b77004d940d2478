"""
Webhooks: events of the inventory, sent by HTTP to programs that know nothing of Salt.

What a webhook is to have waits in the store from the moment on in which its news is
told: see :mod:`salt_ext.store.deliveries`. Here it is sent.
"""
