#!/bin/sh
# Runs once, on an empty volume: the application's role owns its database and is no superuser, so
# the database's own rules (the audit trail's above all) hold for the application too.
set -eu
psql --set ON_ERROR_STOP=1 --username postgres --set password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE hematovision LOGIN PASSWORD :'password';
CREATE DATABASE hematovision OWNER hematovision;
SQL
