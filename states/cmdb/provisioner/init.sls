# What answers machines that are to be installed: a service of its own beside the web UI.
{%- from "cmdb/server.jinja" import serves with context %}
{{ serves('provisioner', 'provisioner') }}
