-- What thoughts are called, findable by any three letters in a row: titles and paths. Words within
-- texts are in fulltext; names within texts are in the machine's index, which takes its time.
CREATE VIRTUAL TABLE names USING fts5 (
    title, path,
    content = 'texts', content_rowid = 'n',
    tokenize = 'trigram remove_diacritics 1'
);
INSERT INTO names (names) VALUES ('rebuild');
