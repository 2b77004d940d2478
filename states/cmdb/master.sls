# A master that keeps the inventory: the extension and its configuration. The
# state is for the minion on the master's own machine.
{%- from "cmdb/map.jinja" import config_dir, formula, installed with context %}

cmdb_master_extension: {{- installed('[master]', 'salt_ext.store') }}

# The file holds the password of the database: only the master may read it, and
# it is shown in no job return.
cmdb_master_configuration:
  file.serialize:
    - name: {{ config_dir }}/master.d/cmdb.conf
    - serializer: yaml
    - dataset:
        cmdb: {{ formula.master.settings | tojson }}
        engines:
          - cmdb: {}
        extension_modules: {{ formula.master.extension_modules | tojson }}
    - user: {{ formula.master.user }}
    - mode: '0600'
    - makedirs: True
    - show_changes: False
    - require:
      - pip: cmdb_master_extension

{%- if formula.master.restart %}

cmdb_master_restart:
  service.running:
    - name: {{ formula.master.service }}
    - watch:
      - file: cmdb_master_configuration
{%- else %}

cmdb_master_restart:
  test.show_notification:
    - text: Restart the salt-master for its new configuration; then run salt-run cmdb.migrate.
    - onchanges:
      - file: cmdb_master_configuration
{%- endif %}
