# Nothing of ours on a machine: no report any more, no file, no package.
{%- from "cmdb/map.jinja" import cached_wheels, config_dir, place with context %}

cmdb_collect:
  schedule.absent

{%- if salt['mine.get'](opts['id'], 'cmdb.report', tgt_type='list') %}

# The last report, which the master keeps.
cmdb_report:
  module.run:
    - mine.delete:
      - cmdb.report
    - require:
      - schedule: cmdb_collect
{%- endif %}

# A master on the same machine has it in the same Python.
cmdb_extension:
  pip.removed:
    - name: salt-cmdb
    - reload_modules: True
    - unless: test -e '{{ config_dir }}/master.d/cmdb.conf'

# What was synced comes again as long as the file server has what ./dev tree has put there.
cmdb_minion_files:
  file.absent:
    - names:
      - {{ place }}minion
      - {{ place }}upgraded
      - {{ cached_wheels }}
      - {{ opts['cachedir'] }}/cmdb
{%- for directory in (opts['extension_modules'], opts['cachedir'] ~ '/files') %}
{%- for path in salt['file.find'](directory, type='f', regex='(cmdb_synced[.]|salt_cmdb-.*[.]zip$)') %}
      - {{ path }}
{%- endfor %}
{%- endfor %}
