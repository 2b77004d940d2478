# A master that asks machines without a minion: a key of its own for them, and what salt-ssh takes
# for every machine of a roster. The public key is in the answer of the first run; the machines
# have to accept it.
{%- from "cmdb/map.jinja" import config_dir, formula with context %}
{%- from "cmdb/master/map.jinja" import own_configuration, refused with context %}

{%- set file = config_dir ~ '/master.d/cmdb_ssh.conf' %}
{%- set own = own_configuration(file, 'roster_defaults ssh_minion_opts') | load_json %}
{%- set key = formula.ssh.key or config_dir ~ '/pki/master/ssh/cmdb' %}
{%- set user = formula.master.user or own.user %}
{%- set defaults = salt['slsutil.merge']({'priv': key}, own.repeated.get('roster_defaults', {})) %}
{%- set options = own.repeated.get('ssh_minion_opts', {}) %}

{%- if formula.ssh.packages %}

cmdb_ssh_packages:
  pkg.installed:
    - pkgs: {{ formula.ssh.packages | tojson }}
    - require_in:
      - cmd: cmdb_ssh_key
{%- endif %}

cmdb_ssh_key:
  file.directory:
    - name: {{ salt['file.dirname'](key) }}
    - user: {{ user }}
    - mode: '0700'
    - makedirs: True
  cmd.run:
    - name: ssh-keygen -q -t ed25519 -N '' -C salt-cmdb -f {{ key }} && cat {{ key }}.pub
    - runas: {{ user }}
    - creates: {{ key }}
    - require:
      - file: cmdb_ssh_key

cmdb_ssh_configuration:
{%- if own.last %}
{{- refused(own, 'roster_defaults:\n  priv: ' ~ key) }}
{%- else %}
  file.serialize:
    - name: {{ file }}
    - serializer: yaml
    - dataset:
        roster_defaults: {{ salt['slsutil.merge'](defaults, formula.ssh.roster_defaults) | tojson }}
        ssh_minion_opts: {{ salt['slsutil.merge'](options, formula.ssh.minion_opts) | tojson }}
    - user: {{ user }}
    - mode: '0600'
    - makedirs: True
    - show_changes: False
{%- endif %}
