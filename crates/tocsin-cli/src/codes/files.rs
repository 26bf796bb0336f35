//! Pages of what files of declarations, and the work on them, can be refused or told.

use super::Side::{Caller, File, Nobody};
use super::{Page, page};

/// Reasons of files and rows; in order.
pub(super) const FILES: &[Page] = &[
    page(
        "BYTES_UNREADABLE",
        File,
        "A row has bytes that are no text in the file's encoding, or zeros. It was screened with \
         them left out of account.",
        "If there are many, the encoding was detected wrongly: name it in the mapping, as \
         encoding = \"shift_jis\". Look at the rows that rejects.csv names.",
    ),
    page(
        "CELL_COUNT",
        File,
        "A row has more or fewer cells than the heading, so no cell can be trusted. It was not \
         screened.",
        "Mend the row in the office's system and screen it again; a quote without its partner is \
         the usual cause.",
    ),
    page(
        "DECLARATION_TOO_LONG",
        File,
        "A declaration has more goods items or text than any office accepts.",
        "Screen it in parts.",
    ),
    page(
        "FILE_EMPTY",
        File,
        "The file has no rows.",
        "See that it was written to its end.",
    ),
    page(
        "INPUT_CHANGED",
        Caller,
        "The file changed while it was read, so what was found is true of no file. No results \
         were kept.",
        "Wait until it is written, or screen a copy.",
    ),
    page(
        "INPUT_UNREADABLE",
        Caller,
        "The system could not read the file on.",
        "See what ails the disk or the share; the same command goes on where it stopped.",
    ),
    page(
        "JSON_UNREADABLE",
        File,
        "A line is no JSON object, or lacks the list of lines that the mapping names. It was not \
         screened.",
        "Mend the line and screen it again.",
    ),
    page(
        "LIST_MALFORMED",
        Caller,
        "The file is no published list that is known: the United States' Consolidated Screening \
         List as CSV. Nothing was screened, for a list that is half read clears whom it bars.",
        "Fetch it again from its publisher, and see that it was written to its end.",
    ),
    page(
        "MAPPING_COLUMN_MISSING",
        Caller,
        "The mapping names a column that the file does not have; what is not read could decide.",
        "Mend the name in the mapping, or take the line out if the file has no such column.",
    ),
    page(
        "MAPPING_MALFORMED",
        Caller,
        "The mapping says something that no mapping says.",
        "Mend the line that is named; tocsin screen mapping new writes one with every field \
         explained.",
    ),
    page(
        "MAPPING_NEEDED",
        Caller,
        "No column of the file has a name that says what to compare.",
        "Write a mapping once: tocsin screen mapping new FILE, fill it in, and give it with \
         --mapping.",
    ),
    page(
        "NO_HITS_FILE",
        Caller,
        "The file is none that tocsin screen writes hits to.",
        "Name the hits.csv, holds.csv or reviews.csv of a screened file.",
    ),
    page(
        "PARQUET_UNREADABLE",
        File,
        "The file is no sound Parquet file, or is compressed in a way other than Snappy or not at \
         all. Nothing of it was screened.",
        "Write it again, with Snappy or without compression.",
    ),
    page(
        "RESULTS_EXIST",
        Caller,
        "The folder holds the results of another run.",
        "Choose another folder with --out, or replace them with --restart.",
    ),
    page(
        "RESUME_OTHER_INPUT",
        Caller,
        "The folder holds unfinished work on another file, or the file has changed since.",
        "Give the file it began with, unchanged, or begin anew with --restart.",
    ),
    page(
        "ROW_NOT_LISTED",
        Caller,
        "The file of hits does not have that row: nothing matched it, or it was not screened.",
        "Look in rejects.csv; rows are numbered from 1, and a heading does not count.",
    ),
    page(
        "ROW_TOO_LONG",
        File,
        "A row, or the number of its values, is longer than any that is real. Unless it says \
         otherwise, it was not screened.",
        "Look for a quote without its partner at the line that is named.",
    ),
    page(
        "SCREEN_INTERRUPTED",
        Nobody,
        "Screening was stopped before the end of the file; what was done is kept in its folder.",
        "Run the same command again: it goes on where it stopped.",
    ),
    page(
        "SUPPRESSIONS_MALFORMED",
        Caller,
        "The file of suppressions says something that no such file says; nothing of it was taken.",
        "Mend what is named: each has reason, author and an end.",
    ),
    page(
        "VALUE_TOO_LONG",
        File,
        "A value was cut; what was kept of it was screened.",
        "Look at the row: a value of this length is no name and no number.",
    ),
    page(
        "VALUE_UNKNOWN",
        File,
        "A value is none that its field can take: a direction, a date, yes or no. The row was \
         screened without it.",
        "Map another column, or give the value as a constant in the mapping.",
    ),
    page(
        "XML_ENTITY",
        File,
        "The file declares or uses entities other than XML's own five, by which a small file can \
         become a large one.",
        "Ask whoever made it; no declaration needs them.",
    ),
    page(
        "XML_UNREADABLE",
        File,
        "The file is no well-formed XML, or deeper than any declaration. Nothing of it was \
         screened.",
        "Mend it at the line that is named.",
    ),
];
