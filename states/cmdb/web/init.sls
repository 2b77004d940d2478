# The web UI: a Python of its own, a user of its own, a service on loopback. It needs no Salt.
{%- from "cmdb/server.jinja" import serves with context %}
{{ serves('web', 'webui') }}
