# No database of the inventory. It has all that was ever reported, so its name has to be said. The
# server and its packages stay: they may serve others, and so may roles, which belong to the server:
# one that has rights in another database or members of others is left.
{%- from "cmdb/postgres/map.jinja" import arguments, connection, postgres, roles with context %}

cmdb_postgres_database:
{%- if postgres.drop != postgres.database %}
  test.fail_without_changes:
    - comment: >-
        The database {{ postgres.database }} has all that was ever reported. To drop it with its
        roles, say its name in the pillar cmdb_formula:postgres:drop
{%- else %}
  postgres_database.absent:
    - name: {{ postgres.database }}
    {{- connection() }}

{%- for name in (postgres.logins.keys() | list) + roles %}

cmdb_postgres_role_{{ name }}:
  postgres_user.absent:
    - name: {{ name }}
    {{- connection() }}
    - unless:
      - fun: postgres.psql_query
        query: >-
          SELECT rolname FROM pg_roles AS role
           WHERE rolname = '{{ name }}'
             AND (EXISTS (SELECT FROM pg_shdepend
                           WHERE refclassid = 'pg_authid'::regclass AND refobjid = role.oid)
                  OR EXISTS (SELECT FROM pg_auth_members WHERE roleid = role.oid))
        {{- arguments() }}
    - require:
      - postgres_database: cmdb_postgres_database
{%- endfor %}
{%- endif %}
