# No key of ours for machines without a minion. What accepts it on them is theirs to remove.
{%- from "cmdb/map.jinja" import config_dir, formula with context %}
{%- set key = formula.ssh.key or config_dir ~ '/pki/master/ssh/cmdb' %}

cmdb_ssh_files:
  file.absent:
    - names:
      - {{ config_dir }}/master.d/cmdb_ssh.conf
      - {{ key }}
      - {{ key }}.pub
