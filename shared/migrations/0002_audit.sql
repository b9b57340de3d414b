-- The audit log: lines are written in the transaction of the act they record, and sealed into a
-- hash chain afterwards, in batches, so that no act waits for another.

CREATE TABLE audit_lines (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    actor       text        NOT NULL,  -- an account's id, or what acted by itself: "job", "command line"
    act         text        NOT NULL,
    subject     text        NOT NULL,
    details     jsonb       NOT NULL
);

CREATE INDEX audit_lines_subject ON audit_lines (subject, id);

-- Lines not yet sealed. Numbers commit out of order, so "greater than the last" would miss some.
CREATE TABLE audit_unsealed (
    line_id bigint PRIMARY KEY
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE TABLE audit_chain (
    position    bigint      PRIMARY KEY,
    line_id     bigint      NOT NULL UNIQUE,
    line_digest bytea       NOT NULL,
    digest      bytea       NOT NULL,  -- of the digest before and this line's
    sealed_at   timestamptz NOT NULL DEFAULT now()
);

-- The newest head of every other service's chain, as it was announced.
CREATE TABLE audit_witness (
    service      text        PRIMARY KEY,
    position     bigint      NOT NULL,
    digest       text        NOT NULL,
    witnessed_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_lines_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_chain_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
