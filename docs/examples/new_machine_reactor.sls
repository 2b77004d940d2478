{#- On salt/cmdb/new/*: the inventory sees a machine for the first time. #}
{%- if data['minion_id'] %}
new_machine:
  runner.state.orchestrate:
    - args:
      - mods: new_machine
      - pillar:
          minion_id: {{ data['minion_id'] | json }}
{%- endif %}
