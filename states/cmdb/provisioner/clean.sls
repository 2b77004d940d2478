# No machine is installed from here any more.
{%- from "cmdb/server.jinja" import no_longer with context %}
{{ no_longer('provisioner') }}
