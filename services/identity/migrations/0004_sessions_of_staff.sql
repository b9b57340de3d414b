-- Whether a session was begun with the second factor: one that was not gives nobody a role. Of those
-- that are open it is not known: staff sign in once more.
ALTER TABLE sessions ADD COLUMN is_staff boolean NOT NULL DEFAULT false;
