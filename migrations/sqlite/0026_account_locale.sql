-- A language tag: en, zh-TW. Old binaries write none, which reads as en.
ALTER TABLE accounts ADD COLUMN locale TEXT NULL;
