{#- On salt/cmdb/changed/*: a memory module is gone. One report is not enough to act upon. #}
{%- set lost = data.get('changes', [])
    | selectattr('op', 'equalto', 'removed')
    | selectattr('path', 'equalto', 'memory.devices')
    | map(attribute='words') | list %}
{%- if lost and data['minion_id'] %}
lost_dimm:
  runner.state.orchestrate:
    - args:
      - mods: lost_dimm
      - pillar:
          minion_id: {{ data['minion_id'] | json }}
          lost: {{ lost | json }}
{%- endif %}
