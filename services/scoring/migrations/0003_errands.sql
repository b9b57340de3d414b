-- What staff asked for and a worker does: it takes longer than anybody waits for a page.
CREATE TABLE errands (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sitting  text        NOT NULL REFERENCES sittings,
    act      text        NOT NULL CHECK (act IN ('compute', 'approve')),
    number   integer,                      -- of the computation that was looked at
    asked_by uuid        NOT NULL,
    asked_at timestamptz NOT NULL,
    ended_at timestamptz,
    refusal  text,                         -- why it was not done, as whoever asked reads it
    CHECK ((act = 'approve') = (number IS NOT NULL)),
    CHECK (refusal IS NULL OR ended_at IS NOT NULL)
);

-- A second click asks for what is being done already.
CREATE UNIQUE INDEX errands_one_at_a_time ON errands (sitting) WHERE ended_at IS NULL;
CREATE INDEX errands_sitting ON errands (sitting, id);
