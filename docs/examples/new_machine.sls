{#- Bring a new machine into its state, and look at it again with all collectors.

    Whoever may send events may start this for any minion, and a highstate hurts none.
#}
{%- set minion = pillar['minion_id'] %}

bring_up:
  salt.state:
    - tgt: {{ minion | json }}
    - tgt_type: list
    - highstate: True

collect_again:
  salt.function:
    - name: cmdb.collect
    - tgt: {{ minion | json }}
    - tgt_type: list
    - require:
      - salt: bring_up
