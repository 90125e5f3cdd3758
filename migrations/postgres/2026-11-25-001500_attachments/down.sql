DROP TABLE attachment_piece;
DROP TABLE attachment;
