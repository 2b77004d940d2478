# A master that keeps no inventory any more. The database stays: see cmdb.postgres.clean.
{%- from "cmdb/map.jinja" import cached_wheels, config_dir, place with context %}
{%- from "cmdb/master/map.jinja" import own_configuration with context %}
{%- import_text 'cmdb/files/orphans.py' as code %}
{%- set orphans = salt['cmd.run_stdout']('"' ~ grains['pythonexecutable'] ~ '" -', stdin=code, python_shell=True) %}
{%- set file = config_dir ~ '/master.d/cmdb.conf' %}
{%- set own = own_configuration(file, 'cmdb engines') | load_json %}

cmdb_master_configuration:
  file.absent:
    - name: {{ file }}

{%- if orphans %}

# What pip brought for us, unless something else needs it.
cmdb_master_packages:
  module.run:
    - pip.uninstall:
      - pkgs: {{ orphans }}
{%- endif %}

# A minion on the same machine has it in the same Python.
cmdb_master_extension:
  pip.removed:
    - name: salt-cmdb
    - unless: grep -qs cmdb_collect '{{ config_dir }}'/minion.d/*.conf

cmdb_master_files:
  file.absent:
    - names:
      - {{ place }}master
      - {{ place }}upgraded
      - {{ own.cachedir }}/cmdb
      - {{ cached_wheels }}

cmdb_master_is_to_restart:
  test.show_notification:
    - text: Restart the salt-master; until then its engine runs on.
    - onchanges:
      - file: cmdb_master_configuration
