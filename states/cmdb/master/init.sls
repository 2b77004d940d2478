# A master that keeps the inventory: the extension and its configuration. The
# state is for the minion on the master's own machine.
{%- from "cmdb/map.jinja" import config_dir, formula with context %}
{%- from "cmdb/extension.jinja" import extension, installed_version, restarted, version with context %}
{%- from "cmdb/master/map.jinja" import own_configuration, refused with context %}

{%- set file = config_dir ~ '/master.d/cmdb.conf' %}
{%- set own = own_configuration(file, 'cmdb engines') | load_json %}
{%- set installed = installed_version(grains['pythonexecutable']) %}

{{ extension('cmdb_master_extension', 'master', 'salt_ext.store', '[.]whl$') }}

{%- if own.last %}

cmdb_master_configuration:
{{- refused(own, 'engines:\n  - cmdb: {}\ncmdb:\n  database_url: ...') }}
{%- else %}

# The engines of the master's main file are repeated here, since a file of master.d takes their
# place; so are its settings of ours. The file holds the password of the database: only the master
# may read it, and it is shown in no job return.
cmdb_master_configuration:
  file.serialize:
    - name: {{ file }}
    - serializer: yaml
    - dataset:
        cmdb: {{ salt['slsutil.merge'](own.repeated.get('cmdb', {}), formula.master.settings) | tojson }}
        engines: {{ (own.repeated.get('engines', []) + [{'cmdb': {}}]) | unique | tojson }}
    - user: {{ formula.master.user or own.user }}
    - mode: '0600'
    - makedirs: True
    - show_changes: False
    - require:
      - cmdb_master_extension

# Said again until somebody has done it.
cmdb_master_is_to_restart:
  test.show_notification:
    - text: Restart the salt-master for its new configuration; then run salt-run cmdb.migrate.
    - onlyif: test -e '{{ own.pidfile }}' && test '{{ file }}' -nt '{{ own.pidfile }}'
{%- endif %}

{{ restarted('cmdb_master_extension', 'master', own.pidfile, installed and version and installed != version) }}
