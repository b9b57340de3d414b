-- A batch lives for a moment only: to pack it takes longer than to write it as it is.
ALTER TABLE outbox ALTER COLUMN body SET STORAGE EXTERNAL;
