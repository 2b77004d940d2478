{#- Look again at a machine that has lost a memory module, and act when it is still gone.

    It acts on machines whose baseline was accepted: there a person has said what is right.
#}
{%- set minion = pillar['minion_id'] %}

collect_again:
  salt.function:
    - name: cmdb.collect
    - tgt: {{ minion | json }}
    - tgt_type: list

# The engine stores reports by itself; this waits until it is stored.
store:
  salt.runner:
    - name: cmdb.sync
    - require:
      - salt: collect_again

# Fails when what is gone was gone in two collections.
is_confirmed:
  salt.runner:
    - name: cmdb.baseline
    - arg:
      - check
      - {{ minion | json }}
    - kwarg:
        section: memory
        exit_code: True
    - require:
      - salt: store

# Here stands what your site does about it.
to_maintenance:
  salt.runner:
    - name: cmdb.lifecycle
    - arg:
      - {{ minion | json }}
      - maintenance
    - kwarg:
        reason: {{ pillar['lost'] | join('; ') | json }}
    - onfail:
      - salt: is_confirmed

tell:
  salt.runner:
    - name: event.send
    - arg:
      - {{ ('operations/lost-dimm/' ~ minion) | json }}
    - kwarg:
        data:
          minion_id: {{ minion | json }}
          lost: {{ pillar['lost'] | json }}
    - onfail:
      - salt: is_confirmed
    - require:
      - salt: to_maintenance
