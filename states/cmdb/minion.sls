# A machine that reports itself: the extension, a schedule and the first report.
{%- from "cmdb/map.jinja" import formula, installed with context %}

cmdb_extension: {{- installed('', 'salt_ext') }}

# return_job is off because the report travels by the mine: a job return of it
# would cost the master six times as much and tell nobody anything. There is no
# run_on_start because that ignores the splay, and a fleet restarts together.
cmdb_collect:
  schedule.present:
    - function: cmdb.collect
    - seconds: {{ formula.interval_seconds }}
    - splay: {{ formula.splay_seconds }}
    - maxrunning: 1
    - return_job: False
    - require:
      - pip: cmdb_extension

# The first report need not wait for the schedule.
cmdb_first_report:
  module.run:
    - cmdb.collect: []
    - onchanges:
      - schedule: cmdb_collect
