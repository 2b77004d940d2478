# No web UI.
{%- from "cmdb/server.jinja" import no_longer with context %}
{{ no_longer('web') }}
