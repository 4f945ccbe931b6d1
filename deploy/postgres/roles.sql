-- Once for each PostgreSQL server, as a superuser or a role with CREATEROLE:
--
--     psql -f deploy/postgres/roles.sql
--
-- Makes the groups that deploy/postgres/grants.sql gives something to; none of them can log in. Give each host a role of
-- its own in the groups that its roles need (a host that runs all of sms-milter: in the first three):
--
--     CREATE ROLE mx1 LOGIN PASSWORD '...' CONNECTION LIMIT 20 IN ROLE sms_milter_intake;

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'sms_milter_owner',     -- owns the tables; migrates and moves
        'sms_milter_intake',    -- --role milter: stores mails, reads limits; never reads a text
        'sms_milter_dispatch',  -- --role dispatch: sends, records, purges
        'sms_milter_report',    -- --role report: mails of ours; reads what phones wrote, never what was sent to them
        'sms_milter_operator',  -- sms-milter queue, account, receipts, trace; never reads a text
        'sms_milter_monitor'    -- sms-milter status, queue list and show; reads only, and never a text
    ] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
END
$$;
