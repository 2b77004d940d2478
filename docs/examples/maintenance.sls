{#- Work on machines between two looks at them: it ends well when their hardware is as before.

    salt-run state.orchestrate maintenance \
        pillar='{"ticket": "CHG-4711", "tgt": "web*", "sls": "new_rack"}'
#}
{%- set ticket = pillar['ticket'] %}
{%- set tgt = pillar['tgt'] %}

{%- for when in ('before', 'after') %}
{%- if when == 'after' %}
work:
  salt.state:
    - tgt: {{ tgt | json }}
    - sls: {{ pillar['sls'] | json }}
    - require:
      - salt: snapshot
{%- endif %}

collect_{{ when }}:
  salt.function:
    - name: cmdb.collect
    - tgt: {{ tgt | json }}
{%- if when == 'after' %}
    - require:
      - salt: work
{%- endif %}

# The engine stores reports by itself; this waits until they are stored.
store_{{ when }}:
  salt.runner:
    - name: cmdb.sync
    - require:
      - salt: collect_{{ when }}

{%- if when == 'before' %}
snapshot:
  salt.runner:
    - name: cmdb.snapshot
    - arg:
      - {{ ('before-' ~ ticket) | json }}
    - kwarg:
        comment: {{ ticket | json }}
    - require:
      - salt: store_before
{%- endif %}
{%- endfor %}

# Fails, and the orchestration with it, when anything is not as it was.
gate:
  salt.runner:
    - name: cmdb.fleet_diff
    - arg:
      - {{ tgt | json }}
    - kwarg:
        from: {{ ('before-' ~ ticket) | json }}
        exit_code: True
    - require:
      - salt: store_after
