{#- A machine has back what it had lost: its load returns, if it was a loss that took it away.

    Whoever may send events may start this for any machine, again and again: so the store is
    asked who took the load away, the machine whether it is whole, and the store once more.
#}
{%- set minion = pillar['minion_id'] %}

# A machine that a person took out has no permission of the brake.
is_ours:
  salt.runner:
    - name: cmdb.brake
    - arg:
      - {{ minion | json }}
    - kwarg:
        action: drain
        release: True
        test: True

look_again:
  salt.runner:
    - name: cmdb.collect
    - kwarg:
        tgt: [{{ minion | json }}]
        tgt_type: list
    - require:
      - salt: is_ours

# Fails while another part is still gone.
is_whole:
  salt.runner:
    - name: cmdb.losses
    - arg:
      - {{ minion | json }}
    - kwarg:
        state: lost
        exit_code: True
    - require:
      - salt: look_again

# Your own state that lets the load return.
undrain:
  salt.state:
    - tgt: {{ minion | json }}
    - tgt_type: list
    - sls: undrain
    - require:
      - salt: is_whole

to_active:
  salt.runner:
    - name: cmdb.lifecycle
    - arg:
      - {{ minion | json }}
      - active
    - kwarg:
        was: maintenance
        reason: it has back what it had lost
    - require:
      - salt: undrain

# From now on another machine of its group may be drained.
release:
  salt.runner:
    - name: cmdb.brake
    - arg:
      - {{ minion | json }}
    - kwarg:
        action: drain
        release: True
    - require:
      - salt: to_active
