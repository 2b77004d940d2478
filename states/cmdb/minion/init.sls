# A machine that reports itself: the extension, a schedule and the first report.
{%- from "cmdb/map.jinja" import formula with context %}
{%- from "cmdb/extension.jinja" import extension, restarted, version with context %}

{%- set is_loaded = 'cmdb.collect' in salt %}
{#- By what this minion has loaded: pip, or cmdb.master, may have upgraded its Python before. #}
{%- set is_upgrade = is_loaded and version and grains.get('cmdb_version') != version %}

{%- if formula.minion.delivery == 'sync' %}

# A new version answers without a restart.
cmdb_extension:
  saltutil.sync_all:
    - reload_modules: True
{%- else %}

{{ extension('cmdb_extension', 'minion', 'salt_ext', '^salt_cmdb-' ~ version ~ '-') }}

{{ restarted('cmdb_extension', 'minion', opts['pidfile'], is_upgrade) }}
{%- endif %}

# return_job is off because the report travels by the mine: a job return of it
# would cost the master six times as much and tell nobody anything. run_on_start, which
# Salt has on by default, is off because it ignores the splay, and a fleet restarts together.
cmdb_collect:
  schedule.present:
    - function: cmdb.collect
    - seconds: {{ formula.interval_seconds }}
    - splay: {{ formula.splay_seconds }}
    - maxrunning: 1
    - return_job: False
    - run_on_start: False
    - require:
      - cmdb_extension

# The first report need not wait for the schedule; the name file is there when the master has
# taken one.
cmdb_first_report:
{%- if opts['test'] and not is_loaded %}
  # Salt can predict no function of a package that is not there yet.
  test.configurable_test_state:
    - changes: True
    - result: True
    - comment: cmdb.collect is set to be executed
{%- else %}
  module.run:
    - cmdb.collect: []
{%- endif %}
    - unless: >-
        grep -qs '"collected_at": "' '{{ salt['config.get']('cmdb:name_file') or opts['cachedir'] ~ '/cmdb/name' }}'
    - require:
      - schedule: cmdb_collect
