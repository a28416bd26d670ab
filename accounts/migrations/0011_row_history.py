"""Row history: what changed in the database, noted by triggers in a table that only grows."""

from django.db import migrations, models

FUNCTIONS = """
CREATE FUNCTION accounts_row_document(document jsonb, ignored text[], secret text[])
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT (document - ignored) || coalesce((
        SELECT jsonb_object_agg(name, left(encode(sha256(convert_to(
            coalesce(document->>name, ''), 'UTF8')), 'hex'), 12))
        FROM unnest(secret) AS name
    ), '{}'::jsonb)
$$;

CREATE FUNCTION accounts_row_difference(document jsonb, other jsonb)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(key, value) FROM jsonb_each(document)
    WHERE other->key IS DISTINCT FROM value
$$;

CREATE FUNCTION accounts_note_updates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_rowchange (at, transaction_id, transaction_at, table_name, row_id,
        operation, before, after, database_user, program)
    SELECT clock_timestamp(), txid_current(), now(), TG_TABLE_NAME,
        coalesce(o.key, n.key), 'update',
        accounts_row_difference(o.document, n.document),
        accounts_row_difference(n.document, o.document),
        session_user, left(current_setting('application_name'), 63)
    FROM (
        SELECT to_jsonb(r)->>TG_ARGV[0] AS key, accounts_row_document(
            to_jsonb(r), TG_ARGV[1]::text[], TG_ARGV[2]::text[]) AS document FROM old_rows r
    ) o FULL JOIN (
        SELECT to_jsonb(r)->>TG_ARGV[0] AS key, accounts_row_document(
            to_jsonb(r), TG_ARGV[1]::text[], TG_ARGV[2]::text[]) AS document FROM new_rows r
    ) n ON o.key = n.key
    WHERE o.document IS DISTINCT FROM n.document;
    RETURN NULL;
END $$;

CREATE FUNCTION accounts_note_deletes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_rowchange (at, transaction_id, transaction_at, table_name, row_id,
        operation, before, after, database_user, program)
    SELECT clock_timestamp(), txid_current(), now(), TG_TABLE_NAME,
        to_jsonb(r)->>TG_ARGV[0], 'delete',
        accounts_row_document(to_jsonb(r), '{}', TG_ARGV[2]::text[]), NULL,
        session_user, left(current_setting('application_name'), 63)
    FROM old_rows r;
    RETURN NULL;
END $$;

CREATE FUNCTION accounts_note_inserts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_rowchange (at, transaction_id, transaction_at, table_name, row_id,
        operation, before, after, database_user, program)
    SELECT clock_timestamp(), txid_current(), now(), TG_TABLE_NAME,
        to_jsonb(r)->>TG_ARGV[0], 'insert', NULL, NULL,
        session_user, left(current_setting('application_name'), 63)
    FROM new_rows r;
    RETURN NULL;
END $$;

CREATE FUNCTION accounts_note_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_rowchange (at, transaction_id, transaction_at, table_name, row_id,
        operation, before, after, database_user, program)
    VALUES (clock_timestamp(), txid_current(), now(), TG_TABLE_NAME, '', 'truncate', NULL, NULL,
        session_user, left(current_setting('application_name'), 63));
    RETURN NULL;
END $$;

CREATE TRIGGER row_change_append_only BEFORE UPDATE OR DELETE ON accounts_rowchange
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER row_change_no_truncate BEFORE TRUNCATE ON accounts_rowchange
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
"""

# As in 0002, but the seal also notes the transaction, so that changed rows find their event.
SEAL = """
CREATE OR REPLACE FUNCTION accounts_seal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head accounts_auditseal%ROWTYPE;
    content text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('accounts_auditseal'));
    SELECT * INTO head FROM accounts_auditseal ORDER BY sequence DESC LIMIT 1;
    SELECT payload INTO STRICT content FROM accounts_auditevent WHERE id = NEW.event_id;
    head.sequence := coalesce(head.sequence, 0) + 1;
    head.previous_hash := coalesce(head.hash, repeat('0', 64));
    head.hash := encode(sha256(convert_to(head.previous_hash || content, 'UTF8')), 'hex');
    INSERT INTO accounts_auditseal
        (sequence, event_id, previous_hash, hash, transaction_id, transaction_at)
        VALUES (head.sequence, NEW.event_id, head.previous_hash, head.hash, txid_current(), now());
    DELETE FROM accounts_auditqueue WHERE event_id = NEW.event_id;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_sign_in_policy")]

    operations = [
        migrations.CreateModel(
            name="RowChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("transaction_id", models.BigIntegerField()),
                ("transaction_at", models.DateTimeField()),
                ("table_name", models.CharField(max_length=63)),
                ("row_id", models.CharField(blank=True, max_length=64)),
                ("operation", models.CharField(max_length=8)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                ("database_user", models.CharField(max_length=63)),
                ("program", models.CharField(blank=True, max_length=63)),
            ],
            options={
                "ordering": ("-id",),
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["table_name", "row_id"], name="rowchange_row"),
                    models.Index(fields=["transaction_id"], name="rowchange_transaction"),
                ],
            },
        ),
        migrations.AddField("auditseal", "transaction_id", models.BigIntegerField(null=True)),
        migrations.AddField("auditseal", "transaction_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "auditseal", models.Index(fields=["transaction_id"], name="seal_transaction")
        ),
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(SEAL, migrations.RunSQL.noop),
    ]
