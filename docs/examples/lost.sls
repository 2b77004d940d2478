{#- A machine has lost a part: take its load away, and let it boot from the network once.

    Whoever may send events may start this for any machine, again and again. So nothing of what
    the event said is believed: the machine is asked, then the store, and then the brake.
#}
{%- set minion = pillar['minion_id'] %}

# Only a machine at work: another one has been taken out already, or a person works at it.
is_active:
  salt.runner:
    - name: cmdb.lifecycle
    - arg:
      - {{ minion | json }}
      - maintenance
    - kwarg:
        was: active
        reason: it has lost a part
        test: True

# A machine that does not answer ends it, and one whose report is held.
look_again:
  salt.runner:
    - name: cmdb.collect
    - kwarg:
        tgt: [{{ minion | json }}]
        tgt_type: list
    - require:
      - salt: is_active

# Refused: nothing is lost, too many machines within the hour, another one of its group, a wave.
may_drain:
  salt.runner:
    - name: cmdb.brake
    - arg:
      - {{ minion | json }}
    - kwarg:
        action: drain
        lost: True
        reason: it has lost a part
    - require:
      - salt: look_again

# Of two that come this far at a time, one goes on.
to_maintenance:
  salt.runner:
    - name: cmdb.lifecycle
    - arg:
      - {{ minion | json }}
      - maintenance
    - kwarg:
        was: active
        reason: it has lost a part
    - require:
      - salt: may_drain

# Your own state that takes the load away and waits until it is gone.
drain:
  salt.state:
    - tgt: {{ minion | json }}
    - tgt_type: list
    - sls: drain
    - require:
      - salt: to_maintenance

boot_once:
  salt.runner:
    - name: redfish.pxe_once
    - arg:
      - {{ minion | json }}
    - require:
      - salt: drain
