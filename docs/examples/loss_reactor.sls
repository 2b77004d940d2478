{#- On salt/cmdb/changed/*: a part is gone. One report is not enough to act upon, so ask again.

    A second collection that shows it too makes it a loss, of which the event `lost` tells.
#}
{%- if data.get('changes', []) | selectattr('class', 'equalto', 'loss') | list and data['minion_id'] %}
look_again:
  runner.cmdb.collect:
    - args:
      - tgt: [{{ data['minion_id'] | json }}]
      - tgt_type: list
{%- endif %}
