-- Counted ahead, so that looking costs the same however many registrations there are.
CREATE TABLE statistics (
    sitting     text        PRIMARY KEY REFERENCES sittings,
    counted_at  timestamptz NOT NULL,
    total       integer     NOT NULL,  -- registrations that hold a place
    confirmed   integer     NOT NULL,
    by_area     jsonb       NOT NULL,  -- {"taipei": 12}
    by_dialect  jsonb       NOT NULL,  -- only those that were sent: before, it may change
    by_day      jsonb       NOT NULL   -- {"2026-01-06": 12}, days of the claim in the programme's zone
);
