-- Words of all scripts: marks that are letters to who reads, such as the vowels of Devanagari and Thai,
-- are part of a word. See aimem_tui/store/tokenizer.py, which says the same.
DROP TABLE fulltext;
CREATE VIRTUAL TABLE fulltext USING fts5 (
    title, path, body,
    content = 'texts', content_rowid = 'n',
    tokenize = "porter 'unicode61' 'remove_diacritics' '2' 'categories' 'L* N* Co Mn Mc' 'separators' 'ְֱֲֳִֵֶַָׇֹֺֻּׁׂًٌٍَُِّْٰ︎️'",
    prefix = '1 2 3'
);
INSERT INTO fulltext (fulltext, rank) VALUES ('rank', 'bm25(8.0, 3.0, 1.0)');
INSERT INTO fulltext (fulltext) VALUES ('rebuild');
