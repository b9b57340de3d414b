-- How often something was tried within a while.

CREATE TABLE counters (
    name     text        NOT NULL,
    key      text        NOT NULL,
    count    integer     NOT NULL,
    began_at timestamptz NOT NULL,
    PRIMARY KEY (name, key)
) WITH (fillfactor = 70);

CREATE INDEX counters_began_at ON counters (began_at);
