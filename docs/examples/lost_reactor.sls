{#- On salt/cmdb/lost/*: two collections have shown that a part is gone. #}
{%- if data['minion_id'] %}
lost:
  runner.state.orchestrate:
    - args:
      - mods: lost
      - pillar:
          minion_id: {{ data['minion_id'] | json }}
{%- endif %}
