package evidence

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

// Bundle is an inspection as its device recorded it. Only Seal says who recorded it and that
// nothing was changed since; see Judge for what of it to believe.
type Bundle struct {
	Context  Context
	Officer  [32]byte // pseudonym of the officer's key as given, zero if none was
	Tool     string   // what made the bundle
	Policy   string
	At       time.Time // the time of judgement
	Specimen bool
	Verdict  verify.Verdict
	Card     verify.CardID
	Access   string         // how the chip was opened; "" if no chip was
	Checks   []verify.Check // as they were then
	Store    string         // digest of the trust store, "" if unknown

	Certificates []*cert.Certificate // from the signer to the anchor; empty if no way was found
	Lists        []List              // the revocation lists that were looked at
	Files        verify.Files        // as they were read, those that the policy judges by
	Proofs       verify.Proofs

	Seal Seal
}

// List is a revocation list that an inspection rested on.
type List struct {
	Issuer   string
	Number   string    // "" if it has none
	Signed   time.Time // thisUpdate
	Next     time.Time // nextUpdate, zero if it does not say
	Digest   [32]byte  // SHA-256
	Contents *cert.CRL // nil if it is too large to go along
}

// maxList is the largest revocation list that goes along, in octets. Of a larger one there
// is the digest.
const maxList = 256 << 10

// New records a report. What it keeps of the card are the signed list, what nobody owns
// (EF.CardAccess, EF.CardSecurity, EF.COM), the groups that the report's policy judges by and
// those with the chip's keys, and any group that a finding speaks of; never DG3 and DG4.
func New(r *verify.Report, c Context, tool string) *Bundle {
	b := &Bundle{
		Context: c, Tool: tool, Policy: r.Policy.Name, At: r.At, Specimen: r.Specimen, Verdict: r.Verdict, Card: r.Document.Card,
		Checks: slices.Clone(r.Checks), Store: r.Document.Store, Certificates: r.Chain.Path, Proofs: r.Proofs, Files: verify.Files{},
	}
	if r.Session != nil {
		b.Access = r.Session.Access
	}
	if l := r.Chain.List; l != nil {
		b.Lists = append(b.Lists, newList(l))
	}
	for f, raw := range r.Files {
		if keeps(r, f) && len(raw) <= maxFile {
			b.Files[f] = raw
		}
	}
	return b
}

func newList(l *cert.CRL) List {
	out := List{Issuer: l.Issuer.String(), Signed: l.ThisUpdate, Next: l.NextUpdate, Digest: sha256.Sum256(l.Raw)}
	if l.Number != nil && l.Number.BitLen() <= 160 {
		out.Number = l.Number.String()
	}
	if len(l.Raw) <= maxList {
		out.Contents = l
	}
	return out
}

// keeps says whether a bundle needs the file.
func keeps(r *verify.Report, f lds.File) bool {
	switch n := f.Number(); n {
	case 0:
		return f != lds.DIR && f != lds.ATRInfoFile
	case 1, 14, 15:
		return true
	case 3, 4:
		return false
	default:
		if slices.Contains(r.Policy.Groups, n) {
			return true
		}
		own := r.Check(groupCheck(n)).Outcome
		return own == verify.Failed || own == verify.Undetermined || r.Check(verify.CheckNational).Outcome == verify.Failed
	}
}

// groupCheck is the identifier of the check of a data group.
func groupCheck(n int) string { return "lds.dg" + strconv.Itoa(n) }
