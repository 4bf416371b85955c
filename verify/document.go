package verify

import (
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile"
	"github.com/tamthe/tamthe/verify/pki"
)

// facts are what the data groups say, proven or not.
type facts struct {
	zone     *mrz.MRZ // of DG1, nil if it can't be read
	zoneErr  error
	issued   time.Time // day of issue, zero if no group says it
	source   int       // the group that says so
	noExpiry bool
	faces    []lds.Face
	facesErr error
	portrait *lds.Face
	identity Identity
}

// data returns a data group as it was read, unless a signed list is there that does not
// list it: then it is anybody's.
func (a *assessment) data(n int) ([]byte, bool) {
	if a.sod != nil && !a.listed(n) {
		return nil, false
	}
	raw, ok := a.ev.files[lds.Group(n)]
	return raw, ok
}

// readDocument reads what the groups say. Whether that may be believed is decided
// later; nothing here is a check.
func (a *assessment) readDocument() {
	f := &a.facts
	if raw, ok := a.data(1); ok {
		if f.zone, f.zoneErr = lds.ParseDG1(raw); f.zoneErr == nil {
			a.document.Type, a.document.State = f.zone.Document, f.zone.Issuer
			f.identity = identityOf(f.zone, a.o.At)
		}
	}
	a.profile = a.o.Profile
	if a.profile == nil {
		a.profile = profile.For(f.zone)
	}
	a.document.Profile = a.profile.Name
	if raw, ok := a.data(12); ok {
		if details, err := lds.ParseDG12(raw); err == nil {
			if s, ok := lds.IssueDate(details); ok {
				if day, err := time.Parse("20060102", s); err == nil {
					f.issued, f.source = day, 12
				}
			}
		}
	}
	if raw, ok := a.data(2); ok {
		if f.faces, f.facesErr = lds.ParseDG2(raw); f.facesErr == nil && len(f.faces) > 0 {
			f.portrait = &f.faces[0]
		}
	}
	if f.zone != nil && a.profile.NoExpiry != "" && f.zone.Expiry == a.profile.NoExpiry {
		f.noExpiry, f.identity.NoExpiry, f.identity.Expiry = true, true, ""
	}
	a.readNational()
}

// identityOf takes the person from the zone.
func identityOf(z *mrz.MRZ, at time.Time) Identity {
	sex := z.Sex
	if sex == "<" {
		sex = "X"
	}
	return Identity{
		DocumentNumber: z.Number, Surname: z.Primary, Given: z.Secondary, Sex: sex, Nationality: z.Nationality,
		Birth: written(z.Birth, z.Birth.Birth, at), Expiry: written(z.Expiry, z.Expiry.Expiry, at),
	}
}

// written is the date in full if it is known, else as it stands in the zone.
func written(d mrz.Date, day func(time.Time) (time.Time, bool), at time.Time) string {
	if t, ok := day(at); ok {
		return t.Format(time.DateOnly)
	}
	return string(d)
}

// query is what the chain is judged for. It takes from the document only what its
// signed list covers: a changed group fails anyway, and must not bend the chain.
func (a *assessment) query() pki.Query {
	q := pki.Query{At: a.o.At, Specimen: a.o.Specimen, Lists: a.o.Lists, Seen: a.o.Seen, CRLAge: a.o.Policy.CRLAge}
	if a.matches(1) && a.facts.zone != nil {
		q.Country, q.DocumentType, q.Number = a.facts.zone.Issuer, a.facts.zone.Document, a.facts.zone.Number
		q.NoExpiry = a.facts.noExpiry
	}
	if a.facts.source > 0 && a.matches(a.facts.source) {
		q.Issued = a.facts.issued
	}
	return q
}

// judgeMRZ judges the zone of DG1 and the dates.
func (a *assessment) judgeMRZ() {
	f := a.facts
	if _, read := a.data(1); !read {
		return
	}
	if f.zone == nil {
		a.fail(CheckMRZ, ReasonMRZMalformed, f.zoneErr)
		return
	}
	var odd, digits []string
	for _, x := range f.zone.Findings {
		if x.Problem == mrz.CheckDigit {
			digits = append(digits, x.String())
		} else {
			odd = append(odd, x.String())
		}
	}
	if len(odd) > 0 {
		a.set(CheckMRZ, Failed, ReasonMRZMalformed, strings.Join(odd, ", "))
	} else {
		a.set(CheckMRZ, Passed, "", f.zone.Format.String())
	}
	if len(digits) > 0 {
		a.set(CheckMRZDigits, Failed, ReasonMRZDigits, strings.Join(digits, ", "))
	} else {
		a.set(CheckMRZDigits, Passed, "", "")
	}
	a.expiry()
}

// expiry judges the document's dates: it is good until the end of its last day, by
// the calendar of the place that Options.At is written for.
func (a *assessment) expiry() {
	f := a.facts
	today := dayOf(a.o.At)
	last, known := f.zone.Expiry.Expiry(a.o.At)
	switch {
	case f.source > 0 && dayOf(f.issued).After(today.AddDate(0, 0, 1)):
		a.set(CheckExpiry, Failed, ReasonDocumentEarly, "")
	case f.noExpiry:
		a.set(CheckExpiry, Passed, ReasonNoExpiry, "")
	case !known:
		a.set(CheckExpiry, Undetermined, ReasonDateUnreadable, "")
	case today.After(dayOf(last)):
		a.set(CheckExpiry, Failed, ReasonDocumentExpired, "")
	default:
		a.set(CheckExpiry, Passed, "", "")
	}
}

// dayOf is the calendar day of a moment, as midnight in UTC.
func dayOf(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// photoExempt says whether the rules let this document do without a portrait: its
// holder was too young on the day of issue, or is today if that day is not known.
func (a *assessment) photoExempt() bool {
	f := a.facts
	if a.profile.PhotoFrom < 0 || f.zone == nil {
		return false
	}
	day := a.o.At
	if f.source > 0 {
		day = f.issued
	}
	born, known := f.zone.Birth.Birth(a.o.At)
	return known && dayOf(day).Before(born.AddDate(a.profile.PhotoFrom, 0, 0))
}

// judgePhoto judges whether there is a portrait where there has to be one, and
// whether it can be read.
func (a *assessment) judgePhoto() {
	_, read := a.data(2)
	switch {
	case a.sod == nil:
	case !a.listed(2) && a.photoExempt():
		a.set(CheckPhoto, Absent, ReasonPhotoExempt, "")
	case !a.listed(2):
		a.set(CheckPhoto, Failed, ReasonPhotoMissing, "")
	case !read:
	case a.facts.facesErr != nil:
		a.fail(CheckPhoto, ReasonPhotoUnread, a.facts.facesErr)
	case a.facts.portrait == nil:
		a.set(CheckPhoto, Failed, ReasonPhotoMissing, "")
	default:
		a.set(CheckPhoto, Passed, "", a.facts.portrait.Coding.String())
	}
}
