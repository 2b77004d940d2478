# A PostgreSQL server with the database of the inventory, and who may do what in it: the owner has
# the tables, the others are members of the roles that `salt-run cmdb.migrate grants=True` gives
# their rights. No password is shown in a job return.
{%- from "cmdb/postgres/map.jinja" import connection, postgres, roles with context %}

{%- if postgres.packages %}

cmdb_postgres_packages:
  pkg.installed:
    - pkgs: {{ postgres.packages | tojson }}
    - reload_modules: True
    - require_in:
      - test: cmdb_postgres_server
{%- endif %}

{%- if postgres.initialize %}

cmdb_postgres_files:
  cmd.run:
    - name: {{ postgres.initialize }}
    - unless: ls /var/lib/pgsql/data/PG_VERSION
{%- if postgres.packages %}
    - require:
      - pkg: cmdb_postgres_packages
{%- endif %}
    - require_in:
      - test: cmdb_postgres_server
{%- endif %}

{%- if postgres.service %}

cmdb_postgres_service:
  service.running:
    - name: {{ postgres.service }}
    - enable: True
    - require_in:
      - test: cmdb_postgres_server
{%- endif %}

# Salt's states of PostgreSQL are there only when psql is: until then they can predict nothing.
cmdb_postgres_server:
{%- if opts['test'] and 'postgres.version' not in salt %}
  test.configurable_test_state:
    - changes: True
    - result: True
    - comment: the roles and the database {{ postgres.database }} are set to be created
{%- else %}
  test.nop

{%- for role in roles %}

cmdb_postgres_role_{{ role }}:
  postgres_group.present:
    - name: {{ role }}
    {{- connection() }}
    - require:
      - test: cmdb_postgres_server
    - require_in:
      - postgres_database: cmdb_postgres_database
{%- endfor %}

{%- for name, login in postgres.logins.items() %}

cmdb_postgres_login_{{ name }}:
  postgres_user.present:
    - name: {{ name }}
    - login: True
    - password: {{ login.password | tojson }}
    - encrypted: scram-sha-256
{%- if login.role is defined %}
    - groups: {{ login.role }}
{%- endif %}
    {{- connection() }}
    - require:
{%- if login.role is defined %}
      - postgres_group: cmdb_postgres_role_{{ login.role }}
{%- endif %}
      - test: cmdb_postgres_server
    - require_in:
      - postgres_database: cmdb_postgres_database
{%- endfor %}

cmdb_postgres_database:
  postgres_database.present:
    - name: {{ postgres.database }}
    - encoding: UTF8
{%- if postgres.locale %}
    - lc_collate: {{ postgres.locale }}
    - lc_ctype: {{ postgres.locale }}
{%- endif %}
    - template: template0
    - owner: {{ postgres.owner }}
    {{- connection() }}
{%- endif %}
