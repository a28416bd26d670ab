"""The database's own rules: the audit trail is append-only and hash-chained; one role each."""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION accounts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % refused: the audit trail is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON accounts_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON accounts_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER audit_seal_append_only BEFORE UPDATE OR DELETE ON accounts_auditseal
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER audit_seal_no_truncate BEFORE TRUNCATE ON accounts_auditseal
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
"""

DROP_APPEND_ONLY = """
DROP TRIGGER audit_event_append_only ON accounts_auditevent;
DROP TRIGGER audit_event_no_truncate ON accounts_auditevent;
DROP TRIGGER audit_seal_append_only ON accounts_auditseal;
DROP TRIGGER audit_seal_no_truncate ON accounts_auditseal;
DROP FUNCTION accounts_refuse_change();
"""

# Sealing happens at commit, in two rounds of deferred triggers. Django's foreign keys are
# deferred too and lock rows when checked; were the chain locked in the same round, a
# transaction could hold the chain while it waits for a row, and another hold that row while it
# waits for the chain. So the first round only queues, and the second, which PostgreSQL starts
# when every check of the first has passed, takes the lock: rows first, chain last, no cycle.
# The queue table is empty outside a commit.
CHAIN = """
CREATE TABLE accounts_auditqueue (event_id uuid PRIMARY KEY);

CREATE FUNCTION accounts_queue_for_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_auditqueue (event_id) VALUES (NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION accounts_seal() RETURNS trigger LANGUAGE plpgsql AS $$
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
    INSERT INTO accounts_auditseal (sequence, event_id, previous_hash, hash)
        VALUES (head.sequence, NEW.event_id, head.previous_hash, head.hash);
    DELETE FROM accounts_auditqueue WHERE event_id = NEW.event_id;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER audit_event_queue AFTER INSERT ON accounts_auditevent
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION accounts_queue_for_seal();
CREATE CONSTRAINT TRIGGER audit_queue_seal AFTER INSERT ON accounts_auditqueue
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION accounts_seal();
"""

DROP_CHAIN = """
DROP TRIGGER audit_event_queue ON accounts_auditevent;
DROP TABLE accounts_auditqueue;
DROP FUNCTION accounts_queue_for_seal();
DROP FUNCTION accounts_seal();
"""

ONE_ROLE = "CREATE UNIQUE INDEX user_holds_one_role ON accounts_user_groups (user_id);"
DROP_ONE_ROLE = "DROP INDEX user_holds_one_role;"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, DROP_APPEND_ONLY),
        migrations.RunSQL(CHAIN, DROP_CHAIN),
        migrations.RunSQL(ONE_ROLE, DROP_ONE_ROLE),
    ]
