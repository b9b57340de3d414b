-- Letters that go out together: how far they are, staff follow on one page.
ALTER TABLE letters ADD COLUMN mailing text;  -- the code of the sitting they are about
ALTER TABLE unaddressed ADD COLUMN mailing text;

CREATE INDEX letters_mailing ON letters (mailing, template, state) WHERE mailing IS NOT NULL;
