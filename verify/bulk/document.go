package bulk

import (
	"crypto/sha256"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/verify"
)

// document is one as it was read, taken apart without a copy.
type document struct {
	files   verify.Files
	outline lds.Outline
	zone    mrz.Glance
	present uint32 // bit n is file n
	signer  [32]byte
}

// The longest files of which something is kept, in octets; usual ones have 3 KB and 30.
const (
	maxSOD = 16 << 10
	maxCOM = 256
)

// read takes a document apart. It is false for one that is not of the plainest form: a SOD
// that has its outline, DG1 with a zone in order, portraits and DG14 of the usual form
// where they are. Nothing is judged.
func (d *document) read(files verify.Files) bool {
	d.files = files
	if len(files[lds.SODFile]) > maxSOD || len(files[lds.COM]) > maxCOM || !lds.ReadOutline(files[lds.SODFile], &d.outline) {
		return false
	}
	for f := range files {
		if f > 31 {
			return false
		}
		d.present |= 1 << f
	}
	zone, ok := lds.Zone(files[lds.DG1])
	if !ok || !d.covered(1) {
		return false
	}
	if d.zone, ok = mrz.Sound(zone); !ok {
		return false
	}
	if d.covered(2) && !lds.OneFace(files[lds.DG2]) || d.covered(14) && !lds.Framed(files[lds.DG14]) {
		return false
	}
	d.signer = sha256.Sum256(d.outline.Certificate)
	return true
}

// covered says whether the group is there and listed.
func (d *document) covered(n int) bool {
	return d.present>>n&1 == 1 && d.outline.Groups[n-1] != nil
}

// situation is all of a document but its form on which judgement depends, and not by a
// rule that this package checks for each document: its state and kind, its files, the day
// of issue that the chain is judged for, and whether it expires.
type situation struct {
	issuer   [3]byte
	kind     [2]byte
	present  uint32
	source   uint8 // the group that says when it was issued, 0 for none
	issued   int64 // seconds
	noExpiry bool
}

// situation finds it out as verify does; false where that takes a closer look.
func (d *document) situation(national string, noExpiry mrz.Date) (situation, bool) {
	s := situation{issuer: d.zone.Issuer, kind: d.zone.Document, present: d.present}
	s.noExpiry = noExpiry != "" && string(d.zone.Expiry[:]) == string(noExpiry)
	if d.covered(12) {
		if details, err := lds.ParseDG12(d.files[lds.DG12]); err == nil {
			if text, ok := lds.IssueDate(details); ok {
				s.issue(12, "20060102", text)
			}
		}
	}
	if national == "vn" && d.covered(13) {
		text, ok := vn.Issued(d.files[lds.DG13])
		if !ok {
			return s, false
		}
		s.issue(13, "02/01/2006", string(text))
	}
	return s, national == "" || national == "vn"
}

func (s *situation) issue(source uint8, layout, text string) {
	if day, err := time.Parse(layout, text); err == nil {
		s.source, s.issued = source, day.Unix()
	}
}

// intact says whether every listed group that is there has its digest, and the content
// that of the signed attributes.
func (d *document) intact(k *known) bool {
	var buffer [64]byte
	for i, want := range d.outline.Groups {
		n := i + 1
		if d.covered(n) && string(cert.AppendDigest(buffer[:0], k.groupHash, d.files[lds.Group(n)])) != string(want) {
			return false
		}
	}
	return string(cert.AppendDigest(buffer[:0], k.digest, d.outline.Content)) == string(d.outline.Digest)
}

// signed says whether the signer signed the attributes.
func (d *document) signed(k *known) bool {
	var buffer [1024]byte
	n := copy(buffer[:], d.outline.Attributes)
	if n < len(d.outline.Attributes) {
		return false
	}
	buffer[0] = 0x31 // they are hashed as the SET OF that they are (RFC 5652 §5.4)
	return k.verifier.Verify(k.algorithm, buffer[:n], d.outline.Signature) == nil
}

// inForce says whether the zone's date of expiry has not come, as verify judges it.
func (d *document) inForce(at time.Time) bool {
	last, ok := mrz.Date(d.zone.Expiry[:]).Expiry(at)
	y, m, day := at.Date()
	return ok && !time.Date(y, m, day, 0, 0, 0, 0, time.UTC).After(last)
}
