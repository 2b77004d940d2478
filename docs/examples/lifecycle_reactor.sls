{#- On salt/cmdb/lifecycle/*: whoever reads a file knows at once that a machine is retired.

    What is written comes from the store and not from the event.
#}
nodegroups:
  runner.cmdb.inventory:
    - args:
      - format: nodegroups
      - out_file: {{ (opts['config_dir'] ~ '/master.d/cmdb_groups.conf') | json }}
