// Package trace records the commands and answers of a session with a card as text, and
// plays a record back.
//
// A record has two lines for each exchange, in hexadecimal digits: "> " and the command,
// "< " and the answer with its status word, or "! " and why there was no answer. Lines
// that begin with # and empty lines are comments.
//
// A Recorder belongs above secure messaging, where files are in clear, and takes out
// what must not lie about in a bug report:
//
//   - Contents of files. EF.CardAccess and EF.COM stay. In EF.SOD, EF.CardSecurity, DG14
//     and DG15 octet strings and bit strings go (hashes of the groups, keys, signatures),
//     names, algorithms and times stay. In every other file all values go that are not
//     mere structure; an MRZ becomes the specimen of Doc 9303.
//   - Command data of UPDATE BINARY, PUT DATA, APPEND RECORD, STORE DATA and PUT KEY, and
//     of VERIFY and its kin.
//   - Answers of READ RECORD, and values in those of GENERAL AUTHENTICATE, which may be the
//     name of a citizen for one sector.
//
// What goes is replaced by as many octets that mean nothing, and tags and lengths stay,
// so that a reader that plays the record takes the same way through the files. What
// stays can still tell one card from another.
package trace
