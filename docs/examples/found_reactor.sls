{#- On salt/cmdb/found/*: a part that was lost is in its machine again. #}
{%- if data['minion_id'] %}
found:
  runner.state.orchestrate:
    - args:
      - mods: found
      - pillar:
          minion_id: {{ data['minion_id'] | json }}
{%- endif %}
