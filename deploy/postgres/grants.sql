-- In the queue's database, as its owner, after each `sms-milter queue migrate` that has added something:
--
--     psql -d sms -f deploy/postgres/grants.sql
--
-- What each group of deploy/postgres/roles.sql may do; it may be run again at any time. Columns that hold what somebody
-- wrote (sms_milter_texts below) are read by those alone who must: the dispatcher, who composes a message anew for
-- another SMSC, and the report role, who hands on what phones wrote.

BEGIN;

DO $$
BEGIN
    IF has_schema_privilege('sms_milter_monitor', 'public', 'CREATE') THEN
        RAISE EXCEPTION 'every role may make tables in this database'
            USING HINT = format('As a superuser, in this database: '
                'REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT CREATE ON SCHEMA public TO %s',
                (SELECT relowner::regrole FROM pg_class WHERE oid = 'mail'::regclass));
    END IF;
END
$$;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM sms_milter_intake, sms_milter_dispatch, sms_milter_report,
    sms_milter_operator, sms_milter_monitor;
GRANT USAGE ON SCHEMA public TO sms_milter_intake, sms_milter_dispatch, sms_milter_report, sms_milter_operator,
    sms_milter_monitor;
GRANT SELECT ON schema_version TO sms_milter_intake, sms_milter_dispatch, sms_milter_report, sms_milter_operator,
    sms_milter_monitor;

CREATE TEMPORARY TABLE sms_milter_texts (place text, name text) ON COMMIT DROP;
INSERT INTO sms_milter_texts VALUES
    ('message', 'text'), ('part', 'body'), ('original', 'header'), ('report', 'subject'), ('report', 'body'),
    ('mobile_part', 'content');

-- All columns of a table, but for the texts.
CREATE OR REPLACE FUNCTION pg_temp.without_texts(wanted text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = wanted::regclass AND attnum > 0 AND NOT attisdropped
        AND (wanted, attname::text) NOT IN (SELECT place, name FROM sms_milter_texts)
$$;

DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT * FROM (VALUES
        ('sms_milter_intake', ARRAY['mail', 'message', 'part', 'receipt', 'listener', 'report']),
        ('sms_milter_report', ARRAY['mail', 'message', 'part']),
        ('sms_milter_operator', ARRAY['mail', 'message', 'part', 'report', 'original', 'mobile_part']),
        ('sms_milter_monitor', ARRAY['mail', 'message', 'part', 'report', 'original', 'mobile_part'])
    ) AS wanted (who, places), unnest(places) AS place
    LOOP
        EXECUTE format('GRANT SELECT (%s) ON %I TO %I', pg_temp.without_texts(one.place), one.place, one.who);
    END LOOP;
END
$$;

-- What all that write need of each other.
GRANT SELECT, INSERT, UPDATE, DELETE ON turn
    TO sms_milter_intake, sms_milter_dispatch, sms_milter_report, sms_milter_operator;
GRANT INSERT ON part_count, flow TO sms_milter_intake, sms_milter_report, sms_milter_operator;
GRANT SELECT, UPDATE ON SEQUENCE part_id TO sms_milter_intake, sms_milter_report;

-- --role milter
GRANT INSERT ON mail, message, part, original, listener, comment, left_out, report TO sms_milter_intake;
GRANT SELECT, INSERT ON counted TO sms_milter_intake;
GRANT SELECT, INSERT, UPDATE, DELETE ON fingerprint, reference, number, usage, request, run, balance, booking, charge,
    record, failed_login, login_block, storm TO sms_milter_intake;
GRANT SELECT ON suppressed TO sms_milter_intake;
-- limits.storms: a message that waits says in the end how many it stands for.
GRANT UPDATE (text) ON message TO sms_milter_intake;
GRANT UPDATE (form, expires_at) ON part TO sms_milter_intake;

-- --role dispatch
GRANT SELECT, INSERT, UPDATE, DELETE ON mail, message, part, former_id, receipt, original, listener, comment, left_out,
    counted, report, mobile, mobile_part, cancellation, charge, booking, balance, usage, reference, fingerprint, part_count,
    bind_lease, bind_wish, rate_share, link, smsc_load, flow, storm TO sms_milter_dispatch;
GRANT SELECT ON trace TO sms_milter_dispatch;

-- --role report
GRANT SELECT, INSERT, UPDATE ON report TO sms_milter_report;
GRANT SELECT, UPDATE ON mobile TO sms_milter_report;
GRANT SELECT ON mobile_part, original, listener, counted TO sms_milter_report;
GRANT INSERT ON mail TO sms_milter_report;
GRANT SELECT, INSERT, DELETE ON suppressed TO sms_milter_report;

-- sms-milter queue, account, receipts, trace
GRANT UPDATE ON part TO sms_milter_operator;
GRANT UPDATE (overdue_at) ON message TO sms_milter_operator;
GRANT INSERT, DELETE ON report TO sms_milter_operator;
GRANT SELECT ON SEQUENCE part_id TO sms_milter_operator, sms_milter_monitor;
GRANT SELECT ON former_id, receipt, mobile, comment, left_out, counted, listener, link, smsc_load, bind_lease, bind_wish, rate_share, part_count, flow,
    number TO sms_milter_operator, sms_milter_monitor;
GRANT SELECT, INSERT, UPDATE, DELETE ON cancellation, charge, booking, balance, suppressed, failed_login, login_block, trace
    TO sms_milter_operator;
GRANT SELECT ON cancellation, charge, booking, balance, suppressed, login_block, trace TO sms_milter_monitor;

COMMIT;
