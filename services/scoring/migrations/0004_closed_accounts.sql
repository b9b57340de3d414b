-- Accounts that were closed. Others' news of them may come before or after this; it stays true.
CREATE TABLE closed_accounts (
    account_id uuid        PRIMARY KEY,
    closed_at  timestamptz NOT NULL
);
