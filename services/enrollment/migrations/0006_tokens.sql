-- What programs show instead of a session: digests of tokens, and whose they are.
CREATE TABLE api_tokens (
    id           uuid        PRIMARY KEY,
    digest       bytea       NOT NULL UNIQUE,
    account_id   uuid        NOT NULL,
    label        text        NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    last_used_on date,
    -- Each call moves it on a little; a call is refused while it is too far ahead of the clock.
    spent_until  timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);  -- room to count a call without touching an index

CREATE INDEX api_tokens_account ON api_tokens (account_id);

-- What was answered to a call that changes something, so that its repetition changes nothing.
CREATE TABLE idempotency_keys (
    token_id uuid        NOT NULL,
    key      text        NOT NULL,
    request  bytea       NOT NULL,  -- a digest of what was asked
    kept_at  timestamptz NOT NULL,
    status   smallint,
    body     bytea,
    PRIMARY KEY (token_id, key)
);

CREATE INDEX idempotency_keys_kept_at ON idempotency_keys (kept_at);
