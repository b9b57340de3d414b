-- Until when money can be asked back follows the day of the exam, and that may be moved.

ALTER TABLE order_items ADD COLUMN sitting text;  -- none: owed before this was written down

CREATE TABLE exam_days (
    sitting   text        PRIMARY KEY,
    exam_date date        NOT NULL,
    moved_at  timestamptz NOT NULL
);
