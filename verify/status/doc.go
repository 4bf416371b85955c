// Package status reads and writes signed lists that say how single cards stand: whether
// they are in force, suspended, replaced, revoked or not yet handed out.
//
// ICAO Doc 9303 revokes certificates only, never documents, so that the form is tamthe's
// own. There are three sorts of snapshots, and deltas of two of them:
//
//	index    by the index that the SOD signs (lds.StatusReference): every card issued
//	filter   for cards without an index: the first bits of the names of the cards that are
//	         not in force. Small, and at times wrong: a hit may be another card
//	exact    the same cards by their full names, which confirms or clears a hit
//
// A name is the SHA-256 of the LDSSecurityObject (the CardID), of EF.DG14 or of EF.DG15:
// whichever of the three a list holds, the card is meant. Only a DG14 that holds a key of
// the chip's own may be put into a list: others are the same on many cards.
//
// # Signer
//
// A list is signed by a bare key, EC or RSA, whose SHA-256 fingerprint the operator has
// pinned for this issuer in issuers.toml (status_keys). It is no certificate under the
// CSCA: Doc 9303-12 has no profile for one, what is no document signer must not look like
// one, and the key that signs every hour lies on a machine that should be replaced without
// the CSCA. Two fingerprints stand side by side while a key is replaced.
//
// # Form
//
// Version 1, numbers big-endian, short and long text with their length in one or two
// octets:
//
//	4      "TSTL"
//	1      version, 1
//	1      sort: 1 index, 2 index delta, 3 filter, 4 exact, 5 exact delta
//	2      issuer's country, capital letters
//	1 …    number of document codes, 1 to 16, and each as short text: "I" is all that begin with I
//	long   URI of the list, at most 256 octets
//	8      sequence number, from 1; never used twice for one URI, rising through all sorts
//	8      time of signing, seconds since 1970
//	8      time at which the next list is there at the latest, later than that
//	32     edition: names the statuses that a snapshot holds; of a delta, those of the snapshot that it changes
//	8      0; of a delta, the sequence number of that snapshot
//	4 …    payload
//	long   signer's SubjectPublicKeyInfo
//	long   signature over "tamthe status list v1", a zero octet and all that is before it:
//	       ECDSA with the SHA-2 that fits the curve, or RSA-PSS with SHA-256
//
// The payload of an index list is
//
//	8      limit: every index is below it; 2^32 at most
//	1      1 if the set of issued cards is written as those indexes below the limit that it lacks
//	set    undelivered; issued, in whatever state; suspended; superseded; revoked
//
// where a card that was issued and is in none of the other sets is active; that of a delta
// has 0 and, in place of the issued cards, those that are active now. The payload
// of a filter is
//
//	1      width: the bits of each name that are kept, 8 to 63
//	set    the first bits of the names, as numbers
//
// and that of an exact list, for each state (undelivered, active, suspended, superseded, revoked),
//
//	4      number of names
//	32 …   names, rising
//
// A delta holds those cards whose state is another one than in its snapshot, under the
// state that they have now; it is complete by itself, so that of several deltas of one
// snapshot only the newest counts. A filter takes the deltas of the exact list that has its
// edition, and has no active cards, as an exact snapshot has none.
//
// A set of numbers is Rice-coded, which is within a few hundredths of the entropy, so that
// no compression would gain anything:
//
//	8      number of members
//	1      k, at most 56
//	4 …    for each member, rising, its distance from the one before, less one (the first as
//	       it is): the distance shifted right by k as that many one bits and a zero bit, then
//	       its last k bits; the most significant bit of each octet first, zero bits at the end
//
// With k = 0 that is a bitmap of the numbers up to the last member, in which a member has
// a zero bit.
//
// The edition of an index list is the SHA-256 of "tamthe status edition", a zero octet and
// its payload; that of an exact list likewise, and a filter carries the edition of the exact
// list with the same cards.
//
// # Patch and head
//
// A patch makes of one index snapshot the next one, as it was signed:
//
//	4      "TSTC"
//	1      version, 1
//	32     SHA-256 of the snapshot that it changes
//	32     SHA-256 of the snapshot that it makes
//	long   what that has before its payload
//	4 …    the payload of the index delta from the one to the other
//	long   what that has after its payload
//
// A head is written and signed as a list of sort 6 is, with the number of the newest snapshot
// as that which it changes, and that one's edition. Its payload is the SHA-256 (32) and the
// size (8) of the snapshot, the number of steps (2) and of each step the number of the
// snapshot from which it leads (8), its SHA-256 (32), and the SHA-256 (32) and the size (8)
// of the patch, which makes the snapshot that the next step leads from, the last the newest.
//
// # Rolling back
//
// A snapshot counts with the newest delta that fits it. A sequence number that is lower
// than one seen before for this URI and sort is refused, also where only the delta is
// missing, and filters and exact lists are refused where a newer one of either sort was seen.
package status
