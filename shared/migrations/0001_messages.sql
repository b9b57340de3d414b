-- Every service database carries the same two message tables. Both are queues: rows come and go
-- all night, so they are cleaned by count, not by share of a size they never keep.

CREATE TABLE outbox (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id  uuid        NOT NULL,
    name        text        NOT NULL,
    body        text        NOT NULL,  -- the CloudEvents batch, byte for byte as it travels
    trace       text,
    attempts    integer     NOT NULL DEFAULT 0,
    last_error  text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    due_at      timestamptz NOT NULL DEFAULT now()
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000,
    autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE inbox (
    message_id uuid        PRIMARY KEY,
    name       text        NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT now()
) WITH (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000
);

CREATE INDEX inbox_handled_at ON inbox USING brin (handled_at) WITH (autosummarize = on);
