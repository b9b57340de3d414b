#!/bin/bash
# Gives each service a database and a role of its own, once, when the server's data are made.
# A service's secret is the address it connects to; role, password and database are read from it.
set -euo pipefail

PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
export PGPASSWORD
run() { psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --username=postgres --dbname=postgres "$@"; }

run <<'SQL'
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
SQL

for secret in /run/secrets/*_database_url; do
  address=$(cat "$secret")
  [[ $address =~ ^postgresql://([a-z_]+):([A-Za-z0-9_-]+)@[^/]+/([a-z_]+)$ ]] ||
    { echo "$secret is not postgresql://role:password@host/database" >&2; exit 1; }
  role=${BASH_REMATCH[1]} password=${BASH_REMATCH[2]} database=${BASH_REMATCH[3]}
  # Standard input, because what stands on a command line is seen by every process.
  run --set=role="$role" --set=database="$database" <<SQL
CREATE ROLE :"role" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD '$password';
CREATE DATABASE :"database" OWNER :"role";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
  echo "database $database of role $role"
done
