-- Letters owed to people of whom there is no word yet how to reach them: news comes in any order.
CREATE TABLE unaddressed (
    account_id    uuid        NOT NULL,
    cause         text        NOT NULL,
    template      text        NOT NULL,
    context       jsonb       NOT NULL,
    useless_after timestamptz,
    owed_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, cause, template)
);

-- Whose turn comes first, whatever waits: see rules.Turn.
ALTER TABLE letters ADD COLUMN turn smallint NOT NULL DEFAULT 2;

DROP INDEX letters_due;
CREATE INDEX letters_due ON letters (turn, due_at) WHERE state IN ('queued', 'sending', 'retrying');
